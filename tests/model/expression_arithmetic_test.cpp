// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/model/expression_case.h"
#include "tests/model/random_value.h"
#include "tests/support/sanitized.h"

#include <cmath>

namespace stele::model {
namespace {

TEST(Arithmetic, keeps_integers_until_they_leave_64_bits) {
  expect({{R"({"$add":[1,2,3]})", "6"},
          {R"({"$add":[]})", "0"},
          {R"({"$add":7})", "7"},
          {R"({"$add":[2147483647,1]})", "2147483648"},
          {R"({"$add":[9223372036854775807,1]})", "9223372036854775808.0"},
          {R"({"$add":[9223372036854775807,1,-1]})", "9223372036854775807"},
          {R"({"$add":[1,2.0]})", "3.0"},
          {R"({"$add":[0.1,0.2,0.3]})", "0.6"},  // as one sum, rounded once
          {R"({"$subtract":[-9223372036854775808,1]})", "-9223372036854775808.0"},
          {R"({"$subtract":[5,7]})", "-2"},
          {R"({"$multiply":[3,4]})", "12"},
          {R"({"$multiply":[]})", "1"},
          {R"({"$multiply":[4611686018427387904,2]})", "9223372036854775808.0"},
          {R"({"$multiply":[2,0.5]})", "1.0"},
          {R"({"$divide":[80,8]})", "10.0"},
          {R"({"$divide":[7,2]})", "3.5"},
          {R"({"$mod":[80,7]})", "3"},
          {R"({"$mod":[-7,3]})", "-1"},
          {R"({"$mod":[5.5,2]})", "1.5"},
          {R"({"$mod":[-9223372036854775808,-1]})", "0"},
          {R"({"$abs":-1})", "1"},
          {R"({"$abs":-1.5})", "1.5"}});
}

TEST(Arithmetic, null_or_missing_gives_null) {
  for (const char* op :
       {"$add", "$subtract", "$multiply", "$divide", "$mod", "$pow", "$log", "$round", "$trunc", "$atan2"}) {
    EXPECT_EQ(evaluated("{\"" + std::string(op) + R"(":["$missing",1]})"), "null") << op;
    EXPECT_EQ(evaluated("{\"" + std::string(op) + R"(":[1,null]})"), "null") << op;
  }
  for (const char* op : {"$abs", "$ceil", "$floor", "$sqrt", "$exp", "$ln", "$log10", "$sin", "$bitNot"})
    EXPECT_EQ(evaluated("{\"" + std::string(op) + R"(":"$missing"})"), "null") << op;
}

TEST(Arithmetic, refuses_other_types_and_undefined_results) {
  for (const char* op : {"$add", "$subtract", "$multiply", "$divide", "$mod", "$pow", "$log", "$round"})
    expect_errors(ErrorCode::invalid, {{"{\"" + std::string(op) + R"(":["a",1]})", op}});
  expect_errors(ErrorCode::invalid, {{R"({"$divide":[1,0]})", "test: $divide cannot divide by 0"},
                                     {R"({"$divide":[1,0.0]})", "divide by 0"},
                                     {R"({"$mod":[1,0]})", "divide by 0"},
                                     {R"({"$add":[1,true]})", "not a value of type bool"},
                                     {R"({"$sqrt":-1})", "$sqrt is not defined for -1"},
                                     {R"({"$ln":0})", "$ln is not defined for 0"},
                                     {R"({"$log10":-1})", "$log10"},
                                     {R"({"$log":[10,1]})", "base"},
                                     {R"({"$acos":2})", "$acos"},
                                     {R"({"$pow":[0,-1]})", "negative power"},
                                     {R"({"$round":[1,1.5]})", "integer"},
                                     {R"({"$round":[1,101]})", "between"},
                                     {R"({"$bitAnd":[1,1.0]})", "integers"}});
  expect_errors(ErrorCode::out_of_range,
                {{R"({"$abs":-9223372036854775808})", "$abs"},
                 {R"({"$exp":1000})", "range of a double"},
                 {R"({"$multiply":[1e308,10]})", "range of a double"},
                 {R"({"$round":[9223372036854775807,-1]})", "64 bits"},
                 {R"({"$add":[{"$date":{"$numberLong":"9223372036854775807"}},1]})", "range of a date"}});
}

TEST(Arithmetic, dates_are_milliseconds) {
  const std::string_view document =
      R"({"a":{"$date":"2014-03-01T08:00:00Z"},"b":{"$date":"2014-03-01T07:59:59.500Z"}})";
  expect({{R"({"$subtract":["$a","$b"]})", "500", document},
          {R"({"$eq":[{"$subtract":["$a",500]},"$b"]})", "true", document},
          {R"({"$eq":[{"$add":[250,"$b",249.7]},"$a"]})", "true", document}});
  expect_errors(ErrorCode::invalid,
                {{R"({"$add":["$a","$b"]})", "one date at most"}, {R"({"$subtract":[5,"$a"]})", "$subtract needs"}},
                document);
}

TEST(Arithmetic, rounding) {
  expect({{R"({"$round":10.5})", "10.0"},
          {R"({"$round":11.5})", "12.0"},
          {R"({"$round":[19.25,1]})", "19.2"},
          {R"({"$round":[28.73,1]})", "28.7"},
          {R"({"$round":[2.675,2]})", "2.67"},  // the double is below 2.675
          {R"({"$round":[34.32,-1]})", "30.0"},
          {R"({"$round":[45.0,-1]})", "40.0"},
          {R"({"$round":[-55.0,-1]})", "-60.0"},
          {R"({"$round":[25,-1]})", "20"},
          {R"({"$round":[35,-1]})", "40"},
          {R"({"$round":[-36,-1]})", "-40"},
          {R"({"$round":[1234567,-20]})", "0"},
          {R"({"$round":[5,3]})", "5"},
          {R"({"$trunc":7.8})", "7.0"},
          {R"({"$trunc":[-2.35,1]})", "-2.3"},
          {R"({"$trunc":[1234.5678,2]})", "1234.56"},
          {R"({"$trunc":[1295,-2]})", "1200"},
          {R"({"$trunc":[1295.5,-2]})", "1200.0"},
          {R"({"$ceil":7.2})", "8.0"},
          {R"({"$ceil":-2.8})", "-2.0"},
          {R"({"$floor":-2.8})", "-3.0"},
          {R"({"$floor":5})", "5"}});
}

TEST(Arithmetic, powers_and_logarithms) {
  expect({{R"({"$pow":[5,2]})", "25"},
          {R"({"$pow":[5,-2]})", "0.04"},
          {R"({"$pow":[1,-5]})", "1"},
          {R"({"$pow":[-1,-5]})", "-1"},
          {R"({"$pow":[2,62]})", "4611686018427387904"},
          {R"({"$pow":[2,63]})", "9223372036854775808.0"},
          {R"({"$pow":[-2,63]})", "-9223372036854775808"},
          {R"({"$pow":[-1,9223372036854775807]})", "-1"},
          {R"({"$pow":[4,0.5]})", "2.0"},
          {R"({"$sqrt":25})", "5.0"},
          {R"({"$exp":0})", "1.0"},
          {R"({"$ln":1})", "0.0"},
          {R"({"$log":[100,10]})", "2.0"},
          {R"({"$log10":1000})", "3.0"},
          {R"({"$degreesToRadians":180})", "3.141592653589793"},
          {R"({"$sin":0})", "0.0"},
          {R"({"$bitAnd":[12,10]})", "8"},
          {R"({"$bitOr":[12,10]})", "14"},
          {R"({"$bitXor":[12,10]})", "6"},
          {R"({"$bitNot":5})", "-6"}});
}

TEST(Arithmetic, agrees_with_wide_integers) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE(seed);
  Random random(seed);
  __extension__ typedef __int128 Wide;
  const auto fits = [](Wide v) { return v >= INT64_MIN && v <= INT64_MAX; };
  for (int i = 0; i < testing::cases(20'000); ++i) {
    const auto shift_a = random() % 64, shift_b = random() % 64;
    const std::int64_t a = static_cast<std::int64_t>(random()) >> shift_a,
                       b = static_cast<std::int64_t>(random()) >> shift_b;
    const auto run = [&](const char* op) {
      return *Expression::parse(Object{{op, Array{a, b}}}, "test").evaluate(Value());
    };
    const auto check = [&](const char* op, Wide wanted) {
      const Value got = run(op);
      ASSERT_EQ(got.is_integer(), fits(wanted)) << op << ' ' << a << ' ' << b;
      if (fits(wanted))
        ASSERT_EQ(got.integer(), wanted) << op << ' ' << a << ' ' << b;
      else
        ASSERT_NEAR(got.number(), static_cast<double>(wanted), std::abs(got.number()) * 1e-15)
            << op << ' ' << a << ' ' << b;
    };
    check("$add", Wide{a} + b);
    check("$subtract", Wide{a} - b);
    check("$multiply", Wide{a} * b);
    if (b == 0) continue;
    const Value quotient = run("$divide"), rest = run("$mod");
    ASSERT_EQ(rest.integer(), b == -1 ? 0 : a % b);
    ASSERT_EQ(quotient.number(), static_cast<double>(a) / static_cast<double>(b));
  }
}

}  // namespace
}  // namespace stele::model
