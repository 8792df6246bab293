// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/error.h"
#include "engine/database/collection_scope.h"
#include "engine/documents/bulk_load.h"
#include "engine/documents/bulk_write.h"
#include "engine/documents/revision.h"

namespace stele {

using detail::id_of;
using detail::parse_id;
using detail::verbs;
using documents::Revision;

DocumentId Collection::insert(std::string_view document) {
  return id_of(
      scope()->write([&](transaction::Transaction& own) { return verbs(*scope(), name_).insert(own, document); }));
}

std::vector<DocumentId> Collection::insert_many(std::span<const std::string> documents) {
  return scope()->write([&](transaction::Transaction& own) {
    std::vector<DocumentId> ids;
    ids.reserve(documents.size());
    for (const model::Value& id : verbs(*scope(), name_).insert_many(own, documents)) ids.push_back(id_of(id));
    return ids;
  });
}

std::uint64_t Collection::bulk_load(const std::function<std::optional<std::string_view>()>& next) {
  if (scope()->transaction)
    fail(ErrorCode::invalid, "bulk_load: it commits transactions of its own; call it on the database's collection, or use insert_many",
         {{"reason", "InTransaction"}});
  const auto& core = scope()->core;
  core->store->check_open();
  return documents::bulk_load(*core->store, core->catalog, name_, next, core->limits, scope()->interrupt());
}

bool Collection::replace(const DocumentId& id, std::string_view document) {
  const model::Value key = parse_id(id, scope()->core->limits);
  return scope()->write(
      [&](transaction::Transaction& own) { return verbs(*scope(), name_).replace(own, key, document); });
}

void Collection::put(std::string_view document) {
  scope()->write([&](transaction::Transaction& own) { verbs(*scope(), name_).put(own, document); });
}

namespace {

constexpr std::string_view no_sort = "update_many: a sort is for the operations on one document; leave it out";

UpdateResult result_of(const documents::Documents::Revised& done) {
  UpdateResult result{done.before ? 1u : 0u, done.modified ? 1u : 0u, std::nullopt};
  if (done.upserted_id) result.upserted_id = id_of(*done.upserted_id);
  return result;
}

documents::Documents::Revised revise(const detail::Scope& scope, const std::string& name, std::string_view filter,
                                     std::string_view sort, const documents::Revision& revision, bool upsert) {
  model::Filter parsed_filter = model::Filter::parse(filter, scope.core->limits);
  const model::Sort parsed_sort = model::Sort::parse(sort, scope.core->limits);
  return scope.write([&](transaction::Transaction& own) {
    return verbs(scope, name).revise_one(own, parsed_filter, parsed_sort, revision, upsert);
  });
}

/// What a find_one_and_… returns of the document.
class Returned {
 public:
  Returned(std::string_view projection, const json::Limits& limits)
      : projection_(model::Projection::parse(projection, limits)) {}

  bool is_positional() const { return projection_.is_positional(); }
  std::optional<std::string> of(const std::optional<std::string>& document, const model::Filter& filter,
                                const transaction::Transaction& at) const {
    if (!document || projection_.empty()) return document;
    return model::to_json(
        projection_.apply(model::parse(*document), model::Date{at.time_us() / 1000}, &filter.root()));
  }

 private:
  model::Projection projection_;
};

std::optional<std::string> revise_and_return(const detail::Scope& scope, const std::string& name,
                                             std::string_view filter, const documents::Revision& revision,
                                             const FindOneAndModifyOptions& options) {
  model::Filter parsed_filter = model::Filter::parse(filter, scope.core->limits);
  const model::Sort sort = model::Sort::parse(options.sort, scope.core->limits);
  const Returned returned(options.projection, scope.core->limits);
  if (returned.is_positional() && options.returns == ReturnDocument::after)
    fail(ErrorCode::invalid,
         "find_one_and_modify: a positional projection tells which element the filter matched before; return the document "
         "before, or leave the $ out",
         {{"reason", "InvalidProjection"}});
  return scope.write([&](transaction::Transaction& own) {
    const auto done = verbs(scope, name).revise_one(own, parsed_filter, sort, revision, options.upsert);
    return returned.of(options.returns == ReturnDocument::after ? done.after : done.before, parsed_filter, own);
  });
}

}  // namespace

UpdateResult Collection::update_one(std::string_view filter, std::string_view update, const UpdateOptions& options) {
  const auto revision = Revision::update(update, options.array_filters, scope()->core->limits);
  return result_of(revise(*scope(), name_, filter, options.sort, revision, options.upsert));
}

UpdateResult Collection::update_many(std::string_view filter, std::string_view update, const UpdateOptions& options) {
  const json::Limits& limits = scope()->core->limits;
  if (!options.sort.empty())
    fail(ErrorCode::invalid, std::string(no_sort), {{"reason", "InvalidOption"}, {"option", "sort"}});
  model::Filter parsed_filter = model::Filter::parse(filter, limits);
  const auto revision = Revision::update(update, options.array_filters, limits);
  const auto done = scope()->write([&](transaction::Transaction& own) {
    return verbs(*scope(), name_).update_many(own, parsed_filter, revision, options.upsert);
  });
  UpdateResult result{done.matched, done.modified, std::nullopt};
  if (done.upserted_id) result.upserted_id = id_of(*done.upserted_id);
  return result;
}

UpdateResult Collection::replace_one(std::string_view filter, std::string_view replacement,
                                     const ReplaceOptions& options) {
  const auto revision = Revision::replacement(replacement, scope()->core->limits);
  return result_of(revise(*scope(), name_, filter, options.sort, revision, options.upsert));
}

std::optional<std::string> Collection::find_one_and_update(std::string_view filter, std::string_view update,
                                                           const FindOneAndModifyOptions& options) {
  const auto revision = Revision::update(update, options.array_filters, scope()->core->limits);
  return revise_and_return(*scope(), name_, filter, revision, options);
}

std::optional<std::string> Collection::find_one_and_replace(std::string_view filter, std::string_view replacement,
                                                            const FindOneAndModifyOptions& options) {
  if (!options.array_filters.empty())
    fail(ErrorCode::invalid, "find_one_and_replace: array filters are for updates; leave them out",
         {{"reason", "InvalidOption"}, {"option", "array_filters"}});
  const auto revision = Revision::replacement(replacement, scope()->core->limits);
  return revise_and_return(*scope(), name_, filter, revision, options);
}

std::optional<std::string> Collection::find_one_and_delete(std::string_view filter,
                                                           const FindOneAndDeleteOptions& options) {
  const json::Limits& limits = scope()->core->limits;
  model::Filter parsed_filter = model::Filter::parse(filter, limits);
  const model::Sort sort = model::Sort::parse(options.sort, limits);
  const Returned returned(options.projection, limits);
  return scope()->write([&](transaction::Transaction& own) {
    return returned.of(verbs(*scope(), name_).remove_one(own, parsed_filter, sort), parsed_filter, own);
  });
}

bool Collection::remove(const DocumentId& id) {
  const model::Value key = parse_id(id, scope()->core->limits);
  return scope()->write([&](transaction::Transaction& own) { return verbs(*scope(), name_).remove(own, key); });
}

std::uint64_t Collection::remove_one(std::string_view filter) {
  model::Filter parsed = model::Filter::parse(filter, scope()->core->limits);
  return scope()->write([&](transaction::Transaction& own) -> std::uint64_t {
    return verbs(*scope(), name_).remove_one(own, parsed, {}) ? 1 : 0;
  });
}

std::uint64_t Collection::remove_many(std::string_view filter) {
  model::Filter parsed = model::Filter::parse(filter, scope()->core->limits);
  return scope()->write([&](transaction::Transaction& own) { return verbs(*scope(), name_).remove_many(own, parsed); });
}

BulkResult Collection::bulk_write(std::span<const BulkOperation> operations, OnRefusal on_refusal) {
  return scope()->write([&](transaction::Transaction& own) {
    return documents::bulk_write(own, verbs(*scope(), name_), scope()->core->limits, operations, on_refusal);
  });
}

}  // namespace stele
