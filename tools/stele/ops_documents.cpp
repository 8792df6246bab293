// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/error.h"
#include "engine/documents/find.h"
#include "engine/model/document.h"
#include "tools/stele/operation.h"
#include "tools/stele/session.h"

namespace stele::tool {

namespace {

/// The document was refused, not the transaction.
bool concerns_document(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid:
    case ErrorCode::constraint:
    case ErrorCode::exists:
    case ErrorCode::too_large:
    case ErrorCode::out_of_range:
    case ErrorCode::unsupported: return true;
    default: return false;
  }
}

struct Inserted {
  std::vector<std::string> ids;
  std::optional<Error> first_failure;
  JsonArray failures;
};

Inserted insert_each(Collection collection, const std::vector<std::string_view>& documents, bool ordered) {
  Inserted result;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    try {
      result.ids.push_back(collection.insert(documents[i]).json());
    } catch (const Error& error) {
      if (!concerns_document(error.code())) throw;
      JsonObject failure;
      failure.add("index", i);
      failure.add_text("code", name(error.code()));
      failure.add_text("message", wording(error));
      result.failures.add(failure.str());
      if (!result.first_failure)
        result.first_failure.emplace(error.code(), text("docs[", i, "]: ", wording(error)), error.detail());
      if (ordered) break;
    }
  }
  return result;
}

/// What was inserted before (or, unordered, beside) a refused document stays: the answer says what.
void insert(Session& session, const Request& request, Answer& answer) {
  const std::string name = request.name_field("collection");
  const auto documents = request.array("docs");
  const bool ordered = request.boolean("ordered", true);
  Inserted result =
      session.write(request, [&](Transaction& tx) { return insert_each(tx.collection(name), documents, ordered); });
  JsonArray ids;
  for (const std::string& id : result.ids) ids.add(id);
  answer.add("inserted", result.ids.size());
  answer.add_json("ids", std::move(ids).str());
  if (!result.first_failure) return;
  answer.fail(*result.first_failure);
  answer.add_json("errors", std::move(result.failures).str());
}

void find(Session& session, const Request& request, Answer& answer) {
  const std::string name = request.name_field("collection");
  const std::string_view filter = request.object("filter", "{}");
  FindOptions options;
  options.sort = request.object("sort", "");
  options.skip = request.number("skip").value_or(0);
  options.limit = request.number("limit");
  options.projection = request.object("projection", "");
  options.hint = request.has("hint") ? request.name_field("hint") : std::string();
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
  const auto limit = request.number("limit");
  std::uint64_t count = session.read(request, [&](const Snapshot& at) { return at.collection(name).count(filter); });
  count -= std::min(count, skip);
  answer.add("count", limit ? std::min(count, *limit) : count);
}

void add_update(const UpdateResult& result, Answer& answer) {
  answer.add("matched", result.matched);
  answer.add("modified", result.modified);
  if (result.upserted_id) answer.add_json("upserted_id", result.upserted_id->json());
}

void update(Session& session, const Request& request, Answer& answer) {
  const std::string name = request.name_field("collection");
  const std::string_view filter = request.object("filter");
  const std::string_view change = request.raw("update").front() == '[' ? request.raw("update") : request.object("update");
  const bool multi = request.boolean("multi", false);
  const UpdateOptions options{request.boolean("upsert", false), request.has("arrayFilters") ? std::string(request.raw("arrayFilters")) : std::string()};
  const auto result = session.write(request, [&](Transaction& tx) {
    Collection collection = tx.collection(name);
    return multi ? collection.update_many(filter, change, options) : collection.update_one(filter, change, options);
  });
  add_update(result, answer);
}

/// The `_id` stands first in every stored document.
DocumentId id_of(std::string_view document) {
  return DocumentId::from_json(std::string(members(document).front().value));
}

DocumentId upsert_replacement(Collection& collection, std::string_view filter, std::string_view replacement) {
  const auto id = model::id_equality(model::Filter::parse(filter));
  if (!id) return collection.insert(replacement);
  return collection.insert(documents::replacement(*id, replacement, {}, collection.name()));
}

UpdateResult replace_first(Collection collection, std::string_view filter, std::string_view replacement, bool upsert) {
  UpdateResult result;
  const auto before = collection.find_one(filter);
  if (before) {
    const DocumentId id = id_of(*before);
    result.matched = collection.replace(id, replacement) ? 1 : 0;
    result.modified = collection.get(id) != before ? 1 : 0;
  } else if (upsert) {
    result.upserted_id = upsert_replacement(collection, filter, replacement);
  } else {
    // A replacement that could never be stored is refused also when nothing matches.
    model::new_document(replacement);
  }
  return result;
}

void replace(Session& session, const Request& request, Answer& answer) {
  const std::string name = request.name_field("collection");
  const std::string_view filter = request.object("filter");
  const std::string_view replacement = request.object("replacement");
  const bool upsert = request.boolean("upsert", false);
  add_update(
      session.write(request,
                    [&](Transaction& tx) { return replace_first(tx.collection(name), filter, replacement, upsert); }),
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

void create_index(Session& session, const Request& request, Answer& answer) {
  const std::string name = request.name_field("collection");
  const std::string_view keys = request.object("keys");
  IndexOptions options;
  options.name = request.has("name") ? request.name_field("name") : std::string();
  options.unique = request.boolean("unique", false);
  options.sparse = request.boolean("sparse", false);
  options.partial_filter = request.object("partial_filter", "");
  if (const auto seconds = request.number("expire_after_seconds")) options.expire_after_seconds = static_cast<std::int64_t>(*seconds);
  // Without a transaction it is built in batches, each a transaction of its own.
  Collection collection = request.has("tx") ? session.transaction(request).collection(name) : session.database().collection(name);
  answer.add_text("name", collection.create_index(keys, options));
}

void drop_index(Session& session, const Request& request, Answer& answer) {
  const std::string name = request.name_field("collection");
  const std::string index = request.name_field("name");
  answer.add_boolean("dropped", session.write(request, [&](Transaction& tx) { return tx.collection(name).drop_index(index); }));
}

void indexes(Session& session, const Request& request, Answer& answer) {
  const std::string name = request.name_field("collection");
  JsonArray all;
  for (const std::string& index : session.read(request, [&](const Snapshot& at) { return at.collection(name).indexes(); }))
    all.add(index);
  answer.add_json("indexes", std::move(all).str());
}

void drop(Session& session, const Request& request, Answer& answer) {
  const std::string name = request.name_field("collection");
  answer.add_boolean("dropped", session.write(request, [&](Transaction& tx) { return tx.collection(name).drop(); }));
}

void collections(Session& session, const Request& request, Answer& answer) {
  answer.add_texts("collections", session.read(request, [](const Snapshot& at) { return at.collections(); }));
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
      {"update",
       may,
       true,
       {"collection", "filter", "update", "multi", "upsert", "arrayFilters"},
       {"sort"},
       R"({"op":"update","collection":"articles","filter":{"_id":1},"update":{"$inc":{"reads":1}}})",
       update},
      {"replace",
       may,
       true,
       {"collection", "filter", "replacement", "upsert"},
       {"sort"},
       R"({"op":"replace","collection":"articles","filter":{"_id":1},"replacement":{"title":"Sand"}})",
       replace},
      {"delete",
       may,
       true,
       {"collection", "filter", "multi"},
       {},
       R"({"op":"delete","collection":"articles","filter":{"_id":1}})",
       remove},
      {"distinct",
       may,
       false,
       {"collection", "field", "filter"},
       {},
       R"({"op":"distinct","collection":"articles","field":"tags"})",
       distinct},
      {"create_index",
       may,
       true,
       {"collection", "keys", "name", "unique", "sparse", "partial_filter", "expire_after_seconds"},
       {},
       R"({"op":"create_index","collection":"articles","keys":{"author":1,"published":-1}})",
       create_index},
      {"drop_index",
       may,
       true,
       {"collection", "name"},
       {},
       R"({"op":"drop_index","collection":"articles","name":"author_1_published_-1"})",
       drop_index},
      {"indexes", may, false, {"collection"}, {}, R"({"op":"indexes","collection":"articles"})", indexes},
      {"drop", may, true, {"collection"}, {}, R"({"op":"drop","collection":"articles"})", drop},
      {"collections", may, false, {}, {}, R"({"op":"collections"})", collections},
  };
  return operations;
}

}  // namespace stele::tool
