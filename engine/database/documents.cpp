// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/documents.h"
#include "engine/documents/indexes.h"

#include "engine/database/scope.h"
#include "engine/model/document.h"

#include <algorithm>

namespace stele {

using transaction::Reader;

namespace detail {

/// A cursor over documents, with what it reads from.
class DocumentSource {
 public:
  std::unique_ptr<Reader> latest;                          // outside a transaction
  std::shared_ptr<transaction::Transaction> transaction;  // inside one
  std::shared_ptr<DatabaseCore> core;
  std::unique_ptr<documents::Cursor> cursor;

  std::optional<std::string_view> next() {
    if (transaction) return transaction->guarded([&] { return cursor->next(); });
    core->store->check_open();
    return cursor->next();
  }
};

namespace {

model::Value parse_id(const DocumentId& id, const json::Limits& limits) {
  // Nearly every id is a short string without escapes: no need to take a JSON parser to it.
  const std::string_view json = id.json();
  if (json.size() >= 2 && json.size() <= 256 && json.front() == '"' && json.back() == '"') {
    const std::string_view content = json.substr(1, json.size() - 2);
    const bool plain = std::ranges::none_of(content, [](unsigned char c) { return c < 0x20 || c >= 0x80 || c == '"' || c == '\\'; });
    if (plain) return model::Value(content);
  }
  model::Value value = model::parse(json::minify(id.json(), limits, "_id"));
  model::check_id(value);
  return value;
}

DocumentId id_of(const model::Value& id) { return DocumentId::from_json(model::to_json(id)); }

documents::Documents verbs(const Scope& scope, const std::string& collection) {
  return documents::Documents(scope.core->catalog, collection, scope.core->limits);
}

documents::Indexes index_verbs(const Scope& scope, const std::string& collection) {
  return documents::Indexes(scope.core->catalog, collection, scope.core->limits);
}

}  // namespace
}  // namespace detail

using detail::id_of;
using detail::index_verbs;
using detail::parse_id;
using detail::verbs;

DocumentId::DocumentId(std::string_view text) { json::append_quoted(json_, text); }

std::string DocumentId::text() const { return json_.starts_with('"') ? json::unquoted(json_) : json_; }

Documents::Documents(std::unique_ptr<detail::DocumentSource> source) : source_(std::move(source)) {}
Documents::Documents(Documents&&) noexcept = default;
Documents& Documents::operator=(Documents&&) noexcept = default;
Documents::~Documents() = default;

std::optional<std::string_view> Documents::next() { return detail::held(source_, "documents")->next(); }

std::vector<std::string> Documents::all() {
  std::vector<std::string> documents;
  while (const auto document = next()) documents.emplace_back(*document);
  return documents;
}

const std::shared_ptr<detail::Scope>& CollectionReader::scope() const { return detail::held(scope_, "collection"); }

CollectionReader::CollectionReader(std::shared_ptr<detail::Scope> scope, std::string name)
    : scope_(std::move(scope)), name_(std::move(name)) {}

std::optional<std::string> CollectionReader::get(const DocumentId& id) const {
  const model::Value key = parse_id(id, scope()->core->limits);
  return scope()->read([&](Reader& reader) { return verbs(*scope(), name_).get(reader, key); });
}

Documents CollectionReader::find(std::string_view filter, const FindOptions& options) const {
  documents::Query query = documents::Query::parse(filter, options, scope()->core->limits);
  auto source = std::make_unique<detail::DocumentSource>();
  source->core = scope()->core;
  source->transaction = scope()->transaction;
  const auto open = [&](Reader& reader) { return verbs(*scope(), name_).find(reader, std::move(query)); };
  if (scope()->transaction) {
    source->cursor = scope()->read(open);
  } else {
    scope()->core->store->check_open();
    source->latest = scope()->core->store->latest(true);
    source->cursor = open(*source->latest);
  }
  return Documents(std::move(source));
}

std::optional<std::string> CollectionReader::find_one(std::string_view filter, FindOptions options) const {
  options.limit = 1;
  Documents found = find(filter, options);
  const auto document = found.next();
  if (!document) return std::nullopt;
  return std::string(*document);
}

std::uint64_t CollectionReader::count(std::string_view filter) const {
  const model::Filter parsed = model::Filter::parse(filter, scope()->core->limits);
  return scope()->read_at_one_moment([&](Reader& reader) { return verbs(*scope(), name_).count(reader, parsed); });
}

std::vector<std::string> CollectionReader::distinct(std::string_view path, std::string_view filter) const {
  const model::Filter parsed = model::Filter::parse(filter, scope()->core->limits);
  return scope()->read_at_one_moment([&](Reader& reader) { return verbs(*scope(), name_).distinct(reader, path, parsed); });
}

std::string CollectionReader::explain(std::string_view filter, const FindOptions& options) const {
  documents::Query query = documents::Query::parse(filter, options, scope()->core->limits);
  return scope()->read_at_one_moment([&](Reader& reader) { return verbs(*scope(), name_).explain(reader, std::move(query)); });
}

std::vector<std::string> CollectionReader::indexes() const {
  return scope()->read([&](Reader& reader) { return index_verbs(*scope(), name_).list(reader); });
}

DocumentId Collection::insert(std::string_view document) {
  return id_of(scope()->write([&](transaction::Transaction& own) { return verbs(*scope(), name_).insert(own, document); }));
}

std::vector<DocumentId> Collection::insert_many(std::span<const std::string> documents) {
  return scope()->write([&](transaction::Transaction& own) {
    std::vector<DocumentId> ids;
    ids.reserve(documents.size());
    for (const std::string& document : documents) ids.push_back(id_of(verbs(*scope(), name_).insert(own, document)));
    return ids;
  });
}

bool Collection::replace(const DocumentId& id, std::string_view document) {
  const model::Value key = parse_id(id, scope()->core->limits);
  return scope()->write(
      [&](transaction::Transaction& own) { return verbs(*scope(), name_).replace(own, key, document); });
}

void Collection::put(std::string_view document) {
  scope()->write([&](transaction::Transaction& own) { verbs(*scope(), name_).put(own, document); });
}

namespace detail {
namespace {
UpdateResult run_update(const Scope& scope, const std::string& name, std::string_view filter, std::string_view update,
                        bool many, const UpdateOptions& options) {
  const model::Filter parsed_filter = model::Filter::parse(filter, scope.core->limits);
  const model::Update parsed_update = model::Update::parse(update, options.array_filters, scope.core->limits);
  const auto done = scope.write([&](transaction::Transaction& own) {
    return verbs(scope, name).update(own, parsed_filter, parsed_update, many, options.upsert);
  });
  UpdateResult result{done.matched, done.modified, std::nullopt};
  if (done.upserted_id) result.upserted_id = id_of(*done.upserted_id);
  return result;
}

std::uint64_t run_remove(const Scope& scope, const std::string& name, std::string_view filter, bool many) {
  const model::Filter parsed = model::Filter::parse(filter, scope.core->limits);
  return scope.write([&](transaction::Transaction& own) { return verbs(scope, name).remove(own, parsed, many); });
}
}  // namespace
}  // namespace detail

UpdateResult Collection::update_one(std::string_view filter, std::string_view update, const UpdateOptions& options) {
  return detail::run_update(*scope(), name_, filter, update, false, options);
}

UpdateResult Collection::update_many(std::string_view filter, std::string_view update, const UpdateOptions& options) {
  return detail::run_update(*scope(), name_, filter, update, true, options);
}

bool Collection::remove(const DocumentId& id) {
  const model::Value key = parse_id(id, scope()->core->limits);
  return scope()->write([&](transaction::Transaction& own) { return verbs(*scope(), name_).remove(own, key); });
}

std::uint64_t Collection::remove_one(std::string_view filter) { return detail::run_remove(*scope(), name_, filter, false); }
std::uint64_t Collection::remove_many(std::string_view filter) { return detail::run_remove(*scope(), name_, filter, true); }

std::string Collection::create_index(std::string_view keys, const IndexOptions& options) {
  using Body = std::function<void(transaction::Transaction&)>;
  const documents::Indexes verbs = index_verbs(*scope(), name_);
  if (scope()->transaction)  // one statement: all of it, or nothing
    return scope()->write([&](transaction::Transaction& own) {
      return verbs.create([&](const Body& body) { body(own); }, keys, options);
    });
  std::string name = verbs.create([&](const Body& body) { scope()->write(body); }, keys, options);
  scope()->core->maintenance.look_again();
  return name;
}

bool Collection::drop_index(std::string_view index) {
  return scope()->write([&](transaction::Transaction& own) { return index_verbs(*scope(), name_).drop(own, index); });
}

bool Collection::drop() {
  return scope()->write([&](transaction::Transaction& own) { return verbs(*scope(), name_).drop(own); });
}

}  // namespace stele
