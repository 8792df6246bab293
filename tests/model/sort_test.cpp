// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/sort.h"

#include "engine/model/compare.h"
#include "engine/model/distinct.h"
#include "tests/model/expression_case.h"
#include "tests/model/random_value.h"

#include <stele/error.h>

#include <gtest/gtest.h>

#include <algorithm>

namespace stele::model {
namespace {

void expect_order(std::string_view sort_json, const std::vector<std::string>& documents) {
  const Sort sort = Sort::parse(sort_json);
  for (std::size_t i = 0; i + 1 < documents.size(); ++i)
    EXPECT_LT(sort.compare(parse(documents[i]), parse(documents[i + 1])), 0) << documents[i] << ' ' << documents[i + 1];
}

TEST(Sort, arrays_count_by_their_smallest_or_greatest_element) {
  expect_order(R"({"a":1})",
               {R"({"a":[]})", R"({})", R"({"a":[5,1]})", R"({"a":2})", R"({"a":[3,4]})", R"({"a":[[0]]})"});
  expect_order(R"({"a":-1})",
               {R"({"a":[[0]]})", R"({"a":[5,1]})", R"({"a":[3,4]})", R"({"a":2})", R"({})", R"({"a":[]})"});
}

TEST(Sort, compound_and_dotted) {
  expect_order(R"({"a.b":1,"c":-1})",
               {R"({"c":1})", R"({"a":{"b":1},"c":2})", R"({"a":[{"b":9},{"b":1}],"c":1})", R"({"a":{"b":2},"c":3})"});
  expect_order(R"({"s":-1})", {R"({"s":"ab"})", R"({"s":"a\u0000"})", R"({"s":"a"})", R"({"s":""})"});
}

TEST(Sort, missing_is_null_and_equal_documents_tie) {
  const Sort sort = Sort::parse(R"({"a":1})");
  EXPECT_EQ(sort.compare(parse("{}"), parse(R"({"a":null})")), 0);
  EXPECT_EQ(sort.compare(parse(R"({"a":1})"), parse(R"({"a":1.0})")), 0);
  EXPECT_TRUE(Sort::parse("").empty());
  EXPECT_TRUE(Sort::parse("{}").empty());
}

TEST(Sort, refuses_what_is_no_order) {
  for (const char* sort :
       {"[]", R"({"a":0})", R"({"a":"asc"})", R"({"a":2})", R"({"a..b":1})", R"({"$a":1})", R"({"a":true})"})
    EXPECT_THROW(Sort::parse(sort), Error) << sort;
  try {
    Sort::parse(R"({"a":{"$meta":"textScore"}})");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
  }
}

TEST(Sort, paths_through_one_array_stay_together) {
  // Of the elements (1,9) and (2,0) the first tuple is (1,9), although the least c is 0.
  expect_order(R"({"a.b":1,"a.c":1})",
               {R"({"a":{"b":1,"c":5}})", R"({"a":[{"b":2,"c":0},{"b":1,"c":9}]})", R"({"a":{"b":1,"c":10}})"});
  expect_order(R"({"a.b":1,"a.c":-1})",
               {R"({"a":{"b":1,"c":10}})", R"({"a":[{"b":2,"c":99},{"b":1,"c":9}]})", R"({"a":{"b":1,"c":5}})"});
  expect_order(R"({"a.b.c":1})", {R"({"a":[{"b":[{"c":7},{"c":1}]},{"b":{"c":3}}]})", R"({"a":{"b":{"c":2}}})"});
}

TEST(Sort, elements_without_the_path_are_null) {
  const Sort sort = Sort::parse(R"({"a.b":1})");
  for (const char* document :
       {R"({"a":[]})", R"({"a":[5]})", R"({"a":[[{"b":1}]]})", R"({"a":5})", R"({"a":[{"b":1},{}]})"})
    EXPECT_EQ(sort.compare(parse(document), parse(R"({"a":{"b":null}})")), 0) << document;
}

TEST(Sort, indexes_in_paths) {
  expect_order(R"({"a.1":1})",
               {R"({"a":[9]})", R"({"a":[9,1]})", R"({"a":[0,2]})", R"({"a":{"1":3}})", R"({"a":[{"1":4}]})"});
  expect_order(R"({"a.0.b":1})", {R"({"a":[{"b":1},{"b":0}]})", R"({"a":[{"b":2}]})"});
}

TEST(Sort, parallel_arrays_are_refused) {
  const Sort sort = Sort::parse(R"({"a":1,"b":1})");
  std::string key;
  testing::expect_error(
      ErrorCode::invalid, [&] { sort.append_key(key, parse(R"({"a":[1],"b":[2]})")); }, "\"a\"", "\"b\"");
  EXPECT_NO_THROW(sort.append_key(key, parse(R"({"a":[1],"b":2})")));
  EXPECT_NO_THROW(Sort::parse(R"({"a.b":1,"a.c":1})").append_key(key, parse(R"({"a":[{"b":[1],"c":2}]})")));
  EXPECT_THROW(Sort::parse(R"({"a.b":1,"a.c":1})").append_key(key, parse(R"({"a":[{"b":[1],"c":[2]}]})")), Error);
}

// The rule for a path of one step, told a second time.
Value chosen(const Value& field, bool descending) {
  if (!field.is_array()) return field;
  const auto less = [](const Value& a, const Value& b) { return compare(a, b) < 0; };
  return descending ? *std::ranges::max_element(field.array(), less) : *std::ranges::min_element(field.array(), less);
}

TEST(Sort, agrees_with_a_second_telling_of_the_rules) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE(seed);
  Random random(seed);
  const Sort up = Sort::parse(R"({"a":1})"), down = Sort::parse(R"({"a":-1})");
  const auto sign = [](int c) { return (c > 0) - (c < 0); };
  for (int i = 0; i < 5000; ++i) {
    const Value a = random_value(random), b = random_value(random);
    if ((a.is_array() && a.array().empty()) || (b.is_array() && b.array().empty())) continue;
    const Value left = Object{{"a", a}}, right = Object{{"a", b}};
    ASSERT_EQ(sign(up.compare(left, right)), sign(compare(chosen(a, false), chosen(b, false))))
        << to_json(a) << ' ' << to_json(b);
    ASSERT_EQ(sign(down.compare(left, right)), -sign(compare(chosen(a, true), chosen(b, true))))
        << to_json(a) << ' ' << to_json(b);
  }
}

TEST(Distinct, collects_values_once_in_the_order_of_their_appearance) {
  Distinct distinct("a.b");
  for (const char* document : {R"({"a":{"b":2}})", R"({"a":{"b":[1,2.0,[3],[3]]}})", R"({"a":[{"b":null},{"b":5},{}]})",
                               R"({"a":5})", "{}", R"({"a":{"b":[]}})", R"({"a":[{"b":[6,1]}]})"})
    distinct.add(parse(document));
  EXPECT_EQ(to_json(distinct.values()), "[2,1,[3],null,5,6]");
}

TEST(Distinct, takes_a_number_behind_an_array_for_an_index_only) {
  Distinct distinct("a.0");
  for (const char* document : {R"({"a":[[1,2],[3]]})", R"({"a":[{"0":"m"}]})", R"({"a":{"0":"n"}})", R"({"a":[]})"})
    distinct.add(parse(document));
  EXPECT_EQ(to_json(distinct.values()), R"([1,2,{"0":"m"},"n"])");
}

TEST(Distinct, refuses_bad_paths_and_too_much) {
  testing::expect_error(
      ErrorCode::invalid, [] { Distinct("a..b"); }, "a..b");
  testing::expect_error(
      ErrorCode::invalid, [] { Distinct("$a"); }, "'$'");
  Distinct distinct("a", 100);
  distinct.add(parse(R"({"a":"0123456789012345678901234567890123456789"})"));
  distinct.add(parse(R"({"a":"0123456789012345678901234567890123456789"})"));
  testing::expect_error(
      ErrorCode::too_large,
      [&] {
        distinct.add(Object{{"a", std::string(80, 'x')}});
      },
      "100 bytes");
}

}  // namespace
}  // namespace stele::model
