// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Filters read the text of stored documents without parsing them: it must be as if they did.
#include "engine/model/compare.h"
#include "engine/model/filter.h"
#include "engine/model/member_scan.h"
#include "tests/model/random_value.h"
#include "tests/support/seed.h"

#include <stele/error.h>

#include <gtest/gtest.h>

#include <cstdlib>

namespace stele::model {
namespace {

using testing::test_seed;

std::string stepped(std::string_view object) {
  MemberScan scan(object);
  std::string out;
  while (scan.next()) out += std::string(scan.name()) + '=' + std::string(scan.value()) + ' ';
  return out + (scan.stopped() ? "stopped" : "end");
}

TEST(MemberScan, steps_over_members) {
  EXPECT_EQ(stepped("{}"), "end");
  EXPECT_EQ(stepped(R"({"a":1,"":true})"), "a=1 =true end");
  EXPECT_EQ(stepped(R"({"a":[{"b":"]}"},[]],"c":{"d":"\\\"}"}})"), R"(a=[{"b":"]}"},[]] c={"d":"\\\"}"} end)");
  EXPECT_EQ(stepped(R"({"a":"\\","b":"x\\\\\"y,"})"), R"(a="\\" b="x\\\\\"y," end)");
}

TEST(MemberScan, stops_where_it_does_not_understand) {
  EXPECT_EQ(stepped(R"({"a":1,"\u0062":2})"), "a=1 stopped");
  for (const char* damaged :
       {"", "[]", "{", "1", R"({"a)", R"({"a")", R"({"a":)", R"({"a":})", R"({"a":1)", R"({"a":"x)", R"({"a":[1})",
        R"({"a":{"b":"})", R"({"a":1,)", R"({"a":1}})", R"({"a":1]})", R"({,})", R"({"a":"\)"})
    EXPECT_EQ(stepped(damaged), "stopped") << damaged;
}

TEST(MemberScan, reads_values_as_the_parser_does) {
  Parser parser;
  for (const char* text : {"null",
                           "true",
                           "false",
                           "0",
                           "-0",
                           "-0.0",
                           "9223372036854775807",
                           "-9223372036854775808",
                           "1.5",
                           "1e3",
                           "1E-400",
                           R"("")",
                           R"("a")",
                           R"("\u00e9\"\\")",
                           "[1,[2]]",
                           R"({"a":{"$date":"2026-01-01T00:00:00Z"}})",
                           R"({"$date":"2026-01-01T00:00:00.5+01:00"})",
                           R"({"$date":{"$numberLong":"-5"}})",
                           R"({"$numberLong":"5"})",
                           R"({"$oid":"0123456789abcdef01234567"})",
                           R"({"$date":"2026-01-01T00:00:00\u005a"})"}) {
    const Value read = read_value(text, parser), expected = parse(text);
    EXPECT_TRUE(equal(read, expected)) << text;
    EXPECT_EQ(read.is_integer(), expected.is_integer()) << text;
  }
  EXPECT_THROW(read_value(R"({"$date":"yesterday"})", parser), Error);
}

TEST(FilterScan, finds_names_and_values_in_any_spelling) {
  const auto matches = [](std::string_view filter, std::string_view document) {
    Scratch scratch;
    return Filter::parse(filter).matches_json(document, scratch);
  };
  EXPECT_TRUE(matches(R"({"b":2,"a":1})", R"({"a":1,"\u0062":2})"));
  EXPECT_TRUE(matches(R"({"a\n":"é\""})", R"({"x":0,"a\n":"\u00e9\""})"));
  EXPECT_TRUE(matches(R"({"b":null,"a":{"$ne":2}})", R"({"a":1})"));
  EXPECT_FALSE(matches(R"({"a":1,"b":{"$exists":true}})", R"({"a":1})"));
  EXPECT_TRUE(matches(R"({"$or":[{"a":2},{"c.d":1}],"b":1})", R"({"a":1,"b":1,"c":{"d":1}})"));
  EXPECT_FALSE(matches(R"({"$or":[{"a":2},{"c":2}],"b":1})", R"({"a":1,"b":1})"));
}

TEST(FilterScan, one_scratch_serves_many_documents_and_filters) {
  Scratch scratch;
  const Filter one = Filter::parse(R"({"a":"a long string, so that it is allocated"})"),
               two = Filter::parse(R"({"b":1,"a":1})");
  EXPECT_TRUE(one.matches_json(R"({"a":"a long string, so that it is allocated"})", scratch));
  EXPECT_FALSE(two.matches_json(R"({"b":1})", scratch));
  EXPECT_TRUE(two.matches_json(R"({"a":1,"b":1})", scratch));
  EXPECT_FALSE(one.matches_json("{}", scratch));
}

TEST(FilterScan, damaged_text_is_not_fatal) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("STELE_TEST_SEED=" + std::to_string(seed));
  Random random(seed);
  const Filter filter = Filter::parse(R"({"$or":[{"c":1},{"a.b":{"$gt":0}}],"b":{"$ne":"x"}})");
  Scratch scratch;
  int refused = 0;
  for (int i = 0; i < 5'000; ++i) {
    std::string text = to_json(random_small_object(random, 3));
    for (std::uint64_t n = random() % 3; n > 0; --n) text[random() % text.size()] = "\"\\{}[],:u1"[random() % 10];
    if (random() % 2) text.resize(random() % (text.size() + 1));
    const std::unique_ptr<char[]> exact(new char[text.size()]);  // so that a sanitizer sees reads beyond
    std::copy(text.begin(), text.end(), exact.get());
    try {
      (void)filter.matches_json({exact.get(), text.size()}, scratch);
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 500);
}

TEST(FilterScan, strings_are_looked_for_in_the_text_however_they_are_spelled) {
  Scratch scratch;
  const auto matches = [&](const char* filter, const std::string& document) {
    return Filter::parse(filter).matches_json(document, scratch);
  };
  EXPECT_TRUE(matches(R"({"a.b":"xyz"})", R"({"n":1,"a":{"b":"xyz"}})"));
  EXPECT_TRUE(matches(R"({"a.b":"xyz"})", R"({"n":1,"a":[{"b":"x"},{"b":["y","\u0078yz"]}]})"));
  EXPECT_FALSE(matches(R"({"a.b":"xyz"})", R"({"n":1,"a":{"b":"xy"},"c":"z","d":"\\"})"));
  EXPECT_FALSE(matches(R"({"a.b":"xyz"})", R"({"a":"xyz","b":"xyz"})"));
  EXPECT_TRUE(matches(R"({"a":"\u00e9t\u00e9"})", R"({"a":"été"})"));
  EXPECT_TRUE(matches(R"({"a":"a/b"})", R"({"a":"a\/b"})"));
  EXPECT_TRUE(matches(R"({"a":"say \"x\""})", R"({"a":"say \"x\""})"));
  EXPECT_TRUE(matches(R"({"a":{"$in":["x",null]},"b":"q"})", R"({"b":"q"})"));
  EXPECT_TRUE(matches(R"({"a":""})", R"({"a":""})"));
  // At every place and of every length.
  for (std::size_t length : {1, 2, 3, 15, 16, 17, 40}) {
    const std::string word = std::string(length - 1, 'v') + 'w';
    const Filter filter = Filter::parse(R"({"a":")" + word + R"("})");
    for (std::size_t before = 0; before < 40; ++before) {
      const std::string head = R"({"b":")" + std::string(before, 'v') + R"(","a":")";
      EXPECT_TRUE(filter.matches_json(head + word + R"("})", scratch)) << length << ' ' << before;
      EXPECT_FALSE(filter.matches_json(head + word + R"(x"})", scratch)) << length << ' ' << before;
    }
  }
}

}  // namespace
}  // namespace stele::model
