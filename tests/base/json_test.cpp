// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/json.h"
#include "tests/support/seed.h"

#include <stele/error.h>

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace stele {
namespace {

std::string minified(std::string_view text, json::Limits limits = {}) { return json::minify(text, limits, "document"); }

// The reason and offset of the refusal, "InvalidJson@3"; "" when it was accepted.
std::string refusal(std::string_view text, json::Limits limits = {}) {
  try {
    minified(text, limits);
    return "";
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == ErrorCode::invalid || error.code() == ErrorCode::too_large) << error.what();
    EXPECT_EQ(error.message().rfind("document: ", 0), 0u) << error.what();
    return error.detail().at("reason") + "@" + error.detail().at("offset");
  }
}

std::string nested(int depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(JsonMinify, removes_blanks_between_tokens_only) {
  EXPECT_EQ(minified(" {\t\"a b\" :\n[ 1 , 2 ] , \"c\": { } , \"d\":[ ]}\r\n"), R"({"a b":[1,2],"c":{},"d":[]})");
  EXPECT_EQ(minified(" true "), "true");
}

TEST(JsonMinify, keeps_numbers_and_escapes_as_written) {
  for (const std::string text :
       {"-0", "-0.0", "1.10", "1e3", "1E+03", "0.1000000000000000055511151231257827", "9223372036854775807",
        "-9223372036854775808", "1e-400", "1.7976931348623157e308", "0e999", R"("\u0041\/\ud83d\ude00\u0000")"})
    EXPECT_EQ(minified(text), text);
}

TEST(JsonMinify, refuses_what_is_no_json) {
  EXPECT_EQ(refusal(""), "InvalidJson@0");
  EXPECT_EQ(refusal("  "), "InvalidJson@2");
  EXPECT_EQ(refusal("\xEF\xBB\xBF{}"), "InvalidJson@0");
  EXPECT_EQ(refusal("{} x"), "InvalidJson@3");
  EXPECT_EQ(refusal("{}{}"), "InvalidJson@2");
  EXPECT_EQ(refusal("[1,]"), "InvalidJson@3");
  EXPECT_EQ(refusal("[1 2]"), "InvalidJson@3");
  EXPECT_EQ(refusal(R"({"a":1,})"), "InvalidJson@7");
  EXPECT_EQ(refusal(R"({"a" 1})"), "InvalidJson@5");
  EXPECT_EQ(refusal("{a:1}"), "InvalidJson@1");
  EXPECT_EQ(refusal("{'a':1}"), "InvalidJson@1");
  EXPECT_EQ(refusal("['a']"), "InvalidJson@1");
  EXPECT_EQ(refusal("[1 // one\n]"), "InvalidJson@3");
  EXPECT_EQ(refusal("[1}"), "InvalidJson@2");
  EXPECT_EQ(refusal("[[1]"), "InvalidJson@4");
  EXPECT_EQ(refusal(R"({"a":)"), "InvalidJson@5");
  EXPECT_EQ(refusal("]"), "InvalidJson@0");
  for (const char* word : {"tru", "truex", "True", "nul", "falsey", "NaN", "Infinity", "undefined"})
    EXPECT_EQ(refusal(word), "InvalidJson@0") << word;
  EXPECT_EQ(refusal("-Infinity"), "InvalidJson@0");
  EXPECT_EQ(refusal(std::string_view("1\0", 2)), "InvalidJson@1");
}

TEST(JsonMinify, refuses_malformed_numbers) {
  for (const char* number : {"01", "-01", "+1", "1.", ".5", "-", "-.5", "0x10", "1e", "1e+", "1.e5"})
    EXPECT_EQ(refusal(number), "InvalidJson@0") << number;
  EXPECT_EQ(refusal("1.5.2"), "InvalidJson@3");
}

TEST(JsonMinify, refuses_numbers_that_would_be_rounded_away) {
  for (const char* number : {"9223372036854775808", "-9223372036854775809", "10000000000000000000", "1e309", "-1e400",
                             "0.1e400", "1.7976931348623159e308", "1e99999999999999999999"})
    EXPECT_EQ(refusal(number), "NumberOutOfRange@0") << number;
  EXPECT_EQ(refusal(std::string(400, '9') + ".0"), "NumberOutOfRange@0");
}

TEST(JsonMinify, refuses_bad_strings) {
  EXPECT_EQ(refusal("\"abc"), "InvalidJson@0");
  EXPECT_EQ(refusal("\"abc\\"), "InvalidJson@4");
  EXPECT_EQ(refusal("\"a\nb\""), "InvalidJson@2");
  EXPECT_EQ(refusal(std::string_view("\"a\0b\"", 5)), "InvalidJson@2");
  EXPECT_EQ(refusal(R"("\x41")"), "InvalidJson@1");
  EXPECT_EQ(refusal(R"("\u12g4")"), "InvalidJson@1");
  EXPECT_EQ(refusal(R"("\u12)"), "InvalidJson@1");
}

TEST(JsonMinify, refuses_text_that_is_not_utf8) {
  const std::string_view bad[] = {"\x80",         "\xC0\x80",     "\xC1\xBF",         "\xC3",
                                  "\xE0\x80\x80", "\xE2\x82",     "\xED\xA0\x80",     "\xF0\x80\x80\x80",
                                  "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF",     "\xF0\x9F\x98"};
  for (const std::string_view bytes : bad) {
    EXPECT_EQ(refusal("\"ab" + std::string(bytes) + "\""), "InvalidUtf8@3");
    EXPECT_EQ(refusal("{\"" + std::string(bytes) + "\":1}"), "InvalidUtf8@2");
  }
  for (const char* escape : {R"("\ud800")", R"("\udc00")", R"("\ud800\ud800")", R"("\ud800x")", R"("\ud83d\n")"})
    EXPECT_EQ(refusal(escape), "InvalidUtf8@1") << escape;
  EXPECT_EQ(refusal("\"\u00e9\u20ac\U0001F600\U0010FFFF\""), "");
}

TEST(JsonMinify, refuses_a_name_twice_in_one_object) {
  EXPECT_EQ(refusal(R"({"a":1,"b":{"a":2},"c":[{"a":1}]})"), "");
  EXPECT_EQ(refusal(R"({"a":1,"b":2,"a":3})"), "DuplicateKey@13");
  EXPECT_EQ(refusal(R"({"a":1,"\u0061":3})"), "DuplicateKey@7");
  EXPECT_EQ(refusal(R"({"x":{"":1,"":3}})"), "DuplicateKey@11");
  try {
    minified(R"({"name":1,"name":2})");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.detail().at("key"), "name");
    EXPECT_NE(error.message().find("\"name\""), std::string::npos);
  }
}

TEST(JsonMinify, finds_a_name_twice_in_wide_objects) {
  for (const int count : {15, 16, 17, 18, 1000}) {
    std::string wide = "{";
    for (int i = 0; i < count; ++i) wide += "\"key number " + std::to_string(i) + "\":1,";
    EXPECT_EQ(refusal(wide + "\"other\":1}"), "") << count;
    for (const int twice : {0, count / 2, count - 1})
      EXPECT_EQ(refusal(wide + "\"key number " + std::to_string(twice) + "\":1}"),
                "DuplicateKey@" + std::to_string(wide.size()))
          << count;
  }
}

TEST(JsonMinify, holds_to_the_limits) {
  EXPECT_EQ(refusal(nested(128)), "");
  EXPECT_EQ(refusal(nested(129)), "TooDeep@128");
  EXPECT_EQ(refusal(std::string(1'000'000, '[')), "TooDeep@128");
  EXPECT_EQ(refusal(nested(1000), {1 << 20, 1000}), "");
  EXPECT_EQ(refusal("[1,2]", {5, 128}), "");
  EXPECT_EQ(refusal("[1,2]", {4, 128}), "TooLarge@4");
}

TEST(JsonMinify, reports_facts_for_later_checks) {
  json::Facts facts;
  facts.watched_name = "_id";
  const std::string out = json::minify(R"({ "a" : {"_id": 1}, "_id" : [ 7 ] , "b":2})", {}, "document", &facts);
  ASSERT_TRUE(facts.watched);
  EXPECT_TRUE(facts.is_object);
  EXPECT_FALSE(facts.special_names);
  EXPECT_EQ(out.substr(facts.watched->begin, facts.watched->end - facts.watched->begin), R"("_id":[7])");
  EXPECT_EQ(out.substr(facts.watched->value, facts.watched->end - facts.watched->value), "[7]");
  for (const char* special : {R"({"$a":1})", R"([{"x":{"a.b":1}}])", R"({"a\u0000":1})", R"({"\u0024a":1})"}) {
    json::Facts seen;
    json::minify(special, {}, "document", &seen);
    EXPECT_TRUE(seen.special_names) << special;
  }
}

// Any damage to a valid text is refused or gives valid text again; nothing is read out of bounds.
TEST(JsonMinify, survives_random_damage) {
  const std::string valid = R"({"a":[1,-2.5e3,true,null,"x\u00e9\ud83d\ude00é"],"b":{"c":"d","e":[]}})";
  const std::uint64_t seed = testing::test_seed();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 20000; ++i) {
    std::string damaged = valid;
    for (int n = random() % 3 + 1; n > 0; --n) damaged[random() % damaged.size()] = static_cast<char>(random());
    damaged.resize(random() % 2 ? damaged.size() : random() % damaged.size());
    const std::string exact(damaged.data(), damaged.size());
    if (!refusal(exact).empty()) continue;
    EXPECT_EQ(minified(minified(exact)), minified(exact));
  }
}

TEST(JsonQuote, round_trips_every_character) {
  std::string all;
  for (int c = 0; c < 128; ++c) all += static_cast<char>(c);
  all += "é😀";
  std::string quoted;
  json::append_quoted(quoted, all);
  EXPECT_EQ(minified(quoted), quoted);
  EXPECT_EQ(json::unquoted(quoted), all);
  EXPECT_EQ(json::unquoted(R"("\ud83d\ude00\u00e9\/")"), "😀é/");
}

TEST(JsonDouble, underflow_is_zero_and_overflow_infinite) {
  EXPECT_EQ(json::to_double("1e-400"), 0.0);
  EXPECT_TRUE(std::signbit(json::to_double("-1e-400")));
  EXPECT_EQ(json::to_double("5e-324"), 5e-324);
  EXPECT_TRUE(std::isinf(json::to_double("0.0001e400")));
  EXPECT_EQ(json::to_double("1.25"), 1.25);
}

}  // namespace
}  // namespace stele
