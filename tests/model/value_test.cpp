// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/value.h"

#include "engine/model/compare.h"

#include <stele/error.h>

#include <gtest/gtest.h>

namespace stele::model {
namespace {

ErrorCode value_refusal(std::string_view json) {
  try {
    parse(json);
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "accepted: " << json;
  return ErrorCode::closed;
}

TEST(Value, comes_back_byte_for_byte) {
  for (const std::string text :
       {"null", "true", "-0", "-0.0", "1.10", "1e3", "1E+03", "9223372036854775807", R"("a\u0041\/b")", R"("é\u0000")",
        "[]", "{}", R"({"a":[1,2.50,{"b":"\n"}],"":null})", R"({"$date":"2026-01-31T12:00:00.5+02:00"})",
        R"({"$numberLong":"7"})", R"({"$binary":{"base64":"AQI=","subType":"00"}})"})
    EXPECT_EQ(to_json(parse(text)), text);
}

TEST(Value, reads_content) {
  EXPECT_EQ(parse(R"("\ud83d\ude00\u0000")").string(), std::string("\xF0\x9F\x98\x80\0", 5));
  EXPECT_TRUE(parse("12").is_integer());
  EXPECT_FALSE(parse("12.0").is_integer());
  EXPECT_EQ(parse(R"({"$numberInt":"-5"})").integer(), -5);
  EXPECT_EQ(parse(R"({"$numberDouble":"1e3"})").real().number, 1000.0);
  EXPECT_EQ(parse(R"({"$oid":"30313233343536373839616F"})").oid().bytes[11], 'o');
  EXPECT_EQ(parse(R"({"$binary":{"subType":"80","base64":"AQI="}})").binary().bytes, "\x01\x02");
  EXPECT_EQ(parse(R"({"$regularExpression":{"options":"xi","pattern":"^a"}})").pattern().options, "ix");
  EXPECT_EQ(to_json(Pattern{"a\"b", "i"}), R"({"$regularExpression":{"pattern":"a\"b","options":"i"}})");
}

TEST(Value, dates_are_one_moment_in_any_spelling) {
  const Value date = parse(R"({"$date":"2026-01-31T10:30:00.250Z"})");
  EXPECT_EQ(date.date().milliseconds, 1769855400250);
  EXPECT_TRUE(equal(date, parse(R"({"$date":"2026-01-31T12:30:00.250999+02:00"})")));
  EXPECT_TRUE(equal(date, parse(R"({"$date":{"$numberLong":"1769855400250"}})")));
  EXPECT_EQ(parse(R"({"$date":"1969-12-31T23:59:59.999Z"})").date().milliseconds, -1);
}

TEST(Value, refuses_malformed_extended_json) {
  for (const char* json :
       {R"({"$date":5})", R"({"$date":"2026-02-30T00:00:00Z"})", R"({"$date":"2026-01-01T00:00:00"})",
        R"({"$date":"2026-01-01"})", R"({"$date":"2026-01-01T24:00:00Z"})", R"({"$date":"2026-01-01T00:00:00Z","a":1})",
        R"({"$oid":"xyz"})", R"({"$oid":"3031323334353637383961"})", R"({"$numberInt":"2147483648"})",
        R"({"$numberInt":5})", R"({"$numberLong":"9223372036854775808"})", R"({"$numberLong":"1.5"})",
        R"({"$numberDouble":"NaN"})", R"({"$numberDouble":"-Infinity"})", R"({"$binary":{"base64":"AQ","subType":"00"}})",
        R"({"$binary":{"base64":"AR==","subType":"00"}})", R"({"$binary":{"base64":"AQ==","subType":"zz"}})",
        R"({"$binary":"AQ=="})", R"({"$regularExpression":"a"})", R"({"$regularExpression":{"pattern":"a"}})",
        R"({"$regularExpression":{"pattern":"a","options":"q"}})", R"({"$regularExpression":{"pattern":"a","options":"ii"}})"})
    EXPECT_EQ(value_refusal(json), ErrorCode::invalid) << json;
  for (const char* json : {R"({"$numberDecimal":"1"})",
                           R"({"$timestamp":{"t":1,"i":1}})", R"({"$minKey":1})"})
    EXPECT_EQ(value_refusal(json), ErrorCode::unsupported) << json;
}

TEST(Value, damaged_text_is_corrupt_and_not_fatal) {
  for (const char* json : {"{\"a\":", "[1,", "{\"a\" 1}", "", "\"abc"}) EXPECT_EQ(value_refusal(json), ErrorCode::corrupt) << json;
}

TEST(Value, the_deepest_document_is_read) {
  const std::string deep = std::string(1000, '[') + std::string(1000, ']');
  const Value value = parse(deep);
  EXPECT_EQ(depth(value), 1000u);
  EXPECT_EQ(to_json(value), deep);
}

TEST(Parser, reads_only_the_members_asked_for) {
  Parser parser;
  Value out;
  const std::vector<std::string> names = {"b", "d"};
  parser.parse_members(R"({"a":[1,{"b":2}],"\u0062":{"c":3},"d":"x","e":[]})", names, out);
  EXPECT_EQ(to_json(out), R"({"b":{"c":3},"d":"x"})");
  parser.parse_members(R"({"e":1})", names, out);
  EXPECT_EQ(to_json(out), "{}");
}

}  // namespace
}  // namespace stele::model
