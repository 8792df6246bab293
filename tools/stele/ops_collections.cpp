// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/stele/operation.h"
#include "tools/stele/session.h"

namespace stele::tool {

namespace {

/// Those given in the request, in the place of those in `options`.
CollectionOptions collection_options(const Request& request, CollectionOptions options) {
  if (request.has("validator")) options.validator = request.object("validator");
  if (request.has("validation_action")) {
    const std::string action = request.text("validation_action");
    if (action != "error" && action != "warn") request.refuse("validation_action", "must be \"error\" or \"warn\"");
    options.validation_action = action == "warn" ? ValidationAction::warn : ValidationAction::error;
  }
  if (request.has("validation_level")) {
    const std::string level = request.text("validation_level");
    if (level != "strict" && level != "moderate")
      request.refuse("validation_level", "must be \"strict\" or \"moderate\"");
    options.validation_level = level == "moderate" ? ValidationLevel::moderate : ValidationLevel::strict;
  }
  return options;
}

void create_collection(Session& session, const Request& request, Answer&) {
  const std::string name = request.name_field("collection");
  const CollectionOptions options = collection_options(request, {});
  session.write(request, [&](Transaction& tx) { tx.collection(name).create(options); });
}

void modify_collection(Session& session, const Request& request, Answer&) {
  const std::string name = request.name_field("collection");
  session.write(request, [&](Transaction& tx) {
    Collection collection = tx.collection(name);
    collection.modify(collection_options(request, collection.options()));
  });
}

void rename(Session& session, const Request& request, Answer&) {
  const std::string name = request.name_field("collection");
  const std::string to = request.name_field("to");
  const RenameOptions options{request.boolean("drop_target", false)};
  session.write(request, [&](Transaction& tx) { tx.collection(name).rename(to, options); });
}

void analyze(Session& session, const Request& request, Answer& answer) {
  const std::string name = request.name_field("collection");
  AnalyzeOptions options;
  if (const auto sample = request.number("sample")) options.sample = *sample;
  answer.add_members(session.read(request, [&](const Snapshot& at) { return at.collection(name).analyze(options); }));
}

void create_index(Session& session, const Request& request, Answer& answer) {
  const std::string name = request.name_field("collection");
  const std::string_view keys = request.object("keys");
  IndexOptions options;
  options.name = request.has("name") ? request.name_field("name") : std::string();
  options.unique = request.boolean("unique", false);
  options.sparse = request.boolean("sparse", false);
  options.partial_filter = request.object("partial_filter", "");
  if (const auto seconds = request.number("expire_after_seconds"))
    options.expire_after_seconds = static_cast<std::int64_t>(*seconds);
  // Without a transaction it is built in batches, each a transaction of its own.
  Collection collection =
      request.has("tx") ? session.transaction(request).collection(name) : session.database().collection(name, session.write_options(request));
  answer.add_text("name", collection.create_index(keys, options));
}

void drop_index(Session& session, const Request& request, Answer& answer) {
  const std::string name = request.name_field("collection");
  const std::string index = request.name_field("name");
  answer.add_boolean("dropped",
                     session.write(request, [&](Transaction& tx) { return tx.collection(name).drop_index(index); }));
}

void indexes(Session& session, const Request& request, Answer& answer) {
  const std::string name = request.name_field("collection");
  JsonArray all;
  for (const std::string& index :
       session.read(request, [&](const Snapshot& at) { return at.collection(name).indexes(); }))
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

std::span<const Operation> collection_operations() {
  using enum Operation::Tx;
  static const Operation operations[] = {
      {"create_collection",
       may,
       true,
       {"collection", "validator", "validation_action", "validation_level"},
       {},
       R"({"op":"create_collection","collection":"orders","validator":{"$jsonSchema":{"required":["title"]}}})",
       create_collection},
      {"modify_collection",
       may,
       true,
       {"collection", "validator", "validation_action", "validation_level"},
       {},
       R"({"op":"modify_collection","collection":"articles","validation_action":"warn"})",
       modify_collection},
      {"rename",
       may,
       true,
       {"collection", "to", "drop_target"},
       {},
       R"({"op":"rename","collection":"articles","to":"papers"})",
       rename},
      {"drop", may, true, {"collection"}, {}, R"({"op":"drop","collection":"articles"})", drop},
      {"collections", may, false, {}, {}, R"({"op":"collections"})", collections},
      {"analyze",
       may,
       false,
       {"collection", "sample"},
       {},
       R"({"op":"analyze","collection":"articles","sample":1000})",
       analyze},
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
  };
  return operations;
}

}  // namespace stele::tool
