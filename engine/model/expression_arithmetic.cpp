// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Arithmetic. Integers stay integers while the result fits 64 bits and become doubles beyond, as in MongoDB; dates are
// milliseconds. Null or missing among the operands gives null.
#include "engine/base/error.h"
#include "engine/model/expression_node.h"
#include "engine/model/expression_numbers.h"

#include <charconv>
#include <cmath>

namespace stele::model {
namespace {

constexpr auto int64_least = std::numeric_limits<std::int64_t>::min();

bool is_date(const Result& value) { return !value.missing() && value->type() == Type::date; }

const Value& number(const Call& call, const Result& value, std::string_view needed = "numbers") {
  if (value.missing() || !value->is_number()) call.refuse_type(needed, value);
  return *value;
}

// Both operands as numbers; false when one is null or missing.
struct Operands {
  Result left, right;

  explicit Operands(const Call& call) : left(call.arg(0)), right(call.arg(1)) {}
  bool nullish() const { return left.nullish() || right.nullish(); }
  bool integers() const { return left->is_integer() && right->is_integer(); }
};

Result date_at(const Call& call, const Sum& sum) {
  const auto milliseconds = sum.rounded();
  if (!milliseconds) call.refuse("leaves the range of a date", ErrorCode::out_of_range);
  return Date{*milliseconds};
}

Result add(const Call& call) {
  Sum sum;
  bool date = false;
  for (std::size_t i = 0; i < call.count(); ++i) {
    const Result value = call.arg(i);
    if (value.nullish()) return nullptr;
    if (is_date(value)) {
      if (date) call.refuse("adds one date at most; $subtract gives the time between two");
      date = true;
      sum.add(value->date().milliseconds);
    } else {
      sum.add(number(call, value, "numbers and at most one date"));
    }
  }
  return date ? date_at(call, sum) : sum.result(call);
}

Result subtract(const Call& call) {
  const Operands o(call);
  if (o.nullish()) return nullptr;
  Sum sum;
  if (is_date(o.left))
    sum.add(o.left->date().milliseconds);
  else
    sum.add(number(call, o.left, "two numbers, two dates, or a date and a number"));
  if (is_date(o.left) && is_date(o.right)) {
    sum.subtract(o.right->date().milliseconds);
    return sum.result(call);
  }
  sum.subtract(number(call, o.right, "two numbers, two dates, or a date and a number"));
  return is_date(o.left) ? date_at(call, sum) : sum.result(call);
}

Result multiply(const Call& call) {
  std::int64_t integers = 1;
  double doubles = 1;
  bool exact = true;
  for (std::size_t i = 0; i < call.count(); ++i) {
    const Result value = call.arg(i);
    if (value.nullish()) return nullptr;
    const Value& factor = number(call, value);
    doubles *= factor.number();
    exact = exact && factor.is_integer() && !__builtin_mul_overflow(integers, factor.integer(), &integers);
  }
  return exact ? Result(integers) : call.finite(doubles);
}

Result divide(const Call& call) {
  const Operands o(call);
  if (o.nullish()) return nullptr;
  const double numerator = number(call, o.left).number(), denominator = number(call, o.right).number();
  if (denominator == 0) call.refuse("cannot divide by 0");
  return call.finite(numerator / denominator);
}

Result mod(const Call& call) {
  const Operands o(call);
  if (o.nullish()) return nullptr;
  const Value &left = number(call, o.left), &right = number(call, o.right);
  if (right.number() == 0) call.refuse("cannot divide by 0");
  if (!o.integers()) return call.finite(std::fmod(left.number(), right.number()));
  return right.integer() == -1 ? Result(0) : Result(left.integer() % right.integer());
}

Result abs(const Call& call) {
  const Result value = call.arg(0);
  if (value.nullish()) return nullptr;
  if (!number(call, value, "a number").is_integer()) return std::fabs(value->real().number);
  if (value->integer() == int64_least) call.refuse("of the least integer leaves 64 bits", ErrorCode::out_of_range);
  return std::abs(value->integer());
}

// Operators on one double. `valid` says which it takes.
template <double (*function)(double), bool (*valid)(double)>
Result unary(const Call& call) {
  const Result value = call.arg(0);
  if (value.nullish()) return nullptr;
  const double operand = number(call, value, "a number").number();
  if (!valid(operand)) call.refuse(text("is not defined for ", to_json(*value)));
  return call.finite(function(operand));
}

template <double (*function)(double)>
Result whole(const Call& call) {
  const Result value = call.arg(0);
  if (value.nullish()) return nullptr;
  return number(call, value, "a number").is_integer() ? Result(value->integer())
                                                      : Result(function(value->real().number));
}

template <std::int64_t (*integers)(const Call&, std::int64_t, int), double (*doubles)(double, int)>
Result to_place(const Call& call) {
  const Result value = call.arg(0), given = call.arg(1);
  if (value.nullish() || (call.given(1) && given.nullish())) return nullptr;
  number(call, value, "a number");
  const std::int64_t place = call.given(1) ? call.integer(given, "an integer as place") : 0;
  if (place < -20 || place > 100) call.refuse(text("needs a place between -20 and 100, not ", place));
  const int digits = static_cast<int>(place);
  if (value->is_integer()) return integers(call, value->integer(), digits);
  return call.finite(doubles(value->real().number, digits));
}

std::int64_t round_integer(const Call& call, std::int64_t value, int place) {
  const auto rounded = stele::model::round_half_even(value, place);
  if (!rounded) call.refuse("leaves 64 bits", ErrorCode::out_of_range);
  return *rounded;
}

std::int64_t truncate_integer(const Call&, std::int64_t value, int place) {
  return stele::model::truncate(value, place);
}

std::optional<std::int64_t> integer_power(std::int64_t base, std::int64_t exponent) {
  if (base == 1) return 1;
  if (base == -1) return exponent % 2 == 0 ? 1 : -1;
  if (exponent < 0) return std::nullopt;
  if (base == 0) return exponent == 0 ? 1 : 0;
  std::int64_t power = 1;
  for (; exponent > 0; --exponent)  // at most 63 steps: then it overflows
    if (__builtin_mul_overflow(power, base, &power)) return std::nullopt;
  return power;
}

Result pow(const Call& call) {
  const Operands o(call);
  if (o.nullish()) return nullptr;
  const double base = number(call, o.left).number(), exponent = number(call, o.right).number();
  if (base == 0 && exponent < 0) call.refuse("cannot raise 0 to a negative power");
  if (o.integers())
    if (const auto power = integer_power(o.left->integer(), o.right->integer())) return *power;
  return call.finite(std::pow(base, exponent));
}

Result log(const Call& call) {
  const Operands o(call);
  if (o.nullish()) return nullptr;
  const double value = number(call, o.left).number(), base = number(call, o.right).number();
  if (value <= 0) call.refuse("needs a number above 0");
  if (base <= 0 || base == 1) call.refuse("needs a base above 0 that is not 1");
  return call.finite(std::log(value) / std::log(base));
}

Result atan2(const Call& call) {
  const Operands o(call);
  if (o.nullish()) return nullptr;
  return std::atan2(number(call, o.left).number(), number(call, o.right).number());
}

template <class Combine>
Result bits(const Call& call, std::int64_t start, Combine combine) {
  std::int64_t all = start;
  bool null = false;
  for (std::size_t i = 0; i < call.count(); ++i) {
    const Result value = call.arg(i);
    null |= value.nullish();
    if (!value.nullish() && !value->is_integer()) call.refuse_type("integers", value);
    if (!value.nullish()) all = combine(all, value->integer());
  }
  return null ? Result(nullptr) : Result(all);
}

Result bit_and(const Call& call) {
  return bits(call, -1, [](std::int64_t a, std::int64_t b) { return a & b; });
}
Result bit_or(const Call& call) {
  return bits(call, 0, [](std::int64_t a, std::int64_t b) { return a | b; });
}
Result bit_xor(const Call& call) {
  return bits(call, 0, [](std::int64_t a, std::int64_t b) { return a ^ b; });
}
Result bit_not(const Call& call) {
  return bits(call, -1, [](std::int64_t, std::int64_t b) { return ~b; });
}

bool always(double) { return true; }
bool above_zero(double x) { return x > 0; }
bool not_negative(double x) { return x >= 0; }
bool within_one(double x) { return x >= -1 && x <= 1; }
bool inside_one(double x) { return x > -1 && x < 1; }
bool from_one(double x) { return x >= 1; }
double to_radians(double degrees) { return degrees * (M_PI / 180); }
double to_degrees(double radians) { return radians * (180 / M_PI); }

constexpr Operator arithmetic_table[] = {
    {"$add", 0, Operator::any, add},
    {"$subtract", 2, 2, subtract},
    {"$multiply", 0, Operator::any, multiply},
    {"$divide", 2, 2, divide},
    {"$mod", 2, 2, mod},
    {"$abs", 1, 1, abs},
    {"$ceil", 1, 1, whole<std::ceil>},
    {"$floor", 1, 1, whole<std::floor>},
    {"$round", 1, 2, to_place<round_integer, round_half_even>},
    {"$trunc", 1, 2, to_place<truncate_integer, truncate>},
    {"$pow", 2, 2, pow},
    {"$sqrt", 1, 1, unary<std::sqrt, not_negative>},
    {"$exp", 1, 1, unary<std::exp, always>},
    {"$ln", 1, 1, unary<std::log, above_zero>},
    {"$log", 2, 2, log},
    {"$log10", 1, 1, unary<std::log10, above_zero>},
    {"$sin", 1, 1, unary<std::sin, always>},
    {"$cos", 1, 1, unary<std::cos, always>},
    {"$tan", 1, 1, unary<std::tan, always>},
    {"$asin", 1, 1, unary<std::asin, within_one>},
    {"$acos", 1, 1, unary<std::acos, within_one>},
    {"$atan", 1, 1, unary<std::atan, always>},
    {"$atan2", 2, 2, atan2},
    {"$sinh", 1, 1, unary<std::sinh, always>},
    {"$cosh", 1, 1, unary<std::cosh, always>},
    {"$tanh", 1, 1, unary<std::tanh, always>},
    {"$asinh", 1, 1, unary<std::asinh, always>},
    {"$acosh", 1, 1, unary<std::acosh, from_one>},
    {"$atanh", 1, 1, unary<std::atanh, inside_one>},
    {"$degreesToRadians", 1, 1, unary<to_radians, always>},
    {"$radiansToDegrees", 1, 1, unary<to_degrees, always>},
    {"$bitAnd", 0, Operator::any, bit_and},
    {"$bitOr", 0, Operator::any, bit_or},
    {"$bitXor", 0, Operator::any, bit_xor},
    {"$bitNot", 1, 1, bit_not},
};

}  // namespace

std::span<const Operator> arithmetic_operators() { return arithmetic_table; }

}  // namespace stele::model
