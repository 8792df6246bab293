// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/json_schema.h"

#include "tests/model/random_value.h"
#include "tests/support/seed.h"

#include <stele/error.h>

#include <gtest/gtest.h>

#include <cstdlib>

namespace stele::model {
namespace {

/// What is wrong, or "".
std::string violation(std::string_view schema, std::string_view value) {
  const Schema compiled = Schema::parse(parse(schema), "schema");
  const auto found = compiled.violation(parse(value));
  EXPECT_EQ(compiled.accepts(parse(value)), !found) << schema << ' ' << value;
  return found.value_or("");
}

void expect(std::string_view schema, std::initializer_list<std::string_view> accepted,
            std::initializer_list<std::string_view> refused) {
  for (const std::string_view value : accepted) EXPECT_EQ(violation(schema, value), "") << schema << ' ' << value;
  for (const std::string_view value : refused) EXPECT_NE(violation(schema, value), "") << schema << ' ' << value;
}

TEST(JsonSchema, types) {
  expect(R"({"bsonType":"int"})", {"1"}, {"1.0", "4294967296", "\"1\""});
  expect(R"({"bsonType":["long","date"]})", {"4294967296", R"({"$date":"2026-01-01T00:00:00Z"})"}, {"1", "{}"});
  expect(R"({"bsonType":"number"})", {"1", "1.5"}, {"null"});
  expect(R"({"type":"boolean"})", {"true"}, {"0"});
  expect(R"({"type":["object","null"]})", {"{}", "null"}, {"[]"});
}

TEST(JsonSchema, numbers) {
  expect(R"({"minimum":5})", {"5", "5.5", "\"4\"", "[1]"}, {"4", "4.999"});
  expect(R"({"minimum":5,"exclusiveMinimum":true})", {"6"}, {"5", "5.0"});
  expect(R"({"maximum":9007199254740992})", {"9007199254740992.0"}, {"9007199254740993"});
  expect(R"({"maximum":5,"exclusiveMaximum":true})", {"4.9"}, {"5"});
  expect(R"({"maximum":5,"exclusiveMaximum":false})", {"5"}, {"6"});
  expect(R"({"multipleOf":3})", {"9", "-9.0", "0", "\"4\""}, {"4", "9.5"});
}

TEST(JsonSchema, strings) {
  expect(R"({"minLength":2,"maxLength":3})", {"\"ab\"", "\"äöü\"", "7"}, {"\"a\"", "\"abcd\"", "\"ä\""});
  expect(R"({"pattern":"^a.c"})", {"\"abcd\"", "7"}, {"\"xabc\""});
}

TEST(JsonSchema, arrays) {
  expect(R"({"minItems":1,"maxItems":2})", {"[1]", "[1,2]", "{}"}, {"[]", "[1,2,3]"});
  expect(R"({"uniqueItems":true})", {"[1,\"1\",[1]]", "[]"}, {"[1,1.0]", R"([{"a":1,"b":2},{"b":2,"a":1}])"});
  expect(R"({"items":{"minimum":1}})", {"[]", "[1,\"x\"]"}, {"[1,0]"});
  expect(R"({"items":[{"minimum":1},{"minimum":2}]})", {"[1]", "[1,2,0]"}, {"[1,1]"});
  expect(R"({"items":[{"minimum":1}],"additionalItems":false})", {"[1]", "[]"}, {"[1,1]"});
  expect(R"({"items":[{"minimum":1}],"additionalItems":{"type":"string"}})", {"[1,\"a\"]"}, {"[1,2]"});
  expect(R"({"additionalItems":false})", {"[1]"}, {});
}

TEST(JsonSchema, objects) {
  expect(R"({"required":["a","b"]})", {R"({"b":null,"a":1})", "[]"}, {R"({"a":1})"});
  expect(R"({"properties":{"a":{"minimum":1}}})", {"{}", R"({"a":1,"b":0})"}, {R"({"a":0})"});
  expect(R"({"properties":{"a":{}},"additionalProperties":false})", {R"({"a":0})"}, {R"({"a":0,"b":1})"});
  expect(R"({"properties":{"a":{}},"additionalProperties":{"minimum":1}})", {R"({"a":0,"b":1})"}, {R"({"b":0})"});
  expect(R"({"patternProperties":{"^n_":{"minimum":1}},"additionalProperties":false})", {R"({"n_a":1})"},
         {R"({"n_a":0})", R"({"m_a":1})"});
  expect(R"({"minProperties":1,"maxProperties":2})", {R"({"a":1})"}, {"{}", R"({"a":1,"b":1,"c":1})"});
  expect(R"({"dependencies":{"a":["b"],"c":{"required":["d"]}}})", {"{}", R"({"a":1,"b":1})", R"({"c":1,"d":1})"},
         {R"({"a":1})", R"({"c":1})"});
}

TEST(JsonSchema, combinations_and_enumerations) {
  expect(R"({"enum":[1,"a",null,{"x":1,"y":[2]}]})", {"1.0", "\"a\"", "null", R"({"y":[2],"x":1})"},
         {"2", "{}", "[1]"});
  expect(R"({"allOf":[{"minimum":1},{"maximum":3}]})", {"2"}, {"0", "4"});
  expect(R"({"anyOf":[{"minimum":3},{"maximum":1}]})", {"0", "4"}, {"2"});
  expect(R"({"oneOf":[{"minimum":3},{"minimum":5}]})", {"3"}, {"2", "5"});
  expect(R"({"not":{"minimum":3}})", {"2"}, {"3", "\"a\""});
  expect(R"({"title":"t","description":"d"})", {"1", "{}"}, {});
}

TEST(JsonSchema, names_the_path_and_the_rule) {
  EXPECT_EQ(violation(R"({"required":["a"]})", "{}"), "a: must be there (required)");
  EXPECT_EQ(violation(R"({"bsonType":"object"})", "1"), "the document: must be of type object (bsonType), is int");
  EXPECT_EQ(
      violation(R"({"properties":{"a":{"items":{"properties":{"b":{"type":"string"}}}}}})", R"({"a":[{},{"b":1}]})"),
      "a.1.b: must be of type string (type), is int");
  EXPECT_EQ(violation(R"({"properties":{"a":{"minimum":5,"exclusiveMinimum":true}}})", R"({"a":5})"),
            "a: must be above 5 (exclusiveMinimum), is 5");
  EXPECT_EQ(violation(R"({"properties":{"a":{"minLength":3}}})", R"({"a":"é"})"),
            "a: must have at least 3 characters (minLength), has 1");
  EXPECT_EQ(violation(R"({"properties":{"a":{"enum":[1,2]}}})", R"({"a":{"b":3}})"),
            R"(a: must be one of [1,2] (enum), is {"b":3})");
  EXPECT_EQ(violation(R"({"properties":{"a":{}},"additionalProperties":false})", R"({"b":1})"),
            "b: must not be there: additionalProperties is false");
  EXPECT_EQ(violation(R"({"dependencies":{"a":["b"]}})", R"({"a":1})"), "b: must be there beside \"a\" (dependencies)");
  EXPECT_EQ(violation(R"({"oneOf":[{},{}]})", "1"), "the document: must fit one of the 2 schemas of oneOf, fits 2");
  EXPECT_EQ(violation(R"({"allOf":[{"properties":{"a":{"maximum":1}}}]})", R"({"a":2})"),
            "a: must be at most 1 (maximum), is 2");
}

TEST(JsonSchema, refuses_what_is_no_schema) {
  const struct {
    const char* schema;
    ErrorCode code;
    const char* named;
  } refusals[] = {
      {"1", ErrorCode::invalid, "schema: a schema is an object"},
      {R"({"minimun":1})", ErrorCode::invalid, "schema: minimun: unknown keyword"},
      {R"({"properties":{"a":{"items":{"foo":1}}}})", ErrorCode::invalid, "at \"properties.a.items\": foo"},
      {R"({"$ref":"#/a"})", ErrorCode::unsupported, "$ref"},
      {R"({"format":"email"})", ErrorCode::unsupported, "format"},
      {R"({"type":"integer"})", ErrorCode::unsupported, "[\"int\", \"long\"]"},
      {R"({"multipleOf":0.1})", ErrorCode::unsupported, "multipleOf"},
      {R"({"multipleOf":0})", ErrorCode::invalid, "multipleOf"},
      {R"({"type":"int"})", ErrorCode::invalid, "unknown type \"int\""},
      {R"({"type":"object","bsonType":"object"})", ErrorCode::invalid, "bsonType"},
      {R"({"bsonType":2})", ErrorCode::invalid, "bsonType"},
      {R"({"bsonType":[]})", ErrorCode::invalid, "bsonType"},
      {R"({"exclusiveMinimum":5})", ErrorCode::invalid, "exclusiveMinimum"},
      {R"({"exclusiveMinimum":true})", ErrorCode::invalid, "needs minimum"},
      {R"({"minimum":"1"})", ErrorCode::invalid, "minimum"},
      {R"({"minLength":-1})", ErrorCode::invalid, "minLength"},
      {R"({"maxItems":1.5})", ErrorCode::invalid, "maxItems"},
      {R"({"uniqueItems":1})", ErrorCode::invalid, "uniqueItems"},
      {R"({"pattern":"a("})", ErrorCode::invalid, "pattern"},
      {R"j({"pattern":"(?=a)"})j", ErrorCode::unsupported, "pattern"},
      {R"({"patternProperties":{"(":{}}})", ErrorCode::invalid, "patternProperties"},
      {R"({"required":[]})", ErrorCode::invalid, "required"},
      {R"({"required":["a","a"]})", ErrorCode::invalid, "\"a\" twice"},
      {R"({"enum":[]})", ErrorCode::invalid, "enum"},
      {R"({"items":1})", ErrorCode::invalid, "items"},
      {R"({"additionalProperties":1})", ErrorCode::invalid, "additionalProperties"},
      {R"({"anyOf":[]})", ErrorCode::invalid, "anyOf"},
      {R"({"not":[]})", ErrorCode::invalid, "not"},
      {R"({"title":1})", ErrorCode::invalid, "title"},
  };
  for (const auto& refusal : refusals) {
    try {
      Schema::parse(parse(refusal.schema), "schema");
      ADD_FAILURE() << "not refused: " << refusal.schema;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), refusal.code) << refusal.schema << ": " << error.what();
      EXPECT_NE(error.message().find(refusal.named), std::string::npos) << refusal.schema << ": " << error.what();
    }
  }
}

Value random_schema(Random& random, int depth) {
  const Value some = static_cast<std::int64_t>(random() % 3);
  switch (random() % (depth > 0 ? 10 : 6)) {
    case 0: return Object{{"bsonType", Array{"int", "string"}}};
    case 1: return Object{{"minimum", some}, {"maxLength", some}};
    case 2: return Object{{"enum", Array{random_small_value(random, 1), random_small_value(random, 0)}}};
    case 3: return Object{{"maxItems", some}, {"uniqueItems", true}};
    case 4: return Object{{"required", Array{"a"}}};
    case 5: return Object{{"pattern", "a"}, {"maxProperties", some}};
    case 6: return Object{{"items", random_schema(random, depth - 1)}};
    case 7:
      return Object{{"properties", Object{{"a", random_schema(random, depth - 1)}}}, {"additionalProperties", false}};
    case 8: return Object{{"oneOf", Array{random_schema(random, depth - 1), random_schema(random, depth - 1)}}};
    default: return Object{{"anyOf", Array{random_schema(random, depth - 1), random_schema(random, depth - 1)}}};
  }
}

TEST(JsonSchema, logic_of_random_schemas) {
  const std::uint64_t seed = testing::test_seed();
  SCOPED_TRACE("STELE_TEST_SEED=" + std::to_string(seed));
  Random random(seed);
  int accepted = 0;
  for (int i = 0; i < 5000; ++i) {
    const Value a = random_schema(random, 2), b = random_schema(random, 2), value = random_small_value(random, 2);
    const auto accepts = [&](const Value& schema) { return Schema::parse(schema, "schema").accepts(value); };
    const bool in_a = accepts(a), in_b = accepts(b);
    SCOPED_TRACE(to_json(a) + ' ' + to_json(b) + ' ' + to_json(value));
    ASSERT_NE(in_a, accepts(Object{{"not", a}}));
    ASSERT_EQ(in_a && in_b, accepts(Object{{"allOf", Array{a, b}}}));
    ASSERT_EQ(in_a || in_b, accepts(Object{{"anyOf", Array{a, b}}}));
    ASSERT_EQ(in_a != in_b, accepts(Object{{"oneOf", Array{a, b}}}));
    ASSERT_EQ(in_a, !Schema::parse(a, "schema").violation(value));
    ASSERT_TRUE(accepts(Object{{"enum", Array{value}}}));
    accepted += in_a;
  }
  EXPECT_GT(accepted, 500);
  EXPECT_LT(accepted, 4500);
}

}  // namespace
}  // namespace stele::model
