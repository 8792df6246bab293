// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/filter.h"

#include <stele/error.h>

#include <gtest/gtest.h>

namespace stele::model {
namespace {

/// `condition` on the path "a" of `{"a": value}`.
bool holds(std::string_view condition, std::string_view value) {
  const std::string document = std::string(R"({"a":)") + std::string(value) + '}';
  const Filter filter = Filter::parse(std::string(R"({"a":)") + std::string(condition) + '}');
  Scratch scratch;
  const bool whole = filter.matches(parse(document));
  EXPECT_EQ(filter.matches_json(document, scratch), whole) << condition << ' ' << value;
  return whole;
}

void expect_holds(std::string_view condition, std::initializer_list<std::string_view> yes,
                  std::initializer_list<std::string_view> no) {
  for (const std::string_view value : yes) EXPECT_TRUE(holds(condition, value)) << condition << ' ' << value;
  for (const std::string_view value : no) EXPECT_FALSE(holds(condition, value)) << condition << ' ' << value;
}

/// Each filter is refused with the code; the message names all the words.
void expect_refused(ErrorCode code, std::initializer_list<std::string_view> words,
                    const std::vector<std::string>& filters) {
  for (const std::string& filter : filters) {
    try {
      Filter::parse(filter);
      ADD_FAILURE() << "not refused: " << filter;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << filter << ": " << error.what();
      for (const std::string_view word : words)
        EXPECT_NE(error.message().find(word), std::string::npos) << filter << ": " << error.what();
    }
  }
}

TEST(FilterOperators, type) {
  expect_holds(R"({"$type":"int"})", {"1", "-2147483648", "[1]"}, {"1.0", "2147483648", "\"1\"", "null", "[]"});
  expect_holds(R"({"$type":"long"})", {"2147483648", "-9223372036854775808"}, {"1", "1e10"});
  expect_holds(R"({"$type":"number"})", {"1", "1.5", "9007199254740993"}, {"true"});
  expect_holds(R"({"$type":2})", {"\"\"", "[1,\"a\"]"}, {"1"});
  expect_holds(R"({"$type":["null",8.0]})", {"null", "true"}, {"0", "{}"});
  expect_holds(R"({"$type":"array"})", {"[]", "[1]"}, {"{}"});
  expect_holds(R"({"$type":["date","objectId","binData"]})",
               {R"({"$date":"2026-01-01T00:00:00Z"})", R"({"$oid":"0123456789abcdef01234567"})",
                R"({"$binary":{"base64":"","subType":"00"}})"},
               {"\"2026-01-01T00:00:00Z\""});
  expect_holds(R"({"$type":"decimal"})", {}, {"1", "1.5"});
  EXPECT_FALSE(Filter::parse(R"({"b":{"$type":"null"}})").matches(parse("{}")));  // missing has no type
  expect_refused(ErrorCode::invalid, {"$type", "\"x.y\""},
                 {R"({"x.y":{"$type":"strnig"}})", R"({"x.y":{"$type":0}})", R"({"x.y":{"$type":[]}})",
                  R"({"x.y":{"$type":{}}})", R"({"x.y":{"$type":2.5}})"});
}

TEST(FilterOperators, regex) {
  expect_holds(R"({"$regex":"b.d"})", {"\"abcde\"", "[1,\"bxd\"]"}, {"\"bd\"", "\"b\\nd\"", "1", "null"});
  expect_holds(R"({"$regex":"^b"})", {"\"bc\""}, {"\"ab\"", "\"a\\nb\""});
  expect_holds(R"({"$regex":"^b$","$options":"m"})", {"\"a\\nb\\nc\""}, {"\"a\\nbc\""});
  expect_holds(R"({"$options":"is","$regex":"B.D"})", {"\"b\\nd\""}, {"\"bd\""});
  expect_holds(R"({"$regex":"É","$options":"i"})", {"\"é\""}, {"\"e\""});
  expect_holds(R"({"$regex":"a$"})", {"\"ba\"", "\"a\\n\""}, {"\"a\\n\\n\"", "\"ab\""});
  expect_holds(R"({"$regex":"[$]$|\\$"})", {"\"$\"", "\"$a\""}, {"\"a\""});
  expect_holds(R"({"$regex":"(?m)a$"})", {"\"a\\nb\""}, {"\"ab\""});
  expect_holds(R"({"$regex":" a b # [ and so on\n [ #] \\ c","$options":"x"})", {"\"ab# c\"", "\"ab  c\""},
               {"\"a b# c\"", "\"abc\""});
  expect_holds(R"({"$not":{"$regex":"^a"}})", {"\"b\"", "1"}, {"\"a\"", "[\"a\",\"b\"]"});
}

TEST(FilterOperators, a_regular_expression_as_a_value_stands_for_what_it_matches) {
  const std::string_view begins_b = R"({"$regularExpression":{"pattern":"^b","options":"i"}})";
  const std::string_view other = R"({"$regularExpression":{"pattern":"^b","options":""}})";
  const auto in = [&](std::string_view op) { return std::string(R"({")") + std::string(op) + R"(":[)" + std::string(begins_b) + ",5]}"; };
  expect_holds(begins_b, {"\"bc\"", "\"B\"", "[1,\"bxd\"]", begins_b}, {"\"ab\"", "1", "null", other});
  expect_holds(std::string(R"({"$regex":)") + std::string(begins_b) + "}", {"\"Bc\"", begins_b}, {"\"ab\"", other});
  expect_holds(R"({"$regex":"^b"})", {other}, {begins_b});
  expect_holds(R"({"$options":"i","$regex":"^b"})", {begins_b}, {other});
  expect_holds(in("$in"), {"\"bc\"", "5", "[5.0]", begins_b}, {"\"ab\"", "6", "null"});
  expect_holds(in("$nin"), {"\"ab\"", "6", "null"}, {"\"bc\"", "5", "[\"a\",\"b\"]"});
  expect_holds(in("$all"), {"[\"b\",5]"}, {"[5]", "\"b\""});
  expect_holds(std::string(R"({"$not":)") + std::string(begins_b) + "}", {"\"ab\"", "null", "1"}, {"\"b\"", "[\"a\",\"b\"]"});
  expect_holds(std::string(R"({"$eq":)") + std::string(begins_b) + "}", {begins_b}, {"\"b\"", other});
  expect_holds(R"({"$type":"regex"})", {begins_b}, {"\"b\""});
  for (const char* op : {"$ne", "$gt", "$gte", "$lt", "$lte"})
    expect_refused(ErrorCode::invalid, {"path \"x\"", op, "regular expression"},
                   {std::string(R"({"x":{")") + op + R"(":)" + std::string(begins_b) + "}}"});
  expect_refused(ErrorCode::invalid, {"keep one"},
                 {std::string(R"({"x":{"$regex":)") + std::string(begins_b) + R"(,"$options":"s"}})"});
}

TEST(FilterOperators, regex_says_what_is_wrong_with_a_pattern) {
  expect_refused(ErrorCode::unsupported, {"path \"x\"", "RE2", "offset 1"},
                 {R"j({"x":{"$regex":"a(?=b)"}})j", R"j({"x":{"$regex":"a(?<!b)"}})j", R"j({"x":{"$regex":"a(?>b)"}})j",
                  R"j({"x":{"$regex":"a\\1(b)"}})j", R"({"x":{"$regex":"a\\K"}})"});
  expect_refused(ErrorCode::unsupported, {"look-ahead", "a[(?=](?!b)", "offset 6"},
                 {R"j({"x":{"$regex":"a[(?=](?!b)"}})j"});
  expect_refused(ErrorCode::unsupported, {"possessive"}, {R"({"x":{"$regex":"a++"}})"});
  expect_refused(ErrorCode::invalid, {"path \"x\"", "offset 2"}, {R"({"x":{"$regex":"ab[c"}})"});
  expect_refused(ErrorCode::invalid, {"path \"x\""},
                 {R"j({"x":{"$regex":"a)"}})j", R"({"x":{"$regex":"a\u0000"}})", R"({"x":{"$regex":"*"}})",
                  R"({"x":{"$regex":1}})", R"({"x":{"$regex":"a","$options":"g"}})", R"({"x":{"$options":"i"}})",
                  R"({"x":{"$regex":"a","$options":1}})"});
  expect_refused(ErrorCode::too_large, {"path \"x\""}, {R"({"x":{"$regex":"(a{1000}){1000}"}})"});
}

TEST(FilterOperators, mod) {
  expect_holds(R"({"$mod":[4,0]})", {"0", "8", "-8", "8.0", "8.7", "-0.5", "[1,4]"}, {"1", "\"8\"", "null", "1e300"});
  expect_holds(R"({"$mod":[4,1]})", {"5", "5.9"}, {"-3", "-5"});
  expect_holds(R"({"$mod":[4,-1]})", {"-5", "-1.5"}, {"5", "3"});
  expect_holds(R"({"$mod":[-4,1]})", {"5"}, {"-5"});
  expect_holds(R"({"$mod":[4.9,1.9]})", {"5"}, {"4"});
  expect_holds(R"({"$mod":[-1,0]})", {"-9223372036854775808"}, {});
  expect_holds(R"({"$mod":[10,3]})", {"9007199254740993"}, {"9007199254740992"});
  expect_refused(ErrorCode::invalid, {"$mod", "path \"x\""},
                 {R"({"x":{"$mod":4}})", R"({"x":{"$mod":[4]}})", R"({"x":{"$mod":[4,1,1]}})",
                  R"({"x":{"$mod":[0,1]}})", R"({"x":{"$mod":[0.5,1]}})", R"({"x":{"$mod":["4",1]}})",
                  R"({"x":{"$mod":[4,null]}})", R"({"x":{"$mod":[1e300,1]}})"});
}

TEST(FilterOperators, size) {
  expect_holds(R"({"$size":2})", {"[1,2]", "[[],[]]"}, {"[1]", "[[1,2]]", "{\"0\":1,\"1\":2}", "2", "null"});
  expect_holds(R"({"$size":0.0})", {"[]"}, {"[[]]", "null"});
  EXPECT_TRUE(Filter::parse(R"({"a.0":{"$size":1}})").matches(parse(R"({"a":[[7]]})")));
  EXPECT_TRUE(Filter::parse(R"({"a.b":{"$size":1}})").matches(parse(R"({"a":[{"b":[]},{"b":[7]}]})")));
  expect_refused(
      ErrorCode::invalid, {"$size", "path \"x\""},
      {R"({"x":{"$size":-1}})", R"({"x":{"$size":1.5}})", R"({"x":{"$size":"1"}})", R"({"x":{"$size":1e300}})"});
}

TEST(FilterOperators, all) {
  expect_holds(R"({"$all":[1,"x"]})", {"[\"x\",2,1]"}, {"[1]", "1"});
  expect_holds(R"({"$all":[1]})", {"1", "[1]"}, {"[[1]]"});
  expect_holds(R"({"$all":[[1,2]]})", {"[1,2]", "[[1,2]]"}, {"[1]"});
  expect_holds(R"({"$all":[null]})", {"null", "[null]"}, {"1"});
  expect_holds(R"({"$all":[]})", {}, {"[]", "null", "1"});
  expect_holds(R"({"$all":[{"$elemMatch":{"b":1,"c":1}},{"$elemMatch":{"b":2}}]})", {R"([{"b":2},{"b":1,"c":1}])"},
               {R"([{"b":1},{"b":2,"c":1}])"});
  expect_refused(ErrorCode::invalid, {"$all", "path \"x\""},
                 {R"({"x":{"$all":1}})", R"({"x":{"$all":[{"$gt":1}]}})",
                  R"({"x":{"$all":[1,{"$elemMatch":{"b":1}}]}})", R"({"x":{"$all":[{"$elemMatch":{"b":1}},1]}})"});
}

TEST(FilterOperators, elem_match_of_values) {
  expect_holds(R"({"$elemMatch":{"$gt":2,"$lt":5}})", {"[1,3]"}, {"[1,6]", "3", "[[3]]", "[]", "null"});
  expect_holds(R"({"$elemMatch":{"$not":{"$gt":2}}})", {"[1,6]", "[\"x\",6]"}, {"[6]", "[]"});
  expect_holds(R"({"$elemMatch":{"$elemMatch":{"$eq":3}}})", {"[[1,3]]"}, {"[3]", "[[[3]]]"});
  expect_holds(R"({"$elemMatch":{"$in":[null,[1]]}})", {"[null]", "[[1]]"}, {"[1]", "null"});
  expect_holds(R"({"$elemMatch":{"$exists":true}})", {"[null]"}, {"[]", "1"});
  expect_holds(R"({"$elemMatch":{"$size":1}})", {"[[5]]"}, {"[5]"});
}

TEST(FilterOperators, elem_match_of_objects) {
  expect_holds(R"({"$elemMatch":{"b":1,"c":{"$gt":1}}})", {R"([{"b":1,"c":2}])"},
               {R"([{"b":1},{"c":2}])", R"({"b":1,"c":2})", "[1]"});
  expect_holds(R"({"$elemMatch":{"$or":[{"b":1},{"b":2}]}})", {R"([{"b":2}])"}, {R"([{"b":3}])"});
  expect_holds(R"({"$elemMatch":{}})", {"[{}]", "[[]]"}, {"[]", "[1]"});
  expect_holds(R"({"$elemMatch":{"1":7}})", {"[[6,7]]"}, {"[7,7]", "[[7]]"});  // an array is an object of its indexes
  expect_holds(R"({"$elemMatch":{"b":null}})", {R"([{"b":null}])", "[{}]", "[[{\"b\":1}]]"}, {R"([{"b":1}])"});
  EXPECT_TRUE(Filter::parse(R"({"a.0":{"$elemMatch":{"b":1}}})").matches(parse(R"({"a":[[{"b":1}]]})")));
  expect_refused(ErrorCode::invalid, {"$elemMatch", "path \"x\""},
                 {R"({"x":{"$elemMatch":1}})", R"({"x":{"$elemMatch":{"$gt":1,"b":2}}})",
                  R"({"x":{"$elemMatch":{"$foo":2}}})", R"({"x":{"$elemMatch":{"b":{"$foo":2}}}})",
                  R"({"x":{"$elemMatch":{"$expr":true}}})", R"({"x":{"$elemMatch":{"$or":[{"$expr":true}]}}})"});
}

TEST(FilterOperators, bits) {
  expect_holds(R"({"$bitsAllSet":[1,5]})", {"54", "34", "34.0", "-1", "[1,34]"},
               {"2", "34.5", "\"34\"", "null", "1e300"});
  expect_holds(R"({"$bitsAllSet":34})", {"54"}, {"2"});
  expect_holds(R"({"$bitsAllClear":34})", {"20", "0"}, {"2", "-1"});
  expect_holds(R"({"$bitsAnySet":34})", {"2", "-1"}, {"20"});
  expect_holds(R"({"$bitsAnyClear":34})", {"2", "0"}, {"54", "-1"});
  expect_holds(R"({"$bitsAnySet":[70]})", {"-1"}, {"1", "9223372036854775807"});  // numbers are extended by their sign
  expect_holds(R"({"$bitsAllSet":[]})", {"0"}, {"\"0\""});
  expect_holds(R"({"$bitsAnySet":[]})", {}, {"1"});
  // Binary: bit 0 is the lowest of the first byte, beyond the end is clear. "NgI=" is 0x36, 0x02.
  expect_holds(R"({"$bitsAllSet":[1,9]})", {R"({"$binary":{"base64":"NgI=","subType":"00"}})"},
               {R"({"$binary":{"base64":"Ng==","subType":"00"}})"});
  expect_holds(R"({"$bitsAnyClear":[70]})", {R"({"$binary":{"base64":"NgI=","subType":"00"}})", "1"}, {"-1"});
  expect_holds(R"({"$bitsAllSet":{"$binary":{"base64":"NgI=","subType":"00"}}})", {"566", "-1"}, {"54"});
  expect_refused(ErrorCode::invalid, {"$bitsAnySet", "path \"x\""},
                 {R"({"x":{"$bitsAnySet":-1}})", R"({"x":{"$bitsAnySet":1.5}})", R"({"x":{"$bitsAnySet":"1"}})",
                  R"({"x":{"$bitsAnySet":[-1]}})", R"({"x":{"$bitsAnySet":[1.5]}})", R"({"x":{"$bitsAnySet":["1"]}})",
                  R"({"x":{"$bitsAnySet":[2147483648]}})"});
}

TEST(FilterOperators, in_takes_no_operators) {
  expect_holds(R"({"$in":[1,1.0,[],{"b":1}]})", {"1", "[]", "[[]]", R"({"b":1.0})"}, {"2", "{}"});
  expect_refused(ErrorCode::invalid, {"path \"x\"", "$in", "$regex"}, {R"({"x":{"$in":[{"$regex":"a"}]}})"});
  expect_refused(ErrorCode::invalid, {"path \"x\"", "$nin"}, {R"({"x":{"$nin":{}}})", R"({"x":{"$nin":[{"$gt":1}]}})"});
}

TEST(FilterOperators, comparisons_with_arrays_and_null) {
  expect_holds(R"({"$eq":[1,2]})", {"[1,2]", "[[1,2]]"}, {"[2,1]", "[1,2,3]"});
  expect_holds(R"({"$gt":[1,2]})", {"[1,3]", "[2]", "[[1,3],0]"}, {"[1,2]", "[1]", "5", "[0,[1]]"});
  expect_holds(R"({"$lte":{"b":1}})", {R"({"b":1.0})", "{}", R"([{"b":0}])"}, {R"({"b":2})", "[]"});
  expect_holds(R"({"$lte":null})", {"null", "[null]"}, {"1", "[]"});
  expect_holds(R"({"$lt":null})", {}, {"null", "1"});
  expect_holds(R"({"$gt":9007199254740992})", {"9007199254740993"}, {"9007199254740992.0"});
  expect_holds(R"({"$gte":0})", {"-0.0", "-0"}, {"-1e-300"});
  expect_holds(R"({"$lt":{"$date":"2026-01-01T00:00:00Z"}})", {R"({"$date":"2026-01-01T00:30:00+01:00"})"},
               {R"({"$date":{"$numberLong":"1767225600000"}})", "0"});
}

TEST(FilterOperators, expr_reads_the_document) {
  const auto matches = [](std::string_view filter, std::string_view document) {
    Scratch scratch;
    const Filter compiled = Filter::parse(filter);
    EXPECT_EQ(compiled.matches(parse(document)), compiled.matches_json(document, scratch)) << filter << ' ' << document;
    return compiled.matches_json(document, scratch);
  };
  constexpr std::string_view over = R"({"$expr":{"$gt":["$spent","$budget.limit"]},"open":true})";
  EXPECT_TRUE(matches(over, R"({"spent":5,"x":0,"budget":{"limit":4},"open":true})"));
  EXPECT_FALSE(matches(over, R"({"spent":5,"budget":{"limit":5},"open":true})"));
  EXPECT_FALSE(matches(over, R"({"spent":5,"budget":{"limit":4},"open":false})"));
  EXPECT_TRUE(matches(R"({"$expr":"$a"})", R"({"a":5})"));
  EXPECT_FALSE(matches(R"({"$expr":"$a"})", R"({"a":0})"));
  EXPECT_FALSE(matches(R"({"$expr":"$a"})", "{}"));
  EXPECT_TRUE(matches(R"({"$expr":{"$eq":["$$ROOT",{"a":1,"b":2}]}})", R"({"a":1,"b":2})"));
  EXPECT_TRUE(matches(R"({"$nor":[{"$expr":{"$eq":["$a","$b"]}},{"c":1}]})", R"({"a":1,"b":2})"));
  expect_refused(ErrorCode::invalid, {"filter, $expr", "$nosuch"}, {R"({"$expr":{"$nosuch":1}})"});
}

TEST(FilterOperators, expr_takes_the_time_from_its_filter) {
  Filter filter = Filter::parse(R"({"$or":[{"$expr":{"$lt":["$due","$$NOW"]}},{"a":1}]})");
  const Value document = parse(R"({"due":{"$date":{"$numberLong":"5"}}})");
  filter.set_now(Date{6});
  EXPECT_TRUE(filter.matches(document));
  filter.set_now(Date{5});
  EXPECT_FALSE(filter.matches(document));
}

TEST(FilterOperators, json_schema_is_about_the_whole_document) {
  const Filter filter = Filter::parse(R"({"$jsonSchema":{"required":["b"],"maxProperties":2},"a":1})");
  Scratch scratch;
  EXPECT_TRUE(filter.matches_json(R"({"a":1,"b":1})", scratch));
  EXPECT_FALSE(filter.matches_json(R"({"a":1,"b":1,"c":1})", scratch));
  EXPECT_FALSE(filter.matches_json(R"({"b":1})", scratch));
  EXPECT_TRUE(Filter::parse(R"({"$nor":[{"$jsonSchema":{"required":["b"]}}]})").matches(parse(R"({"a":1})")));
  expect_refused(ErrorCode::invalid, {"filter, $jsonSchema", "minimun"}, {R"({"$jsonSchema":{"minimun":1}})"});
}

TEST(FilterOperators, always) {
  EXPECT_TRUE(Filter::parse(R"({"$alwaysTrue":1})").matches(parse("{}")));
  EXPECT_FALSE(Filter::parse(R"({"$alwaysFalse":1.0})").matches(parse("{}")));
  expect_refused(ErrorCode::invalid, {"$alwaysTrue"}, {R"({"$alwaysTrue":true})", R"({"$alwaysTrue":2})"});
  expect_refused(ErrorCode::invalid, {"$or", "above paths", "path \"x\""}, {R"({"x":{"$or":[{"$gt":1}]}})"});
}

TEST(FilterOperators, an_upsert_takes_an_all_of_one_value) {
  EXPECT_EQ(
      to_json(equality_document(Filter::parse(R"({"a":{"$all":[1]},"b":{"$elemMatch":{"$eq":2}},"c":{"$size":1}})"))),
      R"({"a":1})");
  EXPECT_THROW(equality_document(Filter::parse(R"({"a":{"$all":[1,2]}})")), Error);
}

}  // namespace
}  // namespace stele::model
