// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/filter.h"

#include <stele/error.h>

#include <gtest/gtest.h>

namespace stele::model {
namespace {

bool matches(std::string_view filter, std::string_view document) {
  const Filter compiled = Filter::parse(filter);
  Scratch scratch;
  const bool whole = compiled.matches(parse(document));
  EXPECT_EQ(compiled.matches_json(document, scratch), whole) << filter << ' ' << document;
  return whole;
}

#define MATCH(filter, document) EXPECT_TRUE(matches(filter, document)) << filter << ' ' << document
#define NO_MATCH(filter, document) EXPECT_FALSE(matches(filter, document)) << filter << ' ' << document

TEST(Filter, equality) {
  MATCH("{}", R"({"a":1})");
  MATCH(R"({"a":1})", R"({"a":1.0})");
  NO_MATCH(R"({"a":9007199254740993})", R"({"a":9007199254740992.0})");
  NO_MATCH(R"({"a":"1"})", R"({"a":1})");
  MATCH(R"({"a":{"b":1,"c":2}})", R"({"a":{"b":1,"c":2}})");
  NO_MATCH(R"({"a":{"b":1,"c":2}})", R"({"a":{"c":2,"b":1}})");
  MATCH(R"({"a":{"$date":"2026-01-01T00:00:00Z"}})", R"({"a":{"$date":"2026-01-01T01:00:00+01:00"}})");
  MATCH(R"({"a":{"$ne":1}})", R"({"b":1})");
  MATCH(R"({"":1})", R"({"":1})");
}

TEST(Filter, null_equals_missing_but_not_what_an_array_lacks) {
  MATCH(R"({"a":null})", R"({})");
  MATCH(R"({"a":null})", R"({"a":null})");
  MATCH(R"({"a":null})", R"({"a":[1,null]})");
  NO_MATCH(R"({"a":null})", R"({"a":[]})");
  MATCH(R"({"a.b":null})", R"({"a":5})");
  MATCH(R"({"a.b":null})", R"({"a":[{"b":1},{}]})");
  NO_MATCH(R"({"a.b":null})", R"({"a":[{"b":1}]})");
  NO_MATCH(R"({"a.b":null})", R"({"a":[]})");
  NO_MATCH(R"({"a.b":null})", R"({"a":[1,2]})");
  MATCH(R"({"a":{"$gte":null}})", R"({})");
  NO_MATCH(R"({"a":{"$gt":null}})", R"({"a":1})");
  NO_MATCH(R"({"a":{"$ne":null}})", R"({})");
}

TEST(Filter, exists) {
  MATCH(R"({"a":{"$exists":true}})", R"({"a":null})");
  MATCH(R"({"a":{"$exists":1}})", R"({"a":[]})");
  NO_MATCH(R"({"a":{"$exists":true}})", R"({})");
  MATCH(R"({"a.b":{"$exists":false}})", R"({"a":[{"c":1}]})");
  MATCH(R"({"a.0":{"$exists":true}})", R"({"a":[1]})");
  NO_MATCH(R"({"a.1":{"$exists":true}})", R"({"a":[1]})");
}

TEST(Filter, order_holds_within_one_type) {
  MATCH(R"({"a":{"$gt":1,"$lt":3}})", R"({"a":2})");
  NO_MATCH(R"({"a":{"$gt":1}})", R"({"a":"2"})");
  NO_MATCH(R"({"a":{"$lt":1}})", R"({"a":null})");
  NO_MATCH(R"({"a":{"$lt":1}})", R"({})");
  MATCH(R"({"a":{"$gte":"b"}})", R"({"a":"b"})");
  MATCH(R"({"a":{"$lte":true}})", R"({"a":false})");
  MATCH(R"({"a":{"$not":{"$gt":1}}})", R"({"a":"2"})");
}

TEST(Filter, arrays_match_by_element_or_whole) {
  MATCH(R"({"a":2})", R"({"a":[1,2]})");
  MATCH(R"({"a":[1,2]})", R"({"a":[1,2]})");
  MATCH(R"({"a":[1,2]})", R"({"a":[[1,2],3]})");
  NO_MATCH(R"({"a":2})", R"({"a":[[2]]})");
  MATCH(R"({"a":{"$gt":4,"$lt":2}})", R"({"a":[1,5]})");
  NO_MATCH(R"({"a":{"$ne":2}})", R"({"a":[1,2]})");
  MATCH(R"({"a.b":2})", R"({"a":[{"b":1},{"b":[2]}]})");
  MATCH(R"({"a.1":2})", R"({"a":[1,2]})");
  NO_MATCH(R"({"a.0":1})", R"({"a":[[1,2]]})");
  MATCH(R"({"a.0.b":1})", R"({"a":[{"b":1}]})");
  MATCH(R"({"a.0.b":1})", R"({"a":[[{"b":1}]]})");
  MATCH(R"({"a.0":1})", R"({"a":{"0":1}})");
  NO_MATCH(R"({"a.b":1})", R"({"a":[[{"b":1}]]})");
}

TEST(Filter, in_and_nin) {
  MATCH(R"({"a":{"$in":["x",2,null]}})", R"({"a":2.0})");
  MATCH(R"({"a":{"$in":["x",null]}})", R"({})");
  MATCH(R"({"a":{"$in":[[1]]}})", R"({"a":[1]})");
  NO_MATCH(R"({"a":{"$in":[]}})", R"({"a":1})");
  MATCH(R"({"a":{"$nin":[1]}})", R"({})");
  NO_MATCH(R"({"a":{"$nin":[1]}})", R"({"a":[3,1]})");
}

TEST(Filter, logic) {
  MATCH(R"({"$or":[{"a":1},{"b":2}]})", R"({"b":2})");
  NO_MATCH(R"({"$and":[{"a":1},{"b":2}]})", R"({"b":2})");
  MATCH(R"({"$nor":[{"a":1},{"b":3}],"$comment":"why"})", R"({"b":2})");
}

struct Refusal {
  ErrorCode code = ErrorCode::closed;
  std::string message;
};

Refusal filter_refusal(std::string_view filter) {
  try {
    Filter::parse(filter);
  } catch (const Error& error) {
    return {error.code(), error.message()};
  }
  return {};
}

TEST(Filter, a_conjunction_is_one_list_of_conditions) {
  const Filter filter = Filter::parse(R"({"a":{"$gt":1,"$lt":5},"$and":[{"b":1},{"$and":[{"c":1},{}]}]})");
  ASSERT_EQ(filter.root().children.size(), 4u);
  EXPECT_EQ(filter.root().children[1].kind, Condition::Kind::lt);
  EXPECT_EQ(filter.root().children[3].path.text(), "c");
  EXPECT_TRUE(Filter::parse(R"({"$comment":"all","$and":[{}]})").empty());
}

TEST(Filter, refuses_what_is_no_filter) {
  for (const char* filter : {"", "[]", "1", R"({"a":{"$foo":1}})", R"({"$foo":[]})", R"({"$and":[]})", R"({"$or":{}})",
                             R"({"$or":[1]})", R"({"a":{"$in":1}})", R"({"a":{"$not":1}})", R"({"a":{"$not":{}}})",
                             R"({"a":{"$gt":1,"b":2}})", R"({"a":1,"a":2})", R"({"a":)"})
    EXPECT_EQ(filter_refusal(filter).code, ErrorCode::invalid) << filter;
  EXPECT_NE(filter_refusal(R"({"$or":[{"x.y":{"$foo":1}}]})").message.find("\"x.y\": unknown operator $foo"), std::string::npos);
  std::string long_path;
  for (int i = 0; i < 100'000; ++i) long_path += "a.";
  EXPECT_EQ(filter_refusal("{\"" + long_path + "\":1}").code, ErrorCode::invalid);
}

TEST(Filter, names_the_operators_it_does_not_offer) {
  for (const char* filter :
       {R"({"a":{"$near":[0,0]}})", R"({"a":{"$geoWithin":{}}})", R"({"a":{"$not":{"$geoIntersects":{}}}})",
        R"({"$where":"this.a"})", R"({"$or":[{"$text":{"$search":"x"}}]})"})
    EXPECT_EQ(filter_refusal(filter).code, ErrorCode::unsupported) << filter;
  EXPECT_NE(filter_refusal(R"({"a.b":{"$near":[0,0]}})").message.find("path \"a.b\": the operator $near"), std::string::npos);
}

TEST(Filter, finds_the_id_it_asks_for) {
  const auto id = [](std::string_view filter) {
    const auto value = id_equality(Filter::parse(filter));
    return value ? to_json(*value) : "none";
  };
  EXPECT_EQ(id(R"({"_id":7})"), "7");
  EXPECT_EQ(id(R"({"a":1,"$and":[{"_id":{"$eq":"x"}}]})"), "\"x\"");
  EXPECT_EQ(id(R"({"_id":{"$gt":7}})"), "none");
  EXPECT_EQ(id(R"({"$or":[{"_id":7},{"a":1}]})"), "none");
  EXPECT_EQ(id(R"({"_id":{"$ne":7}})"), "none");
  EXPECT_EQ(id(R"({"_id":[7]})"), "none");
}

}  // namespace
}  // namespace stele::model
