// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/support/random_pipeline.h"

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
  switch (random() % 5) {
    case 0: return Object{{path, random_value(random, 1)}};
    case 1: return Object{{path, Object{{"$gte", static_cast<std::int64_t>(random() % 4)}}}};
    case 2: return Object{{path, Object{{"$exists", random() % 2 == 0}}}};
    case 3: return Object{{"$expr", Object{{"$gt", Array{reference_to(random), random_expression(random, 1)}}}}};
    default:
      return Object{{path, Object{{"$ne", nullptr}}},
                    {"_id", Object{{"$lt", static_cast<std::int64_t>(random() % 50)}}}};
  }
}

Value random_group(Random& random) {
  Object spec;
  switch (random() % 4) {
    case 0: spec.push_back({"_id", nullptr}); break;
    case 1: spec.push_back({"_id", Object{{"x", reference_to(random)}, {"y", reference_to(random)}}}); break;
    default: spec.push_back({"_id", random_expression(random, 1)}); break;
  }
  for (const char* name : {"a", "b", "n"})
    if (random() % 3)
      spec.push_back(
          {name,
           Object{{one_of(random, {"$sum", "$avg", "$min", "$max", "$first", "$last", "$push", "$addToSet"}).string(),
                   reference_to(random)}}});
  return spec;
}

Value random_sort(Random& random) {
  Object spec = {{field(random).string(), random() % 2 ? 1 : -1}};
  if (random() % 2) spec.push_back({"n", 1});
  if (random() % 4) spec.push_back({spec[0].name == "_id" ? "b" : "_id", 1});
  return spec;
}

Value random_stage(Random& random, int depth) {
  const auto stage = [](const char* name, Value spec) { return Value(Object{{name, std::move(spec)}}); };
  const auto few = [&] { return static_cast<std::int64_t>(random() % 20 + 1); };
  switch (random() % (depth > 0 ? 18 : 15)) {
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
    case 15:
      return stage("$lookup", Object{{"from", "d"},
                                     {"localField", field(random)},
                                     {"foreignField", field(random)},
                                     {"as", own_field(random)}});
    case 16: return stage("$unionWith", Object{{"coll", "d"}, {"pipeline", random_pipeline(random, depth - 1)}});
    default: return stage("$facet", Object{{"a", random_pipeline(random, 0)}, {"b", random_pipeline(random, 0)}});
  }
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
  for (std::uint64_t n = random() % 5; n > 0; --n) stages.push_back(random_stage(random, depth));
  return stages;
}

}  // namespace stele::pipeline
