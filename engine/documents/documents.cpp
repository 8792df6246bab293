// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/documents.h"

#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/documents/expiry.h"
#include "engine/documents/find.h"
#include "engine/documents/indexes.h"
#include "engine/documents/matches.h"
#include "engine/documents/writer.h"
#include "engine/model/distinct.h"
#include "engine/model/document.h"
#include "engine/model/key.h"

namespace stele::documents {

using catalog::Catalog;
using catalog::Definition;
using catalog::Kind;
using storage::Keyspace;
using transaction::Reader;
using transaction::Record;
using transaction::Transaction;

std::string document_key(std::uint64_t collection, const model::Value& id) {
  std::string out;
  key::append_id(out, collection);
  model::append_key(out, id);
  key::check_size(out, "the _id");
  return out;
}

Catalog::DefinitionPtr Documents::definition(Reader& reader) const {
  return catalog_.find(reader, Kind::collection, collection_);
}

std::optional<std::string> Documents::get(Reader& reader, const model::Value& id) const {
  const auto collection = definition(reader);
  std::string document;
  if (!collection || !reader.get(Keyspace::documents, document_key(collection->id, id), document)) return std::nullopt;
  if (collection->expires() && Expiry(*collection, reader.time_us()).expired(document)) return std::nullopt;
  return document;
}

std::unique_ptr<Cursor> Documents::find(Reader& reader, Query query) const {
  return make_cursor(reader, definition(reader), std::move(query));
}

std::uint64_t Documents::count(Reader& reader, const model::Filter& filter) const {
  const model::Sort any;
  Matches matches(reader, definition(reader), {filter, any, std::nullopt, {}});
  std::uint64_t count = 0;
  while (matches.next()) ++count;
  return count;
}

std::vector<std::string> Documents::distinct(Reader& reader, std::string_view path, const model::Filter& filter) const {
  model::Distinct values(path);
  const model::Sort any;
  Matches matches(reader, definition(reader), {filter, any, std::nullopt, {}});
  model::Parser parser;
  while (matches.next()) values.add(parser.parse(matches.document()));
  std::vector<std::string> out;
  for (const model::Value& value : values.values()) out.push_back(model::to_json(value));
  return out;
}

std::string Documents::explain(Reader& reader, Query query) const {
  return documents::explain(reader, definition(reader), std::move(query));
}

namespace {

/// The document at a key, if one is there that has not expired; `stored` has the expired one, too.
bool present(Transaction& transaction, const Definition& collection, const std::string& key, std::optional<std::string>& stored) {
  std::string document;
  if (!transaction.get(Keyspace::documents, key, document, Record::binding)) return false;
  stored = std::move(document);
  return !collection.expires() || !Expiry(collection, transaction.time_us()).expired(*stored);
}

}  // namespace

void Documents::insert_new(Transaction& transaction, const model::Value& id, std::string_view document) const {
  const auto collection = catalog_.find_or_create(transaction, Kind::collection, collection_);
  const std::string key = document_key(collection->id, id);
  std::optional<std::string> stored;
  if (present(transaction, *collection, key, stored))
    fail(ErrorCode::exists,
         text("collection \"", collection_, "\": a document with _id ", model::to_json(id),
              " exists already; use replace or put to overwrite it, or leave _id out to get a new one"),
         {{"reason", "DuplicateId"}, {"collection", std::string(collection_)}, {"id", model::to_json(id)}});
  Writer(transaction, *collection).put(key, stored, document);
}

model::Value Documents::insert(Transaction& transaction, std::string_view document) const {
  model::NewDocument fresh = model::new_document(document, limits_);
  insert_new(transaction, fresh.id, fresh.text);
  return std::move(fresh.id);
}

void Documents::put(Transaction& transaction, std::string_view document) const {
  const model::NewDocument fresh = model::new_document(document, limits_);
  const auto collection = catalog_.find_or_create(transaction, Kind::collection, collection_);
  const std::string key = document_key(collection->id, fresh.id);
  Writer writer(transaction, *collection);
  std::optional<std::string> stored;
  if (writer.needs_before()) present(transaction, *collection, key, stored);
  writer.put(key, stored, fresh.text);
}

bool Documents::replace(Transaction& transaction, const model::Value& id, std::string_view document) const {
  const std::string text_with_id = replacement(id, document, limits_, collection_);
  const auto collection = definition(transaction);
  if (!collection) return false;
  const std::string key = document_key(collection->id, id);
  std::optional<std::string> stored;
  if (!present(transaction, *collection, key, stored)) return false;
  Writer(transaction, *collection).put(key, stored, text_with_id);
  return true;
}

Documents::Updated Documents::update(Transaction& transaction, const model::Filter& filter, const model::Update& update,
                                     bool many, bool upsert) const {
  Updated result;
  const model::UpdateContext context{&filter, model::Date{transaction.time_us() / 1000}, false, limits_};
  if (const auto collection = definition(transaction)) {
    const model::Sort any;
    Matches matches(transaction, collection, {filter, any, many ? std::nullopt : std::optional<std::uint64_t>(1), {}});
    Writer writer(transaction, *collection);
    while (matches.next()) {
      ++result.matched;
      if (const auto changed = update.apply_json(matches.document(), context)) {
        writer.put(matches.key(), matches.document(), *changed);
        ++result.modified;
      }
      if (!many) break;
    }
  }
  if (result.matched > 0 || !upsert) return result;
  const model::Value document = update.upsert_document(context);
  const model::Value& id = document.object().front().value;
  insert_new(transaction, id, model::to_json(document));
  result.upserted_id = id;
  return result;
}

std::uint64_t Documents::remove(Transaction& transaction, const model::Filter& filter, bool many) const {
  const auto collection = definition(transaction);
  if (!collection) return 0;
  const model::Sort any;
  Matches matches(transaction, collection, {filter, any, many ? std::nullopt : std::optional<std::uint64_t>(1), {}});
  Writer writer(transaction, *collection);
  std::uint64_t removed = 0;
  while (matches.next()) {
    writer.erase(matches.key(), matches.document());
    ++removed;
    if (!many) break;
  }
  return removed;
}

bool Documents::remove(Transaction& transaction, const model::Value& id) const {
  const auto collection = definition(transaction);
  if (!collection) return false;
  const std::string key = document_key(collection->id, id);
  std::optional<std::string> stored;
  if (!present(transaction, *collection, key, stored)) return false;
  Writer(transaction, *collection).erase(key, *stored);
  return true;
}

bool Documents::drop(Transaction& transaction) const {
  const auto collection = definition(transaction);
  if (!collection) return false;
  const std::string prefix = index_prefix(collection->id);
  transaction.writes().erase_range(Keyspace::documents, prefix, key::prefix_end(prefix));
  for (const catalog::Index& index : collection->indexes) erase_index(transaction, index.id);
  catalog_.drop(transaction, Kind::collection, collection_);
  return true;
}

}  // namespace stele::documents
