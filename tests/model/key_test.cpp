// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/key.h"

#include "engine/base/key_codec.h"
#include "engine/model/compare.h"
#include "tests/model/random_value.h"
#include "tests/support/sanitized.h"
#include "tests/support/seed.h"

#include <stele/error.h>

#include <gtest/gtest.h>

namespace stele::model {
namespace {

int sign(int c) { return (c > 0) - (c < 0); }

std::string key_of(const Value& value) {
  std::string key;
  append_key(key, value);
  return key;
}

TEST(ModelKey, orders_the_types_as_mongodb_does) {
  const char* ascending[] = {"null",  "-9223372036854775808", "-1.5", "-0.0", "5e-324", "9007199254740992",
                             "9007199254740993", "9007199254740994.0", "9223372036854775807", "9223372036854775808.0",
                             R"("")", R"("A")", R"("a")", R"("a\u0000")", R"("a\u0001")", R"("é")",
                             "{}", R"({"b":1})", R"({"a":"x"})", "[]", "[null]", "[1]", "[1,1]", "[2]",
                             R"({"$binary":{"base64":"/w==","subType":"00"}})",
                             R"({"$binary":{"base64":"AAA=","subType":"00"}})",
                             R"({"$oid":"000000000000000000000001"})", "false", "true",
                             R"({"$date":"1969-12-31T23:59:59Z"})", R"({"$date":"1970-01-01T00:00:00Z"})"};
  for (std::size_t i = 0; i + 1 < std::size(ascending); ++i) {
    EXPECT_LT(compare(parse(ascending[i]), parse(ascending[i + 1])), 0) << ascending[i] << ' ' << ascending[i + 1];
    EXPECT_LT(key_of(parse(ascending[i])), key_of(parse(ascending[i + 1]))) << ascending[i] << ' ' << ascending[i + 1];
  }
  EXPECT_EQ(key_of(parse("1")), key_of(parse("1.0")));
  EXPECT_EQ(key_of(parse("0")), key_of(parse("-0.0")));
}

// The promise of the encoding: bytes compare as values do, ascending and descending, and alone or
// followed by others.
TEST(ModelKey, bytes_have_the_order_of_values) {
  const std::uint64_t seed = testing::test_seed();
  SCOPED_TRACE(seed);
  Random random(seed);
  for (int i = 0; i < testing::cases(200'000); ++i) {
    const Value a = random_value(random), b = random_value(random);
    std::string key_a = key_of(a), key_b = key_of(b);
    ASSERT_EQ(sign(key_a.compare(key_b)), sign(compare(a, b))) << to_json(a) << " " << to_json(b);
    key::make_descending(key_a, 0);
    key::make_descending(key_b, 0);
    const std::string tail_a(1, static_cast<char>(random())), tail_b(1, static_cast<char>(random()));
    const int expected = compare(a, b) ? -sign(compare(a, b)) : sign(tail_a.compare(tail_b));
    ASSERT_EQ(sign((key_a + tail_a).compare(key_b + tail_b)), expected) << to_json(a) << " " << to_json(b);
  }
}

TEST(ModelKey, every_key_can_be_described) {
  const std::uint64_t seed = testing::test_seed();
  SCOPED_TRACE(seed);
  Random random(seed);
  for (int i = 0; i < testing::cases(20'000); ++i) {
    std::string key = key_of(random_value(random));
    if (random() % 2) key::make_descending(key, 0);
    std::string_view rest = key;
    std::string text;
    ASSERT_TRUE(key::read_value_text(rest, text));
    ASSERT_TRUE(rest.empty()) << text;
  }
}

TEST(ModelKey, refuses_keys_beyond_the_limit) {
  EXPECT_NO_THROW(key_of(std::string(8000, 'a')));
  EXPECT_THROW(key_of(std::string(8192, 'a')), Error);
}

}  // namespace
}  // namespace stele::model
