// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/documents.h"

#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/documents/find.h"
#include "engine/model/document.h"
#include "engine/model/key.h"

namespace stele::documents {

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

std::optional<std::uint64_t> Documents::id_of_collection(Reader& reader) const {
  return catalog_.find(reader, Kind::collection, collection_);
}

std::optional<std::string> Documents::get(Reader& reader, const model::Value& id) const {
  const auto collection = id_of_collection(reader);
  if (!collection) return std::nullopt;
  std::string document;
  if (!reader.get(Keyspace::documents, document_key(*collection, id), document)) return std::nullopt;
  return document;
}

std::unique_ptr<Cursor> Documents::find(Reader& reader, Query query) const {
  return make_cursor(reader, id_of_collection(reader), std::move(query));
}

std::uint64_t Documents::count(Reader& reader, const model::Filter& filter) const {
  Query query;
  query.filter = filter;
  const auto cursor = find(reader, std::move(query));
  std::uint64_t count = 0;
  while (cursor->next()) ++count;
  return count;
}

void Documents::insert_new(Transaction& transaction, std::uint64_t collection, const model::Value& id,
                           std::string_view document) const {
  const std::string key = document_key(collection, id);
  std::string present;
  if (transaction.get(Keyspace::documents, key, present, Record::binding))
    fail(ErrorCode::exists,
         text("collection \"", collection_, "\": a document with _id ", model::to_json(id),
              " exists already; use replace or put to overwrite it, or leave _id out to get a new one"),
         {{"reason", "DuplicateId"}, {"collection", std::string(collection_)}, {"id", model::to_json(id)}});
  transaction.writes().put(Keyspace::documents, key, document);
}

model::Value Documents::insert(Transaction& transaction, std::string_view document) const {
  model::NewDocument fresh = model::new_document(document, limits_);
  insert_new(transaction, catalog_.find_or_create(transaction, Kind::collection, collection_), fresh.id, fresh.text);
  return std::move(fresh.id);
}

void Documents::put(Transaction& transaction, std::string_view document) const {
  const model::NewDocument fresh = model::new_document(document, limits_);
  const auto collection = catalog_.find_or_create(transaction, Kind::collection, collection_);
  transaction.writes().put(Keyspace::documents, document_key(collection, fresh.id), fresh.text);
}

bool Documents::replace(Transaction& transaction, const model::Value& id, std::string_view document) const {
  const std::string text_with_id = replacement(id, document, limits_, collection_);
  const auto collection = id_of_collection(transaction);
  if (!collection) return false;
  const std::string key = document_key(*collection, id);
  std::string present;
  if (!transaction.get(Keyspace::documents, key, present, Record::binding)) return false;
  transaction.writes().put(Keyspace::documents, key, text_with_id);
  return true;
}

Documents::Updated Documents::update(Transaction& transaction, const model::Filter& filter, const model::Update& update,
                                     bool many, bool upsert) const {
  Updated result;
  const model::UpdateContext context{&filter, model::Date{transaction.time_us() / 1000}, false, limits_};
  const auto collection = id_of_collection(transaction);
  if (collection) {
    Matches matches(transaction, *collection, filter);
    while (matches.next()) {
      ++result.matched;
      if (const auto changed = update.apply_json(matches.document(), context)) {
        transaction.writes().put(Keyspace::documents, matches.key(), *changed);
        ++result.modified;
      }
      if (!many) break;
    }
  }
  if (result.matched > 0 || !upsert) return result;
  const model::Value document = update.upsert_document(context);
  const model::Value& id = document.object().front().value;
  insert_new(transaction, catalog_.find_or_create(transaction, Kind::collection, collection_), id, model::to_json(document));
  result.upserted_id = id;
  return result;
}

std::uint64_t Documents::remove(Transaction& transaction, const model::Filter& filter, bool many) const {
  const auto collection = id_of_collection(transaction);
  if (!collection) return 0;
  std::uint64_t removed = 0;
  Matches matches(transaction, *collection, filter);
  while (matches.next()) {
    transaction.writes().erase(Keyspace::documents, matches.key());
    ++removed;
    if (!many) break;
  }
  return removed;
}

bool Documents::remove(Transaction& transaction, const model::Value& id) const {
  const auto collection = id_of_collection(transaction);
  if (!collection) return false;
  const std::string key = document_key(*collection, id);
  std::string present;
  if (!transaction.get(Keyspace::documents, key, present, Record::binding)) return false;
  transaction.writes().erase(Keyspace::documents, key);
  return true;
}

bool Documents::drop(Transaction& transaction) const {
  const auto collection = id_of_collection(transaction);
  if (!collection) return false;
  std::string prefix;
  key::append_id(prefix, *collection);
  transaction.writes().erase_range(Keyspace::documents, prefix, key::prefix_end(prefix));
  catalog_.drop(transaction, Kind::collection, collection_);
  return true;
}

}  // namespace stele::documents
