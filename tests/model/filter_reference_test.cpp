// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Random filters on random documents: the engine agrees with the reference, and with itself. The seed is printed;
// STELE_TEST_SEED replays it. What fails is made small before it is printed.
#include "engine/model/filter.h"
#include "tests/model/random_value.h"
#include "tests/model/reference_filter.h"
#include "tests/support/sanitized.h"
#include "tests/support/seed.h"

#include <stele/error.h>

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <map>

namespace stele::model {
namespace {

using testing::test_seed;

// Filters

template <class T, std::size_t n>
const T& one_of(Random& random, const T (&list)[n]) {
  return list[random() % n];
}

std::string random_path(Random& random) {
  static const std::string names[] = {"a", "b", "c"};
  static const std::string paths[] = {"a.b",   "b.c",   "a.0", "b.0.a", "a.b.0",  "a.b.c",
                                      "a.0.0", "a.1.b", "c.1", "b.a",   "a.0.b.0", "a.", "", "b.c.0", "c.0.1"};
  if (random() % 2) return one_of(random, names);
  return one_of(random, paths);
}

Array random_operands(Random& random, std::uint64_t least, std::uint64_t most) {
  Array list;
  for (std::uint64_t n = least + random() % (most - least + 1); n > 0; --n)
    list.push_back(random_small_value(random, 1));
  return list;
}

Value random_type(Random& random) {
  static const Value types[] = {"int",     "long", "double", "number", "string", "object", "array",
                                "binData", "bool", "date",   "null",   1,        2,        3.0,
                                4,         5,      8,        9,        10,       16,       18};
  return one_of(random, types);
}

Value random_operators(Random& random, int depth);
Value random_filter(Random& random, int depth);

Value random_elem_match(Random& random, int depth) {
  if (depth > 0 && random() % 2) return random_filter(random, depth - 1);
  return random_operators(random, depth - 1);
}

Value random_operand(Random& random, const std::string& op, int depth) {
  if (op == "$in" || op == "$nin") return random_operands(random, 0, 4);
  if (op == "$all") {
    if (random() % 2) return Array{random_small_value(random, 0)};
    if (depth == 0 || random() % 2) return random_operands(random, 0, 2);
    return Array{Object{{"$elemMatch", random_elem_match(random, depth)}}};
  }
  if (op == "$exists") return random() % 2 == 0;
  if (op == "$type") return random() % 3 ? random_type(random) : Value(Array{random_type(random), random_type(random)});
  if (op == "$mod") {
    const auto divisor = static_cast<std::int64_t>(random() % 3) + 1;
    return Array{random() % 4 ? divisor : -divisor, static_cast<std::int64_t>(random() % 3) - 1};
  }
  if (op == "$size") return static_cast<std::int64_t>(random() % 4);
  if (op == "$regex") {
    if (random() % 4 == 0) return Pattern{random() % 2 ? "^a" : "b", random() % 2 ? "i" : ""};
    static const Value patterns[] = {"a", "^a", "b$", "a.b", "^$", "[ab]", "^(a|b)", ""};
    return one_of(random, patterns);
  }
  if (op == "$not") return random() % 6 ? random_operators(random, depth - 1) : Value(Pattern{"^[aB]", "i"});
  if (op == "$elemMatch") return random_elem_match(random, depth);
  if (op.starts_with("$bits")) {
    if (random() % 2) return static_cast<std::int64_t>(random() % 4);
    Array positions;
    for (const std::uint64_t least : {0, 0, 60})
      if (random() % 2) positions.push_back(static_cast<std::int64_t>(least + random() % 8));
    return positions;
  }
  for (;;)
    if (Value operand = random_small_value(random, 1); op == "$eq" || operand.type() != Type::regex) return operand;
}

Value random_operators(Random& random, int depth) {
  static const std::string nested[] = {"$not", "$elemMatch"};
  static const std::string ops[] = {"$eq",   "$ne",  "$gt",         "$gte",          "$lt",         "$lte",
                                    "$in",   "$nin", "$exists",     "$type",         "$regex",      "$mod",
                                    "$size", "$all", "$bitsAllSet", "$bitsAllClear", "$bitsAnySet", "$bitsAnyClear"};
  Object operators;
  for (std::uint64_t n = random() % 3 ? 1 : 2; n > 0; --n) {
    const std::string op = depth > 0 && random() % 3 == 0 ? one_of(random, nested) : one_of(random, ops);
    if (Value(operators).find(op)) continue;
    operators.push_back({op, random_operand(random, op, depth)});
    if (op == "$regex" && operators.back().value.is_string() && random() % 2) operators.push_back({"$options", "i"});
  }
  return operators;
}

Value random_filter(Random& random, int depth) {
  static const std::string logic[] = {"$and", "$or", "$nor"};
  Object filter;
  for (std::uint64_t n = random() % 4 ? 1 : random() % 3; n > 0; --n) {
    std::string name = depth > 0 && random() % 4 == 0 ? one_of(random, logic) : random_path(random);
    if (Value(filter).find(name)) continue;
    Value operand;
    if (name[0] == '$') {
      Array filters;
      for (std::uint64_t k = 1 + random() % 2; k > 0; --k) filters.push_back(random_filter(random, depth - 1));
      operand = filters;
    } else {
      operand = random() % 4 ? random_operators(random, depth) : random_small_value(random, 1);
    }
    filter.push_back({std::move(name), std::move(operand)});
  }
  return filter;
}

// Shrinking

/// Every value that has one part less, or one smaller part.
std::vector<Value> smaller(const Value& value) {
  std::vector<Value> out;
  const std::size_t parts = value.is_array() ? value.array().size() : value.is_object() ? value.object().size() : 0;
  for (std::size_t i = 0; i < parts; ++i) {
    Value less = value;
    if (value.is_array())
      less.array().erase(less.array().begin() + static_cast<std::ptrdiff_t>(i));
    else
      less.object().erase(less.object().begin() + static_cast<std::ptrdiff_t>(i));
    out.push_back(std::move(less));
    const Value& part = value.is_array() ? value.array()[i] : value.object()[i].value;
    for (Value& small : smaller(part)) {
      Value changed = value;
      (value.is_array() ? changed.array()[i] : changed.object()[i].value) = std::move(small);
      out.push_back(std::move(changed));
    }
  }
  return out;
}

struct Pair {
  Value filter;
  Value document;
};

using Fails = std::function<bool(const Pair&)>;

std::vector<Pair> smaller(const Pair& pair) {
  std::vector<Pair> out;
  for (Value& filter : smaller(pair.filter)) out.push_back({std::move(filter), pair.document});
  for (Value& document : smaller(pair.document)) out.push_back({pair.filter, std::move(document)});
  return out;
}

Pair shrunk(Pair pair, const Fails& fails) {
  for (bool again = true; again;) {
    again = false;
    for (Pair& candidate : smaller(pair)) {
      bool still = false;
      try {
        still = fails(candidate);
      } catch (const Error&) {  // no filter any more
      }
      if (!still) continue;
      pair = std::move(candidate);
      again = true;
      break;
    }
  }
  return pair;
}

::testing::AssertionResult holds_for(const Pair& pair, const char* rule, const Fails& fails) {
  if (!fails(pair)) return ::testing::AssertionSuccess();
  const Pair small = shrunk(pair, fails);
  return ::testing::AssertionFailure() << rule << "\n  filter   " << to_json(small.filter) << "\n  document "
                                     << to_json(small.document) << "\n  engine says "
                                     << Filter::of(small.filter, "filter").matches(small.document);
}

bool engine_matches(const Value& filter, const Value& document) { return Filter::of(filter, "filter").matches(document); }

// The operator that stands alone in a filter on one path, or "".
std::string only_operator(const Value& filter) {
  if (filter.object().size() != 1) return "";
  const Value& operand = filter.object()[0].value;
  if (!is_operators(operand)) return "";
  const std::size_t operators = operand.object().size() - (operand.find("$options") ? 1 : 0);
  return operators == 1 ? operand.object()[0].name : "";
}

TEST(FilterReference, the_engine_agrees_with_it) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("STELE_TEST_SEED=" + std::to_string(seed));
  Random random(seed);
  std::map<std::string, std::pair<int, int>> seen;  // operator: matched, not
  Value last = Object();
  for (int i = 0; i < testing::cases(40'000); ++i) {
    // Each filter meets a few documents: most match few of them.
    const Pair pair{i % 4 ? last : random_filter(random, 3), random_small_object(random, 3)};
    last = pair.filter;
    ASSERT_TRUE(holds_for(pair, "the reference disagrees", [](const Pair& p) {
      return engine_matches(p.filter, p.document) != reference::matches(p.filter, p.document);
    }));
    if (const std::string op = only_operator(pair.filter); !op.empty())
      ++(engine_matches(pair.filter, pair.document) ? seen[op].first : seen[op].second);
  }
  for (const auto& [op, counts] : seen) {
    EXPECT_GT(counts.first, 0) << op << " never matched";
    EXPECT_GT(counts.second, 0) << op << " matched always";
  }
  EXPECT_EQ(seen.size(), 20u);  // each operator stood alone in some filter
}

TEST(FilterReference, the_engine_agrees_with_itself) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("STELE_TEST_SEED=" + std::to_string(seed));
  Random random(seed);
  const auto with = [](const char* op, const Value& filter) { return Value(Object{{op, Array{filter}}}); };
  for (int i = 0; i < testing::cases(4'000); ++i) {
    const Pair pair{random_filter(random, 2), random_small_object(random, 3)};
    ASSERT_TRUE(holds_for(pair, "a filter and its $nor split a collection", [&](const Pair& p) {
      return engine_matches(p.filter, p.document) == engine_matches(with("$nor", p.filter), p.document);
    }));
    ASSERT_TRUE(holds_for(pair, "$and and $or of one are that one", [&](const Pair& p) {
      return engine_matches(p.filter, p.document) != engine_matches(with("$and", p.filter), p.document) ||
             engine_matches(p.filter, p.document) != engine_matches(with("$or", p.filter), p.document);
    }));
    ASSERT_TRUE(holds_for(pair, "twice $nor is nothing", [&](const Pair& p) {
      return engine_matches(p.filter, p.document) != engine_matches(with("$nor", with("$nor", p.filter)), p.document);
    }));
    const Pair other{random_filter(random, 1), pair.document};
    const auto both = [](const char* op, const Value& a, const Value& b) { return Value(Object{{op, Array{a, b}}}); };
    ASSERT_TRUE(holds_for(pair, "not (a or b) is (not a) and (not b)", [&](const Pair& p) {
      return engine_matches(both("$nor", p.filter, other.filter), p.document) !=
             engine_matches(both("$and", with("$nor", p.filter), with("$nor", other.filter)), p.document);
    }));
    ASSERT_TRUE(holds_for(pair, "$and and $or do not care for order", [&](const Pair& p) {
      return engine_matches(both("$and", p.filter, other.filter), p.document) != engine_matches(both("$and", other.filter, p.filter), p.document) ||
             engine_matches(both("$or", p.filter, other.filter), p.document) != engine_matches(both("$or", other.filter, p.filter), p.document);
    }));
    ASSERT_TRUE(holds_for(pair, "text and value are one document", [&](const Pair& p) {
      Scratch scratch;
      return engine_matches(p.filter, p.document) != Filter::of(p.filter, "filter").matches_json(to_json(p.document), scratch);
    }));
  }
}

TEST(FilterReference, in_is_any_of_its_values_and_all_is_each) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("STELE_TEST_SEED=" + std::to_string(seed));
  Random random(seed);
  for (int i = 0; i < testing::cases(20'000); ++i) {
    const std::string path = random_path(random);
    const Array values = random_operands(random, 1, 4);
    const auto spread = [&](const char* op) {
      Array each;
      for (const Value& value : values) each.push_back(Object{{path, value}});
      return Value(Object{{op, each}});
    };
    const auto whole = [&](const char* op) { return Value(Object{{path, Object{{op, values}}}}); };
    const Value document = random_small_object(random, 3);
    const auto shown = [&] { return to_json(whole("$in")) + ' ' + to_json(document); };
    ASSERT_EQ(engine_matches(whole("$in"), document), engine_matches(spread("$or"), document)) << shown();
    ASSERT_EQ(engine_matches(whole("$nin"), document), engine_matches(spread("$nor"), document)) << shown();
    ASSERT_EQ(engine_matches(whole("$all"), document), engine_matches(spread("$and"), document)) << shown();
  }
}

TEST(FilterReference, not_is_the_complement) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("STELE_TEST_SEED=" + std::to_string(seed));
  Random random(seed);
  for (int i = 0; i < testing::cases(8'000); ++i) {
    const std::string path = random_path(random);
    const auto on_path = [&](const Value& operators) { return Value(Object{{path, operators}}); };
    const auto negated = [](const Value& operators) { return Value(Object{{"$not", operators}}); };
    const Pair pair{random_operators(random, 2), random_small_object(random, 3)};  // the filter: its operators
    if (!is_operators(pair.filter)) continue;
    const bool matched = engine_matches(on_path(pair.filter), pair.document);
    const auto shown = [&] { return to_json(on_path(pair.filter)) + ' ' + to_json(pair.document); };
    ASSERT_NE(matched, engine_matches(on_path(negated(pair.filter)), pair.document)) << shown();
    ASSERT_EQ(matched, engine_matches(on_path(negated(negated(pair.filter))), pair.document)) << shown();
  }
}

}  // namespace
}  // namespace stele::model
