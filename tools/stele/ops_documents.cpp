// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/error.h"
#include "engine/documents/revision.h"
#include "tools/stele/aggregate_request.h"
#include "tools/stele/bulk_request.h"
#include "tools/stele/operation.h"
#include "tools/stele/search_request.h"
#include "tools/stele/session.h"

#include <algorithm>

namespace stele::tool {

namespace {

// Reading

/// As in MongoDB a limit of 0 is none.
std::optional<std::uint64_t> limit_of(const Request& request) {
  const auto limit = request.number("limit");
  return limit == 0 ? std::nullopt : limit;
}

FindOptions find_options(const Request& request) {
  FindOptions options;
  options.sort = request.object("sort", "");
  options.skip = request.number("skip").value_or(0);
  options.limit = limit_of(request);
  options.projection = request.object("projection", "");
  if (request.has("hint"))  // keys or a name
    options.hint = request.raw("hint").front() == '{' ? std::string(request.object("hint")) : request.name_field("hint");
  return options;
}

void find(Session& session, const Request& request, Answer& answer) {
  const std::string name = request.name_field("collection");
  const std::string_view filter = request.object("filter", "{}");
  const FindOptions options = find_options(request);
  JsonArray documents;
  session.read(request, [&](const Snapshot& at) {
    Documents found = at.collection(name).find(filter, options);
    while (const auto document = found.next()) documents.add(*document);
  });
  answer.add_json("docs", std::move(documents).str());
}

void count(Session& session, const Request& request, Answer& answer) {
  const std::string name = request.name_field("collection");
  const std::string_view filter = request.object("filter", "{}");
  const std::uint64_t skip = request.number("skip").value_or(0);
  const auto limit = limit_of(request);
  std::uint64_t count = session.read(request, [&](const Snapshot& at) { return at.collection(name).count(filter); });
  count -= std::min(count, skip);
  answer.add("count", limit ? std::min(count, *limit) : count);
}

void distinct(Session& session, const Request& request, Answer& answer) {
  const std::string name = request.name_field("collection");
  const std::string path = request.name_field("field");
  const std::string_view filter = request.object("filter", "{}");
  JsonArray values;
  for (const std::string& value :
       session.read(request, [&](const Snapshot& at) { return at.collection(name).distinct(path, filter); }))
    values.add(value);
  answer.add_json("values", std::move(values).str());
}

// Writing

/// An update's operators, or its pipeline.
std::string_view update_of(const Request& request) {
  return request.raw("update").front() == '[' ? request.raw("update") : request.object("update");
}

std::string array_filters_of(const Request& request) {
  return request.has("arrayFilters") ? std::string(request.raw("arrayFilters")) : std::string();
}

void add_refusals(const BulkResult& result, std::string_view list, Answer& answer) {
  JsonArray errors;
  for (const BulkResult::Refusal& refusal : result.refusals) {
    JsonObject error;
    error.add("index", refusal.index);
    error.add_text("code", name(refusal.error.code()));
    error.add_text("message", wording(refusal.error));
    errors.add(error.str());
  }
  answer.add_json("errors", std::move(errors).str());
  if (result.refusals.empty()) return;
  const auto& [index, error] = result.refusals.front();
  answer.fail(Error(error.code(), text(list, "[", index, "]: ", wording(error)), error.detail()));
}

BulkResult run_bulk(Session& session, const Request& request, const std::vector<BulkOperation>& operations) {
  const std::string name = request.name_field("collection");
  const OnRefusal on_refusal = request.boolean("ordered", true) ? OnRefusal::stop : OnRefusal::go_on;
  return session.write(request,
                       [&](Transaction& tx) { return tx.collection(name).bulk_write(operations, on_refusal); });
}

/// What was inserted before (or, unordered, beside) a refused document stays: the answer says what.
void insert(Session& session, const Request& request, Answer& answer) {
  std::vector<BulkOperation> operations;
  for (const std::string_view document : request.array("docs"))
    operations.push_back(BulkOperation::insert_one(std::string(document)));
  const BulkResult result = run_bulk(session, request, operations);
  JsonArray ids;
  for (const auto& [index, id] : result.inserted_ids) ids.add(id.json());
  answer.add("inserted", result.inserted);
  answer.add_json("ids", std::move(ids).str());
  if (!result.refusals.empty()) add_refusals(result, "docs", answer);
}

std::string ids_by_index(const std::map<std::size_t, DocumentId>& ids) {
  JsonObject out;
  for (const auto& [index, id] : ids) out.add_json(std::to_string(index), id.json());
  return out.str();
}

/// As insert(): what was carried out before or beside a refused operation stays.
void bulk_write(Session& session, const Request& request, Answer& answer) {
  const BulkResult result = run_bulk(session, request, bulk_operations(request));
  answer.add("inserted", result.inserted);
  answer.add_json("inserted_ids", ids_by_index(result.inserted_ids));
  answer.add("matched", result.matched);
  answer.add("modified", result.modified);
  answer.add("deleted", result.deleted);
  answer.add("upserted", result.upserted_ids.size());
  answer.add_json("upserted_ids", ids_by_index(result.upserted_ids));
  add_refusals(result, "ops", answer);
}

void add_update(const UpdateResult& result, Answer& answer) {
  answer.add("matched", result.matched);
  answer.add("modified", result.modified);
  if (result.upserted_id) answer.add_json("upserted_id", result.upserted_id->json());
}

void update(Session& session, const Request& request, Answer& answer) {
  const std::string name = request.name_field("collection");
  const std::string_view filter = request.object("filter");
  const std::string_view change = update_of(request);
  const bool multi = request.boolean("multi", false);
  if (multi && request.has("sort")) request.refuse("sort", "is for an update of one document, not of \"multi\"");
  const UpdateOptions options{request.boolean("upsert", false), array_filters_of(request),
                              std::string(request.object("sort", ""))};
  const auto result = session.write(request, [&](Transaction& tx) {
    Collection collection = tx.collection(name);
    return multi ? collection.update_many(filter, change, options) : collection.update_one(filter, change, options);
  });
  add_update(result, answer);
}

void replace(Session& session, const Request& request, Answer& answer) {
  const std::string name = request.name_field("collection");
  const std::string_view filter = request.object("filter");
  const std::string_view replacement = request.object("replacement");
  const ReplaceOptions options{request.boolean("upsert", false), std::string(request.object("sort", ""))};
  add_update(
      session.write(request,
                    [&](Transaction& tx) { return tx.collection(name).replace_one(filter, replacement, options); }),
      answer);
}

void remove(Session& session, const Request& request, Answer& answer) {
  const std::string name = request.name_field("collection");
  const std::string_view filter = request.object("filter");
  const bool multi = request.boolean("multi", false);
  answer.add("deleted", session.write(request, [&](Transaction& tx) {
    Collection collection = tx.collection(name);
    return multi ? collection.remove_many(filter) : collection.remove_one(filter);
  }));
}

/// Which of update, replacement and remove a find_and_modify has.
std::string_view modification_of(const Request& request) {
  const bool removes = request.boolean("remove", false);
  if (removes + request.has("update") + request.has("replacement") != 1)
    request.refuse("update", "or \"replacement\" or \"remove\":true must be there, and one of them only");
  if (removes)
    for (const std::string_view other : {"new", "upsert", "arrayFilters"})
      if (request.has(other)) request.refuse(other, "cannot stand beside \"remove\"");
  if (!request.has("update") && request.has("arrayFilters")) request.refuse("arrayFilters", "needs \"update\"");
  return removes ? "remove" : request.has("update") ? "update" : "replacement";
}

std::optional<std::string> find_and_modify_in(Collection collection, const Request& request, std::string_view filter) {
  const std::string_view modification = modification_of(request);
  const std::string sort(request.object("sort", ""));
  const std::string projection(request.object("projection", ""));
  if (modification == "remove") return collection.find_one_and_delete(filter, {sort, projection});
  const ReturnDocument returns = request.boolean("new", false) ? ReturnDocument::after : ReturnDocument::before;
  const FindOneAndModifyOptions options{sort, projection, request.boolean("upsert", false), returns,
                                        array_filters_of(request)};
  if (modification == "update") return collection.find_one_and_update(filter, update_of(request), options);
  return collection.find_one_and_replace(filter, request.object("replacement"), options);
}

void find_and_modify(Session& session, const Request& request, Answer& answer) {
  const std::string name = request.name_field("collection");
  const std::string_view filter = request.object("filter", "{}");
  modification_of(request);
  const auto document =
      session.write(request, [&](Transaction& tx) { return find_and_modify_in(tx.collection(name), request, filter); });
  answer.add_json("doc", document.value_or("null"));
}

// Explaining

/// The find by which an operation reaches its documents.
FindOptions reach_of(const Request& request, std::string_view operation) {
  if (operation == "find") return find_options(request);
  FindOptions options;
  if (operation == "count") {
    options.skip = request.number("skip").value_or(0);
    options.limit = limit_of(request);
  }
  if (operation == "update" || operation == "find_and_modify")
    if (request.has("update")) documents::Revision::update(update_of(request), array_filters_of(request), {});
  if (request.has("replacement")) documents::Revision::replacement(request.object("replacement"), {});
  const bool one = operation == "replace" || operation == "find_and_modify" ||
                   ((operation == "update" || operation == "delete") && !request.boolean("multi", false));
  if (!one) return options;
  if (operation == "find_and_modify") modification_of(request);
  if (operation != "delete") options.sort = request.object("sort", "");
  options.limit = 1;
  return options;
}

void explain(Session& session, const Request& request, Answer& answer) {
  static constexpr std::string_view explained[] = {"find",    "count",  "distinct",        "update",
                                                   "replace", "delete", "find_and_modify", "aggregate", "search"};
  Request inner(request.object("request"));
  const std::string operation = inner.name();
  if (std::ranges::find(explained, operation) == std::end(explained))
    request.refuse("request", "must be a find, count, distinct, update, replace, delete, find_and_modify, aggregate or search");
  inner.check_fields(*find_operation(operation));
  for (const std::string_view outer : {"tx", "deadline_ms", "durability"})
    if (inner.has(outer)) inner.refuse(outer, "belongs to the explain, beside \"request\"");
  if (operation == "aggregate") return answer.add_json("plan", explain_aggregate(session, request, inner));
  if (operation == "search") return answer.add_json("plan", explain_search(session, request, inner));
  const std::string name = inner.name_field("collection");
  const std::string_view filter = inner.object("filter", "{}");
  const FindOptions options = reach_of(inner, operation);
  answer.add_json(
      "plan", session.read(request, [&](const Snapshot& at) { return at.collection(name).explain(filter, options); }));
}

}  // namespace

std::span<const Operation> document_operations() {
  using enum Operation::Tx;
  static const Operation operations[] = {
      {"insert",
       may,
       true,
       {"collection", "docs", "ordered"},
       {},
       R"({"op":"insert","collection":"articles","docs":[{"title":"Stones"}]})",
       insert},
      {"find",
       may,
       false,
       {"collection", "filter", "sort", "skip", "limit", "projection", "hint"},
       {},
       R"({"op":"find","collection":"articles","filter":{"title":"Stones"},"limit":10})",
       find},
      {"count",
       may,
       false,
       {"collection", "filter", "skip", "limit"},
       {},
       R"({"op":"count","collection":"articles","filter":{"title":"Stones"}})",
       count},
      {"distinct",
       may,
       false,
       {"collection", "field", "filter"},
       {},
       R"({"op":"distinct","collection":"articles","field":"tags"})",
       distinct},
      {"update",
       may,
       true,
       {"collection", "filter", "update", "multi", "upsert", "arrayFilters", "sort"},
       {},
       R"({"op":"update","collection":"articles","filter":{"_id":1},"update":{"$inc":{"reads":1}}})",
       update},
      {"replace",
       may,
       true,
       {"collection", "filter", "replacement", "upsert", "sort"},
       {},
       R"({"op":"replace","collection":"articles","filter":{"_id":1},"replacement":{"title":"Sand"}})",
       replace},
      {"delete",
       may,
       true,
       {"collection", "filter", "multi"},
       {},
       R"({"op":"delete","collection":"articles","filter":{"_id":1}})",
       remove},
      {"find_and_modify",
       may,
       true,
       {"collection", "filter", "update", "replacement", "remove", "new", "upsert", "sort", "projection",
        "arrayFilters"},
       {},
       R"({"op":"find_and_modify","collection":"jobs","filter":{"state":"new"},"sort":{"at":1},"update":{"$set":{"state":"taken"}},"new":true})",
       find_and_modify},
      {"bulk_write",
       may,
       true,
       {"collection", "ops", "ordered"},
       {},
       R"({"op":"bulk_write","collection":"articles","ops":[{"insertOne":{"document":{"_id":1}}},{"deleteMany":{"filter":{"draft":true}}}]})",
       bulk_write},
      {"explain",
       may,
       false,
       {"request"},
       {},
       R"({"op":"explain","request":{"op":"find","collection":"articles","filter":{"title":"Stones"}}})",
       explain},
  };
  return operations;
}

}  // namespace stele::tool
