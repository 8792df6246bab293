// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// From type to type. There is one type of integers; "int" is what fits 32 bits of it.
#include "engine/base/error.h"
#include "engine/model/calendar.h"
#include "engine/model/date_text.h"
#include "engine/model/expression_node.h"
#include "engine/model/expression_text.h"

#include <charconv>
#include <cmath>
#include <limits>

namespace stele::model {
namespace {

// A value, or why there is none.
struct Converted {
  std::optional<Value> value;
  std::string failure;

  Converted(Value v) : value(std::move(v)) {}
  static Converted failed(std::string why) {
    Converted none(nullptr);
    none.value.reset();
    none.failure = std::move(why);
    return none;
  }
};

Converted impossible(const Value& value, std::string_view target) {
  return Converted::failed(text("cannot make ", target, " of a value of type ", name(value.type())));
}

template <class Number>
std::optional<Number> number_in(std::string_view digits) {
  if (digits.size() > 1 && digits[0] == '+' && digits[1] != '-') digits.remove_prefix(1);
  Number number;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || result.ec != std::errc() || result.ptr != digits.data() + digits.size()) return std::nullopt;
  return number;
}

template <class Integer>
Converted to_integer(const Value& value) {
  constexpr auto least = std::numeric_limits<Integer>::min(), most = std::numeric_limits<Integer>::max();
  const std::string_view target = sizeof(Integer) == 4 ? "an int" : "a long";
  if (value.is_integer()) {
    if (value.integer() < least || value.integer() > most)
      return Converted::failed(text(value.integer(), " does not fit ", target));
    return Value(value.integer());
  }
  if (value.is_number()) {
    const double whole = std::trunc(value.real().number);
    if (whole < static_cast<double>(least) || whole >= -static_cast<double>(least))
      return Converted::failed(text(to_json(value), " does not fit ", target));
    return Value(static_cast<std::int64_t>(whole));
  }
  if (value.type() == Type::boolean) return Value(value.boolean() ? 1 : 0);
  if (value.type() == Type::date && sizeof(Integer) == 8) return Value(value.date().milliseconds);
  if (!value.is_string()) return impossible(value, target);
  if (const auto number = number_in<Integer>(value.string())) return Value(std::int64_t{*number});
  return Converted::failed(text("cannot make ", target, " of the string \"", value.string().substr(0, 50), '"'));
}

Converted to_double(const Value& value) {
  if (value.is_number()) return value.is_integer() ? Value(value.number()) : value;
  if (value.type() == Type::boolean) return Value(value.boolean() ? 1.0 : 0.0);
  if (value.type() == Type::date) return Value(static_cast<double>(value.date().milliseconds));
  if (!value.is_string()) return impossible(value, "a double");
  const auto number = number_in<double>(value.string());
  if (number && std::isfinite(*number)) return Value(*number);
  return Converted::failed(text("cannot make a double of the string \"", value.string().substr(0, 50), '"'));
}

Converted to_bool(const Value& value) { return Value(truth(value)); }

Converted to_text(const Value& value) {
  if (auto string = text_of(value)) return Value(std::move(*string));
  return impossible(value, "a string");
}

Converted to_date(const Value& value) {
  if (value.type() == Type::date) return value;
  if (value.type() == Type::oid) return Value(date_of_oid(value.oid()));
  if (value.is_number()) {
    const Converted milliseconds = to_integer<std::int64_t>(value);
    if (!milliseconds.value) return milliseconds;
    return Value(Date{milliseconds.value->integer()});
  }
  if (!value.is_string()) return impossible(value, "a date");
  if (const auto date = date_of_text(value.string(), std::nullopt)) return Value(*date);
  return Converted::failed(text("cannot make a date of the string \"", value.string().substr(0, 50), '"'));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = static_cast<char>(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

Converted to_oid(const Value& value) {
  if (value.type() == Type::oid) return value;
  if (!value.is_string()) return impossible(value, "an object id");
  const std::string& digits = value.string();
  Oid oid{};
  bool ok = digits.size() == 24;
  for (std::size_t i = 0; ok && i < 12; ++i) {
    const int high = hex_digit(digits[2 * i]), low = hex_digit(digits[2 * i + 1]);
    ok = high >= 0 && low >= 0;
    if (ok) oid.bytes[i] = static_cast<char>(high << 4 | low);
  }
  if (ok) return Value(oid);
  return Converted::failed(
      text("cannot make an object id of the string \"", digits.substr(0, 50), "\": 24 hexadecimal digits are needed"));
}

using Conversion = Converted (*)(const Value&);

struct Target {
  std::string_view name;
  int code;            // BSON's number of the type
  Conversion convert;  // null: not offered
};

constexpr Target targets[] = {
    {"double", 1, to_double},
    {"string", 2, to_text},
    {"object", 3, nullptr},
    {"array", 4, nullptr},
    {"binData", 5, nullptr},
    {"objectId", 7, to_oid},
    {"bool", 8, to_bool},
    {"date", 9, to_date},
    {"int", 16, to_integer<std::int32_t>},
    {"long", 18, to_integer<std::int64_t>},
    {"decimal", 19, nullptr},
};

template <Conversion convert>
Result to(const Call& call) {
  const Result value = call.arg(0);
  if (value.nullish()) return nullptr;
  Converted converted = convert(*value);
  if (!converted.value) call.refuse(text("failed: ", converted.failure));
  return std::move(*converted.value);
}

const Target& target_of(const Call& call, const Result& to) {
  const Value* wanted = to->is_object() ? to->find("type") : to.get();
  if (!wanted || !(wanted->is_string() || wanted->is_number())) call.refuse("needs a type's name or number as \"to\"");
  for (const Target& target : targets) {
    if (wanted->is_string() ? wanted->string() != target.name : wanted->number() != target.code) continue;
    if (!target.convert) call.refuse(text("to \"", target.name, "\" is not offered"), ErrorCode::unsupported);
    return target;
  }
  call.refuse(text("knows no type ", to_json(*wanted), "; known: double string objectId bool date int long"));
}

// input to onError? onNull?
Result convert(const Call& call) {
  const Result to = call.arg(1);
  if (to.nullish()) return nullptr;
  const Target& target = target_of(call, to);
  const Result input = call.arg(0);
  if (input.nullish()) return call.given(3) ? call.arg(3) : Result(nullptr);
  Converted converted = target.convert(*input);
  if (converted.value) return std::move(*converted.value);
  if (call.given(2)) return call.arg(2);
  call.refuse(text("failed: ", converted.failure));
}

Result type(const Call& call) {
  constexpr std::string_view names[] = {"null",    "",         "string", "object", "array",
                                        "binData", "objectId", "bool",   "date",   "regex"};
  const Result value = call.arg(0);
  if (value.missing()) return std::string_view("missing");
  if (!value->is_number()) return names[static_cast<std::size_t>(value->type())];
  if (!value->is_integer()) return std::string_view("double");
  return std::string_view(value->integer() == static_cast<std::int32_t>(value->integer()) ? "int" : "long");
}

Result is_number(const Call& call) {
  const Result value = call.arg(0);
  return !value.missing() && value->is_number();
}

constexpr Operator conversion_table[] = {
    {"$convert", "input to onError? onNull?", convert},
    {"$toBool", 1, 1, to<to_bool>},
    {"$toDate", 1, 1, to<to_date>},
    {"$toDouble", 1, 1, to<to_double>},
    {"$toInt", 1, 1, to<to_integer<std::int32_t>>},
    {"$toLong", 1, 1, to<to_integer<std::int64_t>>},
    {"$toObjectId", 1, 1, to<to_oid>},
    {"$toString", 1, 1, to<to_text>},
    {"$type", 1, 1, type},
    {"$isNumber", 1, 1, is_number},
};

}  // namespace

std::span<const Operator> conversion_operators() { return conversion_table; }

}  // namespace stele::model
