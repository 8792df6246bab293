// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/error.h"
#include "engine/model/update.h"
#include "tests/model/reference_update.h"
#include "tests/support/sanitized.h"
#include "tests/support/seed.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <map>
#include <random>

namespace stele::model {
namespace {

// Few names, indexes and values, so that paths meet what is there.
class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  Value document() {
    Object members;
    for (const char* name : {"a", "b", "c", "10"})
      if (below(4)) members.push_back({name, value(3)});
    return members;
  }

  Value update() {
    Object update;
    for (std::uint64_t n = 1 + below(3); n > 0; --n) {
      const char* op = pick({"$set", "$unset", "$inc", "$mul", "$min", "$max", "$push", "$pull", "$addToSet", "$pop",
                             "$rename", "$pullAll"});
      if (std::ranges::find(update, op, &Member::name) != update.end()) continue;
      const std::string path = this->path(std::string(op) == "$rename" ? 0 : 8);
      update.push_back({op, Object{{path, operand(op)}}});
      const std::string other = this->path(0);
      if (below(3) == 0 && other != path) update.back().value.object().push_back({other, operand(op)});
    }
    return update;
  }

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  const char* pick(std::initializer_list<const char*> list) { return list.begin()[below(list.size())]; }

  std::string path(std::uint64_t all_in) {
    std::string path = pick({"a", "b", "c", "10"});
    for (std::uint64_t n = below(3); n > 0; --n)
      path += all_in && below(all_in) == 0 ? ".$[]" : std::string(".") + pick({"a", "b", "0", "1", "3", "01"});
    return path;
  }

  Value number() {
    const auto small = static_cast<std::int64_t>(below(7)) - 3;
    if (below(40) == 0) return std::numeric_limits<std::int64_t>::max() - static_cast<std::int64_t>(below(3));
    if (below(40) == 0) return 1.5e308;
    return below(3) ? Value(small) : Value(static_cast<double>(small) / 2);
  }

  Value scalar() {
    switch (below(6)) {
      case 0: return nullptr;
      case 1: return below(2) == 0;
      case 2: return pick({"", "x", "y"});
      default: return number();
    }
  }

  Value value(int depth) {
    if (depth == 0 || below(3) == 0) return scalar();
    if (below(2)) return list(depth);
    Object members;
    for (const char* name : {"a", "b", "0", "01"})
      if (below(2)) members.push_back({name, value(depth - 1)});
    return members;
  }

  Value list(int depth) {
    Array array;
    for (std::uint64_t n = below(4); n > 0; --n) array.push_back(value(depth - 1));
    return array;
  }

  Value push_operand() {
    Object modifiers = {{"$each", list(1)}};
    if (below(2)) modifiers.push_back({"$position", static_cast<std::int64_t>(below(9)) - 4});
    if (below(2)) modifiers.push_back({"$sort", below(2) ? 1 : -1});
    if (below(2)) modifiers.push_back({"$slice", static_cast<std::int64_t>(below(9)) - 4});
    return modifiers;
  }

  Value operand(const std::string& op) {
    if (op == "$inc" || op == "$mul") return below(20) ? number() : scalar();
    if (op == "$pop") return below(2) ? 1 : -1;
    if (op == "$rename") return path(0);
    if (op == "$pullAll") return list(1);
    if (op == "$pull") return below(3) ? scalar() : list(1);
    if (op == "$push" && below(2)) return push_operand();
    if (op == "$addToSet" && below(2)) return Object{{"$each", list(1)}};
    return value(2);
  }

  std::mt19937_64 random_;
};

// The changed document's text; empty when refused, which must leave the document as it was. What is made of its stored
// text is the same.
std::optional<std::string> engine_update(const Value& document, const std::string& update, bool& modified) {
  const std::string before = to_json(document);
  Value changed = document;
  try {
    modified = Update::parse(update).apply(changed);
    EXPECT_EQ(Update::parse(update).apply_json(before).value_or(before), to_json(changed)) << before << " " << update;
  } catch (const Error& error) {
    EXPECT_EQ(to_json(changed), before) << update;
    EXPECT_NE(error.code(), ErrorCode::corrupt) << update;
    EXPECT_THROW(Update::parse(update).apply_json(before), Error) << before << " " << update;
    return std::nullopt;
  }
  return to_json(changed);
}

TEST(Update, does_what_a_plain_reference_does) {
  const std::uint64_t seed = testing::test_seed();
  SCOPED_TRACE("STELE_TEST_SEED=" + std::to_string(seed));
  Generator generator(seed);
  std::map<std::string, int> seen;
  for (int i = 0; i < testing::cases(8'000) && !::testing::Test::HasFailure(); ++i) {
    const Value document = parse(to_json(generator.document()));
    const std::string update = to_json(generator.update());
    const auto expected = reference_update(document, parse(update));
    bool modified = false;
    const auto found = engine_update(document, update, modified);
    const std::string shown = to_json(document) + " " + update;
    ASSERT_EQ(found.has_value(), expected.has_value()) << shown << " engine: " << found.value_or("refused")
                                                       << " reference: " << (expected ? to_json(*expected) : "refused");
    ++seen[!expected ? "refused" : modified ? "modified" : "same"];
    if (!expected) continue;
    ASSERT_EQ(*found, to_json(*expected)) << shown;
    ASSERT_EQ(modified, *found != to_json(document)) << shown;
  }
  for (const char* outcome : {"refused", "modified", "same"}) EXPECT_GT(seen[outcome], testing::cases(300)) << outcome;
}

}  // namespace
}  // namespace stele::model
