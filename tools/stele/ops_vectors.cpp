// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/error.h"
#include "engine/base/json.h"
#include "tools/stele/operation.h"
#include "tools/stele/search_request.h"
#include "tools/stele/session.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>

namespace stele::tool {

namespace {

constexpr std::string_view default_path = "vector";  // of an index that vector_create makes

std::string path_of(const Request& request) {
  return request.has("path") ? request.name_field("path") : std::string(default_path);
}

/// A collection by its name, or, as the shorter operations call it, an index.
std::string collection_of(const Request& request) {
  return request.name_field(request.has("collection") ? "collection" : "index");
}

std::vector<float> floats_of(const Request& request, std::string_view field, std::string_view json) {
  if (json.front() != '[') request.refuse(field, stele::text("must be an array of numbers, not ", kind_of(json)));
  std::vector<float> out;
  for (const std::string_view element : elements(json)) {
    if (kind_of(element) != "a number")
      request.refuse(field, stele::text("holds ", kind_of(element), "; it must hold numbers only"));
    out.push_back(static_cast<float>(std::strtod(std::string(element).c_str(), nullptr)));
  }
  return out;
}

/// The shortest text that gives the float again.
std::string shortest(float number) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, number).ptr};
}

VectorIndexOptions index_options(const Request& request, std::string_view dimensions) {
  VectorIndexOptions options;
  const auto figure = [&](std::string_view field, std::uint32_t otherwise) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(request.number(field).value_or(otherwise), UINT32_MAX));
  };
  if (!request.has(dimensions)) request.refuse(dimensions, "is missing, it must be a number");
  options.dimensions = figure(dimensions, 0);
  options.m = figure("m", options.m);
  options.ef_construction = figure("ef_construction", options.ef_construction);
  const std::string metric = request.has("metric") ? request.text("metric") : "cosine";
  if (metric != "l2" && metric != "cosine" && metric != "ip")
    request.refuse("metric", R"(must be "l2", "cosine" or "ip")");
  options.metric = metric == "l2" ? Metric::l2 : metric == "ip" ? Metric::ip : Metric::cosine;
  const std::string kept = request.has("quantization") ? request.text("quantization") : "int8";
  if (kept != "int8" && kept != "bf16" && kept != "none")
    request.refuse("quantization", R"(must be "int8", "bf16" or "none")");
  options.quantization = kept == "none" ? Quantization::none : kept == "bf16" ? Quantization::bf16 : Quantization::int8;
  return options;
}

/// Without a transaction it is filled in batches, each a transaction of its own.
Collection collection_to_build(Session& session, const Request& request, const std::string& name) {
  return request.has("tx") ? session.transaction(request).collection(name)
                           : session.database().collection(name, session.write_options(request));
}

void vector_create(Session& session, const Request& request, Answer&) {
  const std::string name = request.name_field("index");
  collection_to_build(session, request, name).create_vector_index(default_path, index_options(request, "dim"));
}

void create_vector_index(Session& session, const Request& request, Answer&) {
  const std::string name = request.name_field("collection");
  const std::string path = request.name_field("path");
  collection_to_build(session, request, name).create_vector_index(path, index_options(request, "dimensions"));
}

void drop_vector_index(Session& session, const Request& request, Answer& answer) {
  const std::string name = collection_of(request), path = path_of(request);
  answer.add_boolean(
      "dropped", session.write(request, [&](Transaction& tx) { return tx.collection(name).drop_vector_index(path); }));
}

void vector_indexes(Session& session, const Request& request, Answer& answer) {
  const std::string name = request.name_field("collection");
  JsonArray all;
  for (const std::string& index :
       session.read(request, [&](const Snapshot& at) { return at.collection(name).vector_indexes(); }))
    all.add(index);
  answer.add_json("indexes", std::move(all).str());
}

void wait_applied(Session& session, const Request& request, Answer& answer) {
  const std::string name = collection_of(request), path = path_of(request);
  const auto time = std::chrono::milliseconds(request.number("timeout_ms").value_or(60'000));
  answer.add_boolean("applied",
                     session.database().collection(name, session.write_options(request)).wait_applied(path, time));
}

/// {"_id":…, and what meta says}
std::string document_of(const Request& request, std::string_view id, std::string_view meta) {
  std::string out = stele::text("{\"_id\":", id);
  for (const RawMember& member : members(meta)) {
    if (member.name == "_id" || member.name == default_path)
      request.refuse("items", "has a meta with \"_id\" or \"vector\", which are the item's own");
    out += ',';
    json::append_quoted(out, member.name);
    out += ':';
    out += member.value;
  }
  return out + '}';
}

void vector_upsert(Session& session, const Request& request, Answer& answer) {
  struct Item {
    std::string id;
    std::vector<float> vector;
    std::string document;
  };
  const std::string name = request.name_field("index");
  std::vector<Item> items;
  for (const std::string_view json : request.array("items")) {
    if (json.front() != '{') request.refuse("items", "must hold objects {id, vector, meta}");
    std::string_view id, vector, meta = "{}";
    for (const RawMember& member : members(json)) {
      if (member.name != "id" && member.name != "vector" && member.name != "meta")
        request.refuse("items", "must hold objects {id, vector, meta}, and nothing else in them");
      (member.name == "id" ? id : member.name == "vector" ? vector : meta) = member.value;
    }
    if (id.empty() || vector.empty() || meta.front() != '{')
      request.refuse("items", "must hold objects {id, vector, meta}; meta is an object");
    items.push_back({std::string(id), floats_of(request, "items", vector), document_of(request, id, meta)});
  }
  session.write(request, [&](Transaction& tx) {
    Collection collection = tx.collection(name);
    for (const Item& item : items) {
      collection.put(item.document);
      collection.set_vector(default_path, DocumentId::from_json(item.id), item.vector);
    }
  });
  answer.add("count", items.size());
}

void set_vector(Session& session, const Request& request, Answer&) {
  const std::string name = request.name_field("collection"), path = path_of(request);
  const DocumentId id = DocumentId::from_json(std::string(request.raw("document")));
  if (request.raw("vector") == "null") {
    session.write(request, [&](Transaction& tx) { tx.collection(name).remove_vector(path, id); });
    return;
  }
  const std::vector<float> vector = floats_of(request, "vector", request.raw("vector"));
  session.write(request, [&](Transaction& tx) { tx.collection(name).set_vector(path, id, vector); });
}

void get_vector(Session& session, const Request& request, Answer& answer) {
  const std::string name = request.name_field("collection"), path = path_of(request);
  const DocumentId id = DocumentId::from_json(std::string(request.raw("document")));
  const auto vector = session.read(request, [&](const Snapshot& at) { return at.collection(name).vector(path, id); });
  if (!vector) return answer.add_json("vector", "null");
  std::string out;
  for (const float number : *vector) out += (out.empty() ? "[" : ",") + shortest(number);
  answer.add_json("vector", out + "]");
}

Neighbours find_nearest(const Request& request, const CollectionReader& collection, const std::string& path) {
  NearestOptions options;
  options.k = request.number("k").value_or(options.k);
  options.ef = request.number("ef").value_or(0);
  options.exact = request.boolean("exact", false);
  if (request.has("recall")) options.recall = std::strtod(std::string(request.raw("recall")).c_str(), nullptr);
  options.filter = request.object("filter", "");
  if (request.has("vector") == request.has("document"))
    request.refuse("vector", "or \"document\" (the _id of one) must be given, and not both");
  if (request.has("vector"))
    return collection.nearest(path, floats_of(request, "vector", request.raw("vector")), options);
  return collection.nearest_to(path, DocumentId::from_json(std::string(request.raw("document"))), options);
}

void search(Session& session, const Request& request, Answer& answer) {
  const std::string name = collection_of(request), path = path_of(request);
  std::string projection = "{\"_id\":0,";
  json::append_quoted(projection, path);
  projection += ":0}";
  JsonArray hits;
  session.read(request, [&](const Snapshot& at) {
    const CollectionReader collection = at.collection(name);
    const Neighbours found = find_nearest(request, collection, path);
    for (const auto& hit : found.hits) {
      JsonObject one;
      one.add_json("id", hit.id.json());
      one.add_json("distance", shortest(hit.distance));
      one.add_json("meta", collection.find_one(stele::text("{\"_id\":", hit.id.json(), "}"), {.projection = projection})
                               .value_or("null"));
      hits.add(one.str());
    }
    answer.add_json("hits", std::move(hits).str());
    answer.add_boolean("complete", found.complete);
    answer.add_text("strategy", found.strategy);
    answer.add("visited", found.visited);
  });
}

}  // namespace

std::string explain_search(Session& session, const Request& outer, const Request& search) {
  const std::string name = collection_of(search), path = path_of(search);
  return session.read(outer, [&](const Snapshot& at) {
    const CollectionReader collection = at.collection(name);
    const auto start = std::chrono::steady_clock::now();
    const Neighbours found = find_nearest(search, collection, path);
    const auto time = std::chrono::steady_clock::now() - start;
    JsonObject out;
    out.add_text("strategy", found.strategy);
    out.add_boolean("complete", found.complete);
    out.add("visited", found.visited);
    out.add("returned", found.hits.size());
    out.add("time_us", static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(time).count()));
    if (search.has("filter")) out.add_json("filter", collection.explain(search.object("filter")));
    for (const std::string& index : collection.vector_indexes()) {
      std::string part = "\"path\":";
      json::append_quoted(part, path);
      if (index.find(part + ",") != std::string::npos) out.add_json("index", index);
    }
    return out.str();
  });
}

std::span<const Operation> vector_operations() {
  using enum Operation::Tx;
  static const Operation operations[] = {
      {"vector_create",
       may,
       true,
       {"index", "dim", "metric", "m", "ef_construction", "quantization"},
       {},
       R"({"op":"vector_create","index":"notes","dim":2,"metric":"cosine"})",
       vector_create},
      {"vector_upsert",
       may,
       true,
       {"index", "items"},
       {},
       R"({"op":"vector_upsert","index":"notes","items":[{"id":1,"vector":[0.1,0.9],"meta":{"lang":"en"}}]})",
       vector_upsert},
      {"search",
       may,
       false,
       {"index", "collection", "path", "vector", "document", "k", "filter", "ef", "recall", "exact"},
       {},
       R"({"op":"search","index":"notes","vector":[0.1,0.9],"k":10,"filter":{"lang":"en"}})",
       search},
      {"create_vector_index",
       may,
       true,
       {"collection", "path", "dimensions", "metric", "m", "ef_construction", "quantization"},
       {},
       R"({"op":"create_vector_index","collection":"articles","path":"embedding","dimensions":2})",
       create_vector_index},
      {"set_vector",
       may,
       true,
       {"collection", "path", "document", "vector"},
       {},
       R"({"op":"set_vector","collection":"notes","path":"vector","document":1,"vector":[0.1,0.9]})",
       set_vector},
      {"get_vector",
       may,
       false,
       {"collection", "path", "document"},
       {},
       R"({"op":"get_vector","collection":"notes","path":"vector","document":1})",
       get_vector},
      {"vector_indexes",
       may,
       false,
       {"collection"},
       {},
       R"({"op":"vector_indexes","collection":"articles"})",
       vector_indexes},
      {"wait_applied",
       none,
       false,
       {"collection", "index", "path", "timeout_ms"},
       {},
       R"({"op":"wait_applied","collection":"articles","path":"embedding","timeout_ms":10000})",
       wait_applied},
      {"drop_vector_index",
       may,
       true,
       {"collection", "index", "path"},
       {},
       R"({"op":"drop_vector_index","collection":"articles","path":"embedding"})",
       drop_vector_index},
  };
  return operations;
}

}  // namespace stele::tool
