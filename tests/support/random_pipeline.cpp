// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/support/random_pipeline.h"

#include <algorithm>
#include <cstdint>
#include <string>

namespace stele::pipeline {

using model::Array;
using model::Object;
using model::Value;

namespace {

template <std::size_t n>
Value one_of(Random& random, const char* const (&list)[n]) {
  return list[random() % n];
}

Value random_value(Random& random, int depth) {
  switch (random() % (depth > 0 ? 10 : 7)) {
    case 0: return nullptr;
    case 1:
    case 2: return static_cast<std::int64_t>(random() % 5);
    case 3: return static_cast<double>(random() % 9) / 2;
    case 4: return one_of(random, {"x", "y", "xy", ""});
    case 5: return random() % 2 == 0;
    case 6:
      if (random() % 4 == 0) return model::Pattern{"x", random() % 2 ? "i" : ""};
      return model::Date{static_cast<std::int64_t>(random() % 3)};
    case 7: {
      Object object;
      for (const char* name : {"a", "d"})
        if (random() % 2) object.push_back({name, random_value(random, depth - 1)});
      return object;
    }
    default: {
      Array array;
      for (std::uint64_t n = random() % 4; n > 0; --n) array.push_back(random_value(random, depth - 1));
      return array;
    }
  }
}

Value field(Random& random) { return one_of(random, {"a", "b", "c", "_id"}); }
Value own_field(Random& random) { return one_of(random, {"a", "b", "c", "n"}); }
Value reference_to(Random& random) {
  return one_of(random, {"$a", "$b", "$c", "$_id", "$a.d", "$b.a", "$$ROOT", "$n"});
}

Value random_expression(Random& random, int depth) {
  if (depth == 0 || random() % 3 == 0)
    return random() % 4 ? reference_to(random) : Value(static_cast<std::int64_t>(random() % 3));
  const auto inner = [&] { return random_expression(random, depth - 1); };
  switch (random() % 7) {
    case 0: return Object{{"$cond", Array{Object{{"$lt", Array{inner(), inner()}}}, inner(), inner()}}};
    case 1: return Object{{"$ifNull", Array{inner(), inner()}}};
    case 2: return Object{{"$type", inner()}};
    case 3: return Object{{"$eq", Array{inner(), inner()}}};
    case 4: return Object{{"$sum", Array{inner(), inner()}}};
    case 5: return Object{{"x", inner()}, {"y", inner()}};
    default: return Array{inner(), inner()};
  }
}

// In $set and $project an object would be read as paths.
Value random_computed(Random& random) { return Object{{"$cond", Array{true, random_expression(random, 2), 0}}}; }

Value random_match(Random& random) {
  const std::string path = one_of(random, {"a", "b", "c", "_id", "a.d", "b.0", "n"}).string();
  switch (random() % 7) {
    case 5: return Object{{"$expr", random() % 2 == 0}};  // reads nothing
    case 6:
      return random() % 4 ? Object{{"$nor", Array{Object{{"$alwaysFalse", 1}}}}} : Object{{"$nor", Array{Object()}}};
    case 0: return Object{{path, random_value(random, 1)}};
    case 1: return Object{{path, Object{{"$gte", static_cast<std::int64_t>(random() % 4)}}}};
    case 2: return Object{{path, Object{{"$exists", random() % 2 == 0}}}};
    case 3: return Object{{"$expr", Object{{"$gt", Array{reference_to(random), random_expression(random, 1)}}}}};
    default:
      return Object{{path, Object{{"$ne", nullptr}}},
                    {"_id", Object{{"$lt", static_cast<std::int64_t>(random() % 50)}}}};
  }
}

Value random_sort(Random& random) {
  Object spec = {{field(random).string(), random() % 2 ? 1 : -1}};
  if (random() % 2) spec.push_back({"n", 1});
  if (random() % 4) spec.push_back({spec[0].name == "_id" ? "b" : "_id", 1});
  return spec;
}

Value random_accumulator(Random& random) {
  const auto call = [](const Value& name, Value spec) { return Object{{name.string(), std::move(spec)}}; };
  const auto n = static_cast<std::int64_t>(random() % 4 + 1);
  switch (random() % 6) {
    case 0:
      return call(one_of(random, {"$topN", "$bottomN"}),
                  Object{{"n", n}, {"output", reference_to(random)}, {"sortBy", random_sort(random)}});
    case 1:
      return call(one_of(random, {"$top", "$bottom"}),
                  Object{{"output", reference_to(random)}, {"sortBy", random_sort(random)}});
    case 2:
      return call(one_of(random, {"$firstN", "$lastN", "$minN", "$maxN"}),
                  Object{{"input", reference_to(random)}, {"n", n}});
    case 3:
      if (random() % 2) return call("$median", Object{{"input", reference_to(random)}, {"method", "approximate"}});
      return call("$percentile",
                  Object{{"input", reference_to(random)}, {"p", Array{0.0, 0.3, 1.0}}, {"method", "approximate"}});
    case 4:
      if (random() % 2) return call("$count", Object());
      return call("$mergeObjects", random() % 2 ? "$$ROOT" : "$a");
    default:
      return call(one_of(random, {"$sum", "$avg", "$min", "$max", "$first", "$last", "$push", "$addToSet"}),
                  reference_to(random));
  }
}

// s is rounded by who uses it: its last digits depend on the order of addition.
Object random_outputs(Random& random) {
  Object fields;
  for (const char* name : {"a", "b", "n"})
    if (random() % 3) fields.push_back({name, random_accumulator(random)});
  if (random() % 4 == 0)
    fields.push_back({"s", Object{{random() % 2 ? "$stdDevPop" : "$stdDevSamp", reference_to(random)}}});
  return fields;
}

Value random_group(Random& random) {
  Object spec;
  switch (random() % 4) {
    case 0: spec.push_back({"_id", nullptr}); break;
    case 1: spec.push_back({"_id", Object{{"x", reference_to(random)}, {"y", reference_to(random)}}}); break;
    default: spec.push_back({"_id", random_expression(random, 1)}); break;
  }
  const Object fields = random_outputs(random);
  spec.insert(spec.end(), fields.begin(), fields.end());
  return spec;
}

Value random_bucket(Random& random) {
  Object spec = {
      {"groupBy", Object{{"$ifNull", Array{reference_to(random), 7}}}}, {"boundaries", Array{0, 1, 3}}, {"default", 9}};
  if (random() % 2) spec.push_back({"output", random_outputs(random)});
  return spec;
}

Value random_bucket_auto(Random& random) {
  Object spec = {{"groupBy", reference_to(random)}, {"buckets", static_cast<std::int64_t>(random() % 6 + 1)}};
  if (random() % 2) spec.push_back({"output", random_outputs(random)});
  return spec;
}

Value random_windows(Random& random) {
  Object spec, output;
  if (random() % 2) spec.push_back({"partitionBy", reference_to(random)});
  const bool one_field = random() % 2;
  spec.push_back({"sortBy", one_field ? Value(Object{{field(random).string(), 1}}) : random_sort(random)});
  if (one_field) output.push_back({"c", Object{{random() % 2 ? "$rank" : "$denseRank", Object()}}});
  if (random() % 2) output.push_back({"d", Object{{"$documentNumber", Object()}}});
  if (random() % 3 == 0)
    output.push_back({"b", Object{{"$shift", Object{{"output", reference_to(random)},
                                                    {"by", static_cast<std::int64_t>(random() % 5) - 2},
                                                    {"default", nullptr}}}}});
  for (const char* name : {"a", "n"}) {
    Value call = random_accumulator(random);
    const auto lower = static_cast<std::int64_t>(random() % 5) - 2;
    const Value begin = random() % 3 ? Value(lower) : Value("unbounded");
    const Value end = random() % 3 ? Value(lower + static_cast<std::int64_t>(random() % 3)) : Value("unbounded");
    if (random() % 4) call.object().push_back({"window", Object{{"documents", Array{begin, end}}}});
    output.push_back({name, std::move(call)});
  }
  spec.push_back({"output", std::move(output)});
  return spec;
}

Value random_graph_lookup(Random& random) {
  Object spec = {{"from", "d"},
                 {"startWith", reference_to(random)},
                 {"connectFromField", field(random)},
                 {"connectToField", field(random)},
                 {"as", own_field(random)}};
  if (random() % 2) spec.push_back({"maxDepth", static_cast<std::int64_t>(random() % 3)});
  if (random() % 2) spec.push_back({"depthField", "n"});
  if (random() % 3 == 0) spec.push_back({"restrictSearchWithMatch", random_match(random)});
  return spec;
}

// {"$$v" somewhere in a condition}, then any stages.
Value random_joined_pipeline(Random& random) {
  Value pipeline = random_pipeline(random, 0);
  const Value condition =
      Object{{"$expr", Object{{one_of(random, {"$eq", "$lt", "$gte"}).string(), Array{reference_to(random), "$$v"}}}}};
  const Value filters[] = {condition, Object{{"$or", Array{condition, Object{{"_id", 1}}}}},
                           Object{{"$nor", Array{condition}}},
                           Object{{"$and", Array{condition, random_match(random)}}}};
  Array& stages = pipeline.array();
  stages.insert(stages.begin() + static_cast<std::ptrdiff_t>(random() % (stages.size() + 1)),
                Object{{"$match", filters[random() % std::size(filters)]}});
  return pipeline;
}

Value random_stage(Random& random, int depth) {
  const auto stage = [](const char* name, Value spec) { return Value(Object{{name, std::move(spec)}}); };
  const auto few = [&] { return static_cast<std::int64_t>(random() % 20 + 1); };
  switch (random() % (depth > 0 ? 24 : 20)) {
    case 0:
    case 1:
    case 2: return stage("$match", random_match(random));
    case 3:
      return stage("$project",
                   Object{{"_id", static_cast<std::int64_t>(random() % 2)}, {"a", 1}, {"n", random_computed(random)}});
    case 4: return stage("$project", Object{{"b", 1}, {"c", random() % 2 ? Value(1) : reference_to(random)}});
    case 5: return stage("$set", Object{{own_field(random).string(), random_computed(random)}});
    case 6: return stage("$unset", own_field(random));
    case 7: return stage("$replaceWith", Object{{"_id", "$_id"}, {"b", random_expression(random, 1)}, {"a", "$a"}});
    case 8:
    case 9: return stage("$group", random_group(random));
    case 10: return stage("$sort", random_sort(random));
    case 11: return stage(random() % 2 ? "$limit" : "$skip", few());
    case 12: return stage("$unwind", "$" + own_field(random).string());
    case 13:
      return stage("$unwind", Object{{"path", "$" + own_field(random).string()}, {"preserveNullAndEmptyArrays", true}});
    case 14: return random() % 2 ? stage("$sortByCount", Value("$a")) : stage("$count", Value("n"));
    case 15: return stage("$bucket", random_bucket(random));
    case 16: return stage("$bucketAuto", random_bucket_auto(random));
    case 17: return stage("$setWindowFields", random_windows(random));
    case 18:
      return stage("$replaceRoot", Object{{"newRoot", Object{{"_id", "$_id"}, {"c", random_expression(random, 1)}}}});
    case 19: return stage("$addFields", Object{{own_field(random).string(), random_computed(random)}});
    case 20:
      if (random() % 2)
        return stage("$lookup", Object{{"from", "d"},
                                       {"let", Object{{"v", reference_to(random)}}},
                                       {"pipeline", random_joined_pipeline(random)},
                                       {"as", own_field(random)}});
      return stage("$lookup", Object{{"from", "d"},
                                     {"localField", field(random)},
                                     {"foreignField", field(random)},
                                     {"as", own_field(random)}});
    case 21: return stage("$graphLookup", random_graph_lookup(random));
    case 22: return stage("$unionWith", Object{{"coll", "d"}, {"pipeline", random_pipeline(random, depth - 1)}});
    default: return stage("$facet", Object{{"a", random_pipeline(random, 0)}, {"b", random_pipeline(random, 0)}});
  }
}

Value with_whole_integers(Value value) {
  if (value.is_number() && !value.is_integer() &&
      value.number() == static_cast<double>(static_cast<std::int64_t>(value.number())))
    return static_cast<std::int64_t>(value.number());
  if (value.is_array())
    for (Value& element : value.array()) element = with_whole_integers(std::move(element));
  if (value.is_object())
    for (model::Member& member : value.object()) member.value = with_whole_integers(std::move(member.value));
  return value;
}

}  // namespace

Array random_documents(Random& random, std::size_t count) {
  Array out;
  for (std::size_t i = 0; i < count; ++i) {
    Object document = {{"_id", static_cast<std::int64_t>(i)}};
    for (const char* name : {"a", "b", "c"})
      if (random() % 5) document.push_back({name, random_value(random, 2)});
    out.push_back(std::move(document));
  }
  return out;
}

Value random_pipeline(Random& random, int depth) {
  Array stages;
  for (std::uint64_t n = random() % 5; n > 0; --n) {
    stages.push_back(random_stage(random, depth));
    const auto [name, spec] = stages.back().object()[0];
    const bool unwinds = name == "$lookup" && random() % 2;  // which makes them one
    if (unwinds) stages.push_back(Object{{"$unwind", "$" + spec.find("as")->string()}});
    if (name == "$group" || name.starts_with("$bucket"))
      stages.push_back(Object{{"$set", Object{{"s", Object{{"$round", Array{"$s", 6}}}}}}});
  }
  return stages;
}

bool order_shows(const Value& pipeline) {
  const std::string text = model::to_json(pipeline);
  // A window over equal keys, and which of equal keys is at the top, are in the order read.
  for (const char* stage : {"$limit", "$skip", "$push", "$addToSet", "$first", "$last", "$facet", "$lookup",
                            "$graphLookup", "$mergeObjects", "$top", "$bottom", "$setWindowFields"})
    if (text.find(stage) != std::string::npos) return true;
  return false;
}

std::vector<std::string> as_a_set(const std::vector<std::string>& rows) {
  std::vector<std::string> out;
  for (const std::string& row : rows) out.push_back(model::to_json(with_whole_integers(model::parse(row))));
  std::ranges::sort(out);
  return out;
}

}  // namespace stele::pipeline
