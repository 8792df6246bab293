// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/vector_indexes.h"

#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/documents/documents.h"
#include "engine/documents/expiry.h"
#include "engine/documents/index_entries.h"
#include "engine/documents/vectors.h"
#include "engine/documents/writer.h"
#include "engine/model/document.h"
#include "engine/vectors/truth.h"

#include <algorithm>
#include <charconv>

namespace stele::documents {

using catalog::Definition;
using catalog::Kind;
using catalog::VectorIndex;
using model::Value;
using storage::Keyspace;
using transaction::Reader;
using transaction::Record;
using transaction::Transaction;

namespace {

constexpr std::size_t vector_indexes_max = 16;  // of a collection
constexpr std::size_t filled_at_once = 500;
constexpr std::size_t filled_bytes_at_once = 1u << 20;

std::string_view id_element(std::uint64_t collection, std::string_view document_key) {
  return document_key.substr(index_prefix(collection).size());
}

/// The float as the shortest text that gives it again.
Value as_text(float number) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  std::string literal(digits, end);
  return Value(model::Double{double{number}, std::move(literal)});
}

/// The document with that array at the path, where it has one.
std::string with_vector(std::string_view document, const model::Path& path, std::span<const float> vector) {
  Value root = model::parse(document);
  Value* at = &root;
  for (const model::Step& step : path.steps()) at = at->find(step.name);
  model::Array array;
  array.reserve(vector.size());
  for (const float number : vector) array.push_back(as_text(number));
  *at = Value(std::move(array));
  return model::to_json(root);
}

/// The document now; empty: there is none, or it has expired.
std::optional<std::string> document_now(Transaction& transaction, const Definition& collection,
                                        const std::string& key) {
  std::string document;
  if (!transaction.get(Keyspace::documents, key, document, Record::binding)) return std::nullopt;
  if (collection.expires() && Expiry(collection, transaction.time_us()).expired(document)) return std::nullopt;
  return document;
}

}  // namespace

VectorIndexes::Found VectorIndexes::find(Reader& reader, std::string_view path) const {
  auto collection = catalog_.find(reader, Kind::collection, collection_);
  const VectorIndex* const index = collection ? collection->vector_index(path) : nullptr;
  if (!index)
    fail(ErrorCode::not_found,
         text("collection \"", collection_, "\": there is no vector index on \"", path.substr(0, 255),
              "\"; make it with create_vector_index"),
         {{"reason", "IndexNotFound"}, {"collection", collection_}});
  return {std::move(collection), index};
}

void VectorIndexes::create(const Write& write, const Write& give_up, std::string_view path,
                           const VectorIndexOptions& options) const {
  catalog::parse_vector_path(path);
  storage::check(options);
  bool building = false, made = false;
  write([&](Transaction& transaction) {
    const auto before = catalog_.find(transaction, Kind::collection, collection_);
    building = declare(transaction, path, options);
    made = !before || !before->vector_index(path);
  });
  if (!building) return;
  try {
    build(write, std::string(path));
  } catch (...) {
    // One that was there before is somebody else's, too.
    if (made) give_up([&](Transaction& transaction) { drop(transaction, path); });
    throw;
  }
}

bool VectorIndexes::declare(Transaction& transaction, std::string_view path, const VectorIndexOptions& options) const {
  Definition definition = *catalog_.find_or_create(transaction, Kind::collection, collection_);
  if (const VectorIndex* present = definition.vector_index(path)) {
    if (present->options != options)
      fail(ErrorCode::exists,
           text("collection \"", collection_, "\": there is a vector index on \"", path,
                "\" with other options; drop it first"),
           {{"reason", "IndexExists"}, {"collection", collection_}});
    return present->building;
  }
  if (definition.vector_indexes.size() == vector_indexes_max)
    fail(ErrorCode::too_large,
         text("collection \"", collection_, "\" has ", vector_indexes_max,
              " vector indexes, the most there may be; drop one"),
         {{"reason", "TooManyIndexes"}, {"limit", std::to_string(vector_indexes_max)}});
  VectorIndex index;
  index.id = catalog_.new_id(transaction);
  index.path = catalog::parse_vector_path(path);
  index.options = options;
  index.building = true;
  vectors::make(transaction, index.id, options);
  definition.vector_indexes.push_back(std::move(index));
  catalog_.store(transaction, definition);
  return true;
}

void VectorIndexes::build(const Write& write, const std::string& path) const {
  for (bool more = true; more;) write([&](Transaction& transaction) { more = build_batch(transaction, path); });
}

bool VectorIndexes::build_batch(Transaction& transaction, std::string_view path) const {
  const auto definition = catalog_.find(transaction, Kind::collection, collection_);
  const VectorIndex* index = definition ? definition->vector_index(path) : nullptr;
  if (!index || !index->building) return false;
  if (transaction.isolation() == Isolation::snapshot)
    fail(ErrorCode::unsupported,
         "create_vector_index: at Isolation::snapshot others could write documents that it misses; use a serializable "
         "transaction");
  std::string from = index_prefix(definition->id);
  const std::string end = key::prefix_end(from);
  std::string position;
  if (transaction.get(Keyspace::vectors, vectors::build_position_key(index->id), position)) from = position;

  const VectorWriter writer(transaction, *definition);
  std::size_t documents = 0, bytes = 0;
  const auto scan = transaction.scan(Keyspace::documents, {from, end});
  while (documents < filled_at_once && bytes < filled_bytes_at_once && scan->next()) {
    transaction.interrupt().check();
    try {
      writer.add(*index, id_element(definition->id, scan->key()), scan->value());
    } catch (const Error& error) {
      if (error.code() != ErrorCode::invalid) throw;
      throw Error(error.code(),
                  text("create_vector_index: document ", key::describe_key(id_element(definition->id, scan->key())),
                       ": ", error.message()),
                  error.detail());
    }
    ++documents;
    bytes += scan->value().size() + index->options.dimensions * sizeof(float);
    position.assign(scan->key());
  }
  if (documents < filled_at_once && bytes < filled_bytes_at_once) {
    set_ready(transaction, path);
    return false;
  }
  transaction.writes().put(Keyspace::vectors, vectors::build_position_key(index->id), position + '\0');
  return true;
}

void VectorIndexes::set_ready(Transaction& transaction, std::string_view path) const {
  Definition definition = *catalog_.find(transaction, Kind::collection, collection_);
  for (VectorIndex& index : definition.vector_indexes) {
    if (index.path.text() != path) continue;
    transaction.writes().erase(Keyspace::vectors, vectors::build_position_key(index.id));
    index.building = false;
  }
  catalog_.store(transaction, definition);
}

bool VectorIndexes::drop(Transaction& transaction, std::string_view path) const {
  const auto present = catalog_.find(transaction, Kind::collection, collection_);
  if (!present || !present->vector_index(path)) return false;
  Definition definition = *present;
  const auto index = std::ranges::find(definition.vector_indexes, present->vector_index(path)->id, &VectorIndex::id);
  vectors::drop(transaction, index->id);
  definition.vector_indexes.erase(index);
  catalog_.store(transaction, definition);
  return true;
}

void VectorIndexes::set(Transaction& transaction, std::string_view path, const Value& id,
                        std::span<const float> vector) const {
  const Found found = find(transaction, path);
  const std::string key = document_key(found.collection->id, id);
  const auto document = document_now(transaction, *found.collection, key);
  if (!document)
    fail(ErrorCode::not_found,
         text("collection \"", collection_, "\": there is no document with _id ", model::to_json(id),
              " to have a vector; insert it first"),
         {{"reason", "DocumentNotFound"}, {"collection", collection_}});
  if (text_at(*document, found.index->path).empty()) {
    vectors::set(transaction, found.index->id, found.index->options, id_element(found.collection->id, key), vector);
  } else {
    storage::prepare(found.index->options, vector);
    Writer(transaction, *found.collection).put(key, *document, with_vector(*document, found.index->path, vector));
  }
}

bool VectorIndexes::remove(Transaction& transaction, std::string_view path, const Value& id) const {
  const Found found = find(transaction, path);
  const std::string key = document_key(found.collection->id, id);
  const auto document = document_now(transaction, *found.collection, key);
  if (!document) return false;
  if (!text_at(*document, found.index->path).empty())
    fail(ErrorCode::invalid,
         text("collection \"", collection_, "\": the vector of document ", model::to_json(id),
              " stands in the document, at \"", path, "\"; change the document"),
         {{"reason", "InlineVector"}, {"collection", collection_}});
  return vectors::remove(transaction, found.index->id, id_element(found.collection->id, key));
}

std::optional<std::vector<float>> VectorIndexes::get(Reader& reader, std::string_view path, const Value& id) const {
  const Found found = find(reader, path);
  const std::string key = document_key(found.collection->id, id);
  if (found.collection->expires()) {
    std::string document;
    if (!reader.get(Keyspace::documents, key, document) ||
        Expiry(*found.collection, reader.time_us()).expired(document))
      return std::nullopt;
  }
  return vectors::get(reader, found.index->id, found.index->options.dimensions, id_element(found.collection->id, key));
}

}  // namespace stele::documents
