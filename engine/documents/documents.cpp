// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/documents.h"

#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/documents/bulk_insert.h"
#include "engine/documents/expiry.h"
#include "engine/documents/find.h"
#include "engine/documents/first_match.h"
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
  model::append_sort_element(out, id);
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

namespace {
model::Date now_of(const Reader& reader) { return model::Date{reader.time_us() / 1000}; }
}  // namespace

std::unique_ptr<Cursor> Documents::find(Reader& reader, Query query) const {
  query.filter.set_now(now_of(reader));
  return make_cursor(reader, definition(reader), std::move(query));
}

std::uint64_t Documents::count(Reader& reader, model::Filter& filter) const {
  filter.set_now(now_of(reader));
  const model::Sort any;
  const std::vector<model::Path> nothing;
  Matches matches(reader, definition(reader), {filter, any, std::nullopt, {}}, Pace::to_the_end, &nothing);
  std::uint64_t count = 0;
  while (matches.next()) ++count;
  return count;
}

std::vector<std::string> Documents::distinct(Reader& reader, std::string_view path, model::Filter& filter) const {
  filter.set_now(now_of(reader));
  model::Distinct values(path);
  const model::Sort any;
  Matches matches(reader, definition(reader), {filter, any, std::nullopt, {}}, Pace::to_the_end);
  model::Parser parser;
  while (matches.next()) values.add(parser.parse(matches.document()));
  std::vector<std::string> out;
  for (const model::Value& value : values.values()) out.push_back(model::to_json(value));
  return out;
}

std::string Documents::explain(Reader& reader, Query query) const {
  query.filter.set_now(now_of(reader));
  return documents::explain(reader, definition(reader), std::move(query));
}

namespace {

/// The document at a key, if one is there that has not expired; `stored` has the expired one, too.
bool present(Transaction& transaction, const Definition& collection, const std::string& key,
             std::optional<std::string>& stored) {
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
    fail_duplicate_id(collection_, id);
  Writer(transaction, *collection).put(key, stored, document);
}

model::Value Documents::insert(Transaction& transaction, std::string_view document) const {
  model::NewDocument fresh = model::new_document(document, limits_);
  insert_new(transaction, fresh.id, fresh.text);
  return std::move(fresh.id);
}

std::vector<model::Value> Documents::insert_many(Transaction& transaction, std::span<const std::string> documents) const {
  if (documents.empty()) return {};
  Checked checked = check_documents(documents, limits_);
  bulk_insert(transaction, *catalog_.find_or_create(transaction, Kind::collection, collection_), checked);
  std::vector<model::Value> ids;
  ids.reserve(checked.documents.size());
  for (model::NewDocument& document : checked.documents) ids.push_back(std::move(document.id));
  return ids;
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
  const Revision revision = Revision::replacement(document, limits_);
  const auto collection = definition(transaction);
  if (!collection) return false;
  const std::string key = document_key(collection->id, id);
  std::optional<std::string> stored;
  if (!present(transaction, *collection, key, stored)) return false;
  if (const auto replaced = revision.apply(*stored, {})) Writer(transaction, *collection).put(key, stored, *replaced);
  return true;
}

Documents::Revised Documents::revise_one(Transaction& transaction, model::Filter& filter, const model::Sort& sort,
                                         const Revision& revision, bool upsert) const {
  if (upsert) check_upsert_filter(filter);
  const model::UpdateContext context{&filter, now_of(transaction), false, limits_};
  filter.set_now(context.now);
  Revised result;
  const auto collection = definition(transaction);
  if (auto match = first_match(transaction, collection, filter, sort)) {
    auto changed = revision.apply(match->document, context);
    if (changed) Writer(transaction, *collection).put(match->key, match->document, *changed);
    result.modified = changed.has_value();
    result.after = changed ? std::move(changed) : match->document;
    result.before = std::move(match->document);
  } else if (upsert) {
    model::NewDocument fresh = revision.upserted(context);
    insert_new(transaction, fresh.id, fresh.text);
    result.after = std::move(fresh.text);
    result.upserted_id = std::move(fresh.id);
  }
  return result;
}

Documents::Updated Documents::update_many(Transaction& transaction, model::Filter& filter, const Revision& update,
                                          bool upsert) const {
  if (upsert) check_upsert_filter(filter);
  const model::UpdateContext context{&filter, now_of(transaction), false, limits_};
  filter.set_now(context.now);
  Updated result;
  if (const auto collection = definition(transaction)) {
    const model::Sort any;
    Matches matches(transaction, collection, {filter, any, std::nullopt, {}}, Pace::to_the_end);
    Writer writer(transaction, *collection);
    while (matches.next()) {
      ++result.matched;
      if (const auto changed = update.apply(matches.document(), context)) {
        writer.put(matches.key(), matches.document(), *changed);
        ++result.modified;
      }
    }
  }
  if (result.matched > 0 || !upsert) return result;
  model::NewDocument fresh = update.upserted(context);
  insert_new(transaction, fresh.id, fresh.text);
  result.upserted_id = std::move(fresh.id);
  return result;
}

std::uint64_t Documents::remove_many(Transaction& transaction, model::Filter& filter) const {
  filter.set_now(now_of(transaction));
  const auto collection = definition(transaction);
  if (!collection) return 0;
  const model::Sort any;
  Matches matches(transaction, collection, {filter, any, std::nullopt, {}}, Pace::to_the_end);
  Writer writer(transaction, *collection);
  std::uint64_t removed = 0;
  for (; matches.next(); ++removed) writer.erase(matches.key(), matches.document());
  return removed;
}

std::optional<std::string> Documents::remove_one(Transaction& transaction, model::Filter& filter,
                                                 const model::Sort& sort) const {
  filter.set_now(now_of(transaction));
  const auto collection = definition(transaction);
  auto match = first_match(transaction, collection, filter, sort);
  if (!match) return std::nullopt;
  Writer(transaction, *collection).erase(match->key, match->document);
  return std::move(match->document);
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

}  // namespace stele::documents
