// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/collections.h"

#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/documents/index_entries.h"
#include "engine/documents/indexes.h"
#include "engine/vectors/truth.h"

namespace stele::documents {

using catalog::Kind;
using storage::Keyspace;
using transaction::Transaction;

namespace {

[[noreturn]] void refuse_absent(std::string_view name) {
  fail(ErrorCode::not_found, text("collection \"", name, "\": there is none; create it, or list the collections"),
       {{"reason", "NamespaceNotFound"}, {"collection", std::string(name)}});
}

}  // namespace

void Collections::create(Transaction& transaction, std::string_view name, const CollectionOptions& options) const {
  catalog_.create(transaction, Kind::collection, name, options, limits_);
}

void Collections::modify(Transaction& transaction, std::string_view name, const CollectionOptions& options) const {
  const auto present = catalog_.find(transaction, Kind::collection, name);
  if (!present) refuse_absent(name);
  catalog::Definition definition = *present;
  catalog::set_options(definition, options, limits_);
  catalog_.store(transaction, definition);
}

void Collections::rename(Transaction& transaction, std::string_view from, std::string_view to,
                         const RenameOptions& options) const {
  const auto collection = catalog_.find(transaction, Kind::collection, from);
  if (!collection) refuse_absent(from);
  if (from == to)
    fail(ErrorCode::invalid, text("collection \"", from, "\": has that name already; give another"),
         {{"reason", "SameName"}, {"collection", std::string(from)}});
  if (catalog_.find(transaction, Kind::collection, to)) {
    if (!options.drop_target)
      fail(ErrorCode::exists,
           text("collection \"", from, "\": there is a collection \"", to,
                "\" already; drop it first, or with drop_target"),
           {{"reason", "NamespaceExists"}, {"collection", std::string(to)}});
    drop(transaction, to);
  }
  catalog_.rename(transaction, *collection, to);
}

bool Collections::drop(Transaction& transaction, std::string_view name) const {
  const auto collection = catalog_.find(transaction, Kind::collection, name);
  if (!collection) return false;
  const std::string prefix = index_prefix(collection->id);
  transaction.writes().erase_range(Keyspace::documents, prefix, key::prefix_end(prefix));
  for (const catalog::Index& index : collection->indexes) erase_index(transaction, index.id);
  for (const catalog::VectorIndex& index : collection->vector_indexes) vectors::drop(transaction, index.id);
  catalog_.drop(transaction, Kind::collection, name);
  return true;
}

}  // namespace stele::documents
