// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/statistics.h"

#include "engine/base/key_codec.h"
#include "engine/documents/index_entries.h"
#include "engine/documents/matches.h"
#include "engine/documents/validator.h"
#include "engine/model/value.h"

namespace stele::documents {

using catalog::Definition;
using model::Value;
using storage::Keyspace;
using transaction::Reader;

namespace {

struct Totals {
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;
  std::uint64_t invalid = 0;  // break the validator
};

Totals totals(Reader& reader, const catalog::Catalog::DefinitionPtr& collection) {
  Totals all;
  const model::Filter every;
  const model::Sort any;
  Matches matches(reader, collection, {every, any, std::nullopt, {}}, Pace::to_the_end);
  Validator validator(*collection, reader.time_us());
  while (matches.next()) {
    ++all.documents;
    all.bytes += matches.document().size();
    if (!validator.holds(matches.document())) ++all.invalid;
  }
  return all;
}

Value integer(std::uint64_t number) { return Value(static_cast<std::int64_t>(number)); }

std::uint64_t kept_bytes(const Reader& reader, Keyspace keyspace, std::uint64_t id) {
  const std::string prefix = index_prefix(id);
  return reader.approximate_bytes(keyspace, {prefix, key::prefix_end(prefix)});
}

void add_indexes(model::Object& out, const Reader& reader, const Definition& collection) {
  model::Array indexes;
  std::uint64_t all = 0;
  for (const catalog::Index& index : collection.indexes) {
    const std::uint64_t bytes = kept_bytes(reader, Keyspace::indexes, index.id);
    all += bytes;
    indexes.push_back(model::Object{{"name", Value(index.name)},
                                    {"keys", model::parse(index.keys_json())},
                                    {"state", Value(name(index.state))},
                                    {"bytes", integer(bytes)}});
  }
  out.push_back({"index_bytes", integer(all)});
  out.push_back({"indexes", Value(std::move(indexes))});
}

}  // namespace

std::string statistics(Reader& reader, catalog::Catalog::DefinitionPtr collection) {
  if (!collection) collection = std::make_shared<const Definition>();
  const bool there = collection->id != 0;
  const Totals all = there ? totals(reader, collection) : Totals();
  model::Object out;
  out.push_back({"documents", integer(all.documents)});
  out.push_back({"bytes", integer(all.bytes)});
  out.push_back({"average_bytes", integer(all.documents == 0 ? 0 : all.bytes / all.documents)});
  out.push_back({"storage_bytes", integer(there ? kept_bytes(reader, Keyspace::documents, collection->id) : 0)});
  add_indexes(out, reader, *collection);
  if (collection->validator) {
    const CollectionOptions& options = collection->options;
    out.push_back({"validator", model::parse(options.validator)});
    out.push_back({"validation_action", Value(catalog::name(options.validation_action))});
    out.push_back({"validation_level", Value(catalog::name(options.validation_level))});
    out.push_back({"invalid_documents", integer(all.invalid)});
  }
  return model::to_json(Value(std::move(out)));
}

}  // namespace stele::documents
