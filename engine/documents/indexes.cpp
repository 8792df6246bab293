// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/indexes.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/documents/index_entries.h"
#include "engine/documents/writer.h"

#include <algorithm>

namespace stele::documents {

using catalog::Definition;
using catalog::Index;
using catalog::Kind;
using model::Object;
using model::Value;
using storage::Keyspace;
using transaction::Reader;
using transaction::Transaction;

namespace {

constexpr std::size_t indexes_max = 64;  // of a collection, as MongoDB
constexpr std::string_view id_index = "_id_";  // documents lie in its order: it is always there, and nothing is built for it
constexpr std::size_t read_at_once = 500;
constexpr std::size_t read_bytes_at_once = 1u << 20;

[[noreturn]] void refuse(std::string_view rule) {
  fail(ErrorCode::invalid, text("create_index: ", rule), {{"reason", "InvalidIndex"}});
}

Index parse(std::string_view keys, const IndexOptions& options, const json::Limits& limits) {
  Index index;
  index.fields = catalog::parse_index_fields(keys, limits);
  index.name = options.name.empty() ? catalog::default_index_name(index.fields) : options.name;
  if (index.name.size() > 255 || index.name.starts_with('$')) refuse("a name has up to 255 bytes and does not begin with '$'");
  if (index.name == id_index || index.name == "*")
    refuse(text("the name \"", index.name, "\" is reserved; leave the name out, or give another"));
  index.unique = options.unique;
  index.sparse = options.sparse;
  if (!options.partial_filter.empty()) {
    index.partial = json::minify(options.partial_filter, limits, "partial filter");
    index.partial_filter = std::make_shared<const model::Filter>(model::Filter::parse(index.partial, limits));
    if (index.sparse) refuse("sparse and partial_filter exclude each other; a partial filter {\"field\": {\"$exists\": true}} says both");
  }
  if (options.expire_after_seconds) {
    if (*options.expire_after_seconds < 0 || *options.expire_after_seconds > 2147483647)
      refuse("expire_after_seconds must be 0 to 2147483647");
    if (index.fields.size() != 1) refuse("expire_after_seconds needs one path, that of a date");
    if (index.fields.front().path.text() == "_id") refuse("expire_after_seconds needs a path other than _id");
    if (!index.partial.empty()) refuse("expire_after_seconds and partial_filter are not offered together");
    index.expire_after_seconds = options.expire_after_seconds;
  }
  return index;
}

/// {"_id": 1}, which is there already.
bool is_id_index(std::string_view keys, const IndexOptions& options, const json::Limits& limits) {
  const std::vector<catalog::IndexField> fields = catalog::parse_index_fields(keys, limits);
  if (fields.size() != 1 || fields.front().path.text() != "_id" || fields.front().descending) return false;
  if (!options.name.empty() && options.name != id_index)
    refuse(text("the index of _id is named \"", id_index, "\"; leave the name out"));
  if (options.sparse || !options.partial_filter.empty() || options.expire_after_seconds)
    refuse("the index of _id holds every document, each once; leave the options out");
  return true;
}

/// How far a build has come.
struct BuildPosition {
  std::uint64_t documents = 0;
  std::string key;  // of the document to go on from; empty: from the first
};

BuildPosition build_position(Reader& reader, std::uint64_t index) {
  BuildPosition position;
  std::string note;
  if (!reader.get(Keyspace::indexes, build_position_key(index), note)) return position;
  ByteReader bytes(note);
  if (!bytes.fixed(position.documents) || bytes.rest().empty())
    fail(ErrorCode::corrupt, "create_index: the position of a build cannot be read; drop the index and make it anew");
  position.key = bytes.rest();
  return position;
}

Value described(Reader& reader, const Definition& collection, const Index& index, Value definition) {
  const std::string entries = index_prefix(index.id);
  Object& out = definition.object();
  out.push_back({"bytes", Value(static_cast<std::int64_t>(reader.approximate_bytes(Keyspace::indexes, {entries, key::prefix_end(entries)})))});
  if (index.state != Index::State::building) return definition;
  const BuildPosition position = build_position(reader, index.id);
  const std::string first = index_prefix(collection.id), end = key::prefix_end(first);
  const double all = static_cast<double>(reader.approximate_bytes(Keyspace::documents, {first, end}));
  const double left = position.key.empty() ? all : static_cast<double>(reader.approximate_bytes(Keyspace::documents, {position.key, end}));
  const double percent = all == 0 ? 0 : 100 * (1 - std::min(1.0, left / all));
  out.push_back({"documents_read", Value(static_cast<std::int64_t>(position.documents))});
  out.push_back({"percent", Value(static_cast<std::int64_t>(percent))});
  return definition;
}

/// Not of the disk, a deadline or another transaction: building again would end in the same way.
bool is_of_a_document(const Error& error) {
  return error.code() == ErrorCode::exists || error.code() == ErrorCode::invalid || error.code() == ErrorCode::too_large;
}

bool same(const Index& a, const Index& b) {
  return a.keys_json() == b.keys_json() && a.unique == b.unique && a.sparse == b.sparse && a.partial == b.partial &&
         a.expire_after_seconds == b.expire_after_seconds;
}

}  // namespace

void erase_index(Transaction& transaction, std::uint64_t index) {
  const std::string prefix = index_prefix(index);
  transaction.writes().erase_range(Keyspace::indexes, prefix, key::prefix_end(prefix));
  const std::string notes = index_notes_prefix(index);
  transaction.writes().erase_range(Keyspace::indexes, notes, key::prefix_end(notes));
}

std::string Indexes::declare(Transaction& transaction, const Index& wanted) const {
  Definition definition = *catalog_.find_or_create(transaction, Kind::collection, collection_);
  if (const Index* present = definition.index(wanted.name)) {
    if (!same(*present, wanted))
      fail(ErrorCode::exists, text("create_index: collection \"", collection_, "\" has an index \"", wanted.name,
                                   "\" with other keys or options; drop it first, or give this one another name"),
           {{"reason", "IndexExists"}, {"index", wanted.name}});
    if (present->state == Index::State::failed) set_state(transaction, wanted.name, Index::State::building, {});
    return wanted.name;
  }
  for (const Index& other : definition.indexes)
    if (same(other, wanted))
      fail(ErrorCode::exists, text("create_index: collection \"", collection_, "\" has this index with the name \"", other.name,
                                   "\"; use that, or drop it first"),
           {{"reason", "IndexExists"}, {"index", other.name}});
  if (definition.indexes.size() == indexes_max)
    fail(ErrorCode::too_large, text("create_index: collection \"", collection_, "\" has ", indexes_max,
                                    " indexes, the most there may be; drop one that no query uses"),
         {{"reason", "TooManyIndexes"}, {"limit", std::to_string(indexes_max)}});
  definition.indexes.push_back(wanted);
  definition.indexes.back().id = catalog_.new_id(transaction);
  catalog_.store(transaction, definition);
  return wanted.name;
}

std::string Indexes::create(const Write& write, const Write& give_up, std::string_view keys,
                            const IndexOptions& options) const {
  if (is_id_index(keys, options, limits_)) {
    write([&](Transaction& transaction) { catalog_.find_or_create(transaction, Kind::collection, collection_); });
    return std::string(id_index);
  }
  const Index wanted = parse(keys, options, limits_);
  std::string name;
  bool made = false;
  write([&](Transaction& transaction) {
    const auto before = catalog_.find(transaction, Kind::collection, collection_);
    name = declare(transaction, wanted);
    made = !before || !before->index(name);
  });
  try {
    build(write, name);
  } catch (const Error& error) {
    // One that was there before is somebody else's, too.
    if (made && (error.code() == ErrorCode::interrupted || is_of_a_document(error)))
      give_up([&](Transaction& transaction) { drop(transaction, name); });
    throw;
  }
  return name;
}

void Indexes::build(const Write& write, const std::string& name) const {
  try {
    for (bool more = true; more;) write([&](Transaction& transaction) { more = build_batch(transaction, name); });
    write([&](Transaction& transaction) { expect_ready(transaction, name); });
  } catch (const Error& error) {
    if (is_of_a_document(error))
      write([&](Transaction& transaction) { set_state(transaction, name, Index::State::failed, error.message()); });
    throw;
  }
}

/// Somebody else may have built it at the same time, and failed, or dropped it.
void Indexes::expect_ready(Transaction& transaction, const std::string& name) const {
  const auto definition = catalog_.find(transaction, Kind::collection, collection_);
  const Index* index = definition ? definition->index(name) : nullptr;
  if (!index) fail(ErrorCode::not_found, text("create_index: the index \"", name, "\" was dropped while it was built"));
  if (index->state == Index::State::failed) fail(ErrorCode::exists, index->failure, {{"index", name}});
}

/// False when the index is ready, failed or gone.
bool Indexes::build_batch(Transaction& transaction, const std::string& name) const {
  const auto definition = catalog_.find(transaction, Kind::collection, collection_);
  const Index* index = definition ? definition->index(name) : nullptr;
  if (!index || index->state != Index::State::building) return false;

  if (transaction.isolation() == Isolation::snapshot)
    fail(ErrorCode::unsupported, "create_index: at Isolation::snapshot others could write documents that it misses; use a serializable transaction");

  std::string from = index_prefix(definition->id);
  const std::string end = key::prefix_end(from);
  BuildPosition position = build_position(transaction, index->id);
  if (!position.key.empty()) from = position.key;

  Writer writer(transaction, *definition);
  model::Parser parser;
  std::size_t documents = 0;
  std::size_t bytes = 0;
  const auto scan = transaction.scan(Keyspace::documents, {from, end});
  while (documents < read_at_once && bytes < read_bytes_at_once && scan->next()) {
    transaction.interrupt().check();
    writer.add_entries(*index, scan->key(), parser.parse(scan->value()));
    ++documents;
    bytes += scan->value().size();
    position.key.assign(scan->key());
  }
  if (documents < read_at_once && bytes < read_bytes_at_once) {
    set_state(transaction, name, Index::State::ready, {});
    return false;
  }
  position.key += '\0';
  position.documents += documents;
  std::string note;
  append_fixed(note, position.documents);
  transaction.writes().put(Keyspace::indexes, build_position_key(index->id), note + position.key);
  return true;
}

void Indexes::set_state(Transaction& transaction, const std::string& name, Index::State state, const std::string& failure) const {
  const auto present = catalog_.find(transaction, Kind::collection, collection_);
  if (!present || !present->index(name)) return;
  Definition definition = *present;
  const auto index = std::ranges::find(definition.indexes, name, &Index::name);
  if (state == Index::State::failed) erase_index(transaction, index->id);
  if (state == Index::State::ready) transaction.writes().erase(Keyspace::indexes, build_position_key(index->id));
  index->state = state;
  index->failure = failure;
  catalog_.store(transaction, definition);
}

bool Indexes::drop(Transaction& transaction, std::string_view name) const {
  if (name == id_index)
    fail(ErrorCode::invalid, text("drop_index: the index \"", name, "\" is how documents lie; it cannot be dropped"),
         {{"reason", "InvalidIndex"}, {"index", std::string(name)}});
  const auto present = catalog_.find(transaction, Kind::collection, collection_);
  if (!present) return false;
  Definition definition = *present;
  const auto dropped = std::erase_if(definition.indexes, [&](const Index& index) {
    if (name != "*" && name != index.name) return false;
    erase_index(transaction, index.id);
    return true;
  });
  if (dropped > 0) catalog_.store(transaction, definition);
  return dropped > 0;
}

std::vector<std::string> Indexes::list(Reader& reader) const {
  std::vector<std::string> all;
  const auto definition = catalog_.find(reader, Kind::collection, collection_);
  if (!definition) return all;
  all.push_back(R"({"name":"_id_","keys":{"_id":1},"state":"ready"})");
  const Value value = model::parse(catalog::to_json(*definition));
  if (const Value* indexes = value.find("indexes"))
    for (std::size_t i = 0; i < indexes->array().size(); ++i)
      all.push_back(model::to_json(described(reader, *definition, definition->indexes[i], indexes->array()[i])));
  return all;
}

}  // namespace stele::documents
