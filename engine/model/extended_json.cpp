// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/extended_json.h"

#include "engine/base/error.h"
#include "engine/base/json.h"
#include "engine/model/calendar.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace stele::model {
namespace {

constexpr std::string_view types_not_offered[] = {"$numberDecimal", "$timestamp", "$minKey", "$maxKey",
                                            "$undefined",     "$symbol",            "$code",      "$dbPointer", "$uuid"};

[[noreturn]] void refuse_extended(std::string_view name, std::string_view rule) {
  fail(ErrorCode::invalid, text("Extended JSON ", name, ": ", rule), {{"reason", "InvalidExtendedJson"}});
}

template <class T>
bool read_all(std::string_view digits, T& out) {
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return !digits.empty() && result.ec == std::errc() && result.ptr == digits.data() + digits.size();
}

// Exactly `n` digits off the front.
bool take_digits(std::string_view& rest, std::size_t n, int& out) {
  if (rest.size() < n) return false;
  int number = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (rest[i] < '0' || rest[i] > '9') return false;
    number = number * 10 + (rest[i] - '0');
  }
  out = number;
  rest.remove_prefix(n);
  return true;
}

bool take(std::string_view& rest, char c) {
  if (rest.empty() || rest.front() != c) return false;
  rest.remove_prefix(1);
  return true;
}

// "Z", "+02:00", "-0530": minutes east of UTC.
bool take_offset(std::string_view& rest, int& minutes) {
  minutes = 0;
  if (take(rest, 'Z')) return true;
  const bool west = take(rest, '-');
  int hours, rest_minutes;
  if (!west && !take(rest, '+')) return false;
  if (!take_digits(rest, 2, hours)) return false;
  take(rest, ':');
  if (!take_digits(rest, 2, rest_minutes) || hours > 23 || rest_minutes > 59) return false;
  minutes = (west ? -1 : 1) * (hours * 60 + rest_minutes);
  return true;
}

// Milliseconds of ".5", ".123456": what is finer stays in the spelling and is not compared.
bool take_fraction(std::string_view& rest, int& milliseconds) {
  milliseconds = 0;
  if (!take(rest, '.')) return true;
  int digits = 0;
  for (int digit; digits < 9 && take_digits(rest, 1, digit); ++digits)
    if (digits < 3) milliseconds = milliseconds * 10 + digit;
  for (int i = digits; i < 3; ++i) milliseconds *= 10;
  return digits > 0;
}

bool read_iso_date(std::string_view rest, std::int64_t& out) {
  int year, month, day, hour, minute, second = 0, milliseconds = 0, offset;
  if (!take_digits(rest, 4, year) || !take(rest, '-') || !take_digits(rest, 2, month) || !take(rest, '-') ||
      !take_digits(rest, 2, day) || !(take(rest, 'T') || take(rest, ' ')) || !take_digits(rest, 2, hour) ||
      !take(rest, ':') || !take_digits(rest, 2, minute))
    return false;
  if (take(rest, ':') && (!take_digits(rest, 2, second) || !take_fraction(rest, milliseconds))) return false;
  if (!take_offset(rest, offset) || !rest.empty() || hour > 23 || minute > 59 || second > 59) return false;
  const std::chrono::year_month_day date(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (!date.ok()) return false;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  out = (((days * 24 + hour) * 60 + minute - offset) * 60 + second) * 1000 + milliseconds;
  return true;
}

Value read_date(const Value& value) {
  std::int64_t milliseconds;
  if (value.is_integer() && value.spelling().starts_with("{\"$numberLong\"")) return Date{value.integer()};
  if (value.is_string() && read_iso_date(value.string(), milliseconds)) return Date{milliseconds};
  refuse_extended("$date", R"(expected "2026-01-31T12:00:00.000Z" (with Z or an offset) or {"$numberLong": "milliseconds"})");
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = static_cast<char>(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

Value read_oid(const Value& value) {
  Oid oid;
  bool ok = value.is_string() && value.string().size() == 24;
  for (std::size_t i = 0; ok && i < 12; ++i) {
    const int high = hex_digit(value.string()[2 * i]), low = hex_digit(value.string()[2 * i + 1]);
    ok = high >= 0 && low >= 0;
    oid.bytes[i] = static_cast<char>(high << 4 | low);
  }
  if (!ok) refuse_extended("$oid", "expected 24 hexadecimal digits in a string");
  return oid;
}

constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool read_base64(std::string_view text, std::string& out) {
  if (text.size() % 4 != 0) return false;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool pad = i >= text.size() - padding;
    const std::size_t digit = pad ? 0 : base64_digits.find(text[i]);
    if (digit == std::string_view::npos) return false;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    if (i % 4 != 3) continue;
    for (int shift = 16; shift >= 0; shift -= 8) out += static_cast<char>(bits >> shift);
    bits = 0;
  }
  for (std::size_t i = 0; i < padding; ++i) {
    if (out.back() != '\0') return false;  // bits that stand for nothing: two texts for one value
    out.pop_back();
  }
  return true;
}

void append_base64(std::string& out, std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j)
      bits = bits << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    for (std::size_t j = 0; j < 4; ++j) out += i + j > bytes.size() ? '=' : base64_digits[bits >> (18 - 6 * j) & 63];
  }
}

Value read_binary(const Value& value) {
  Binary binary;
  const bool shaped = value.is_object() && value.object().size() == 2;
  const Value* base64 = shaped ? value.find("base64") : nullptr;
  const Value* subtype = shaped ? value.find("subType") : nullptr;
  bool ok = base64 && base64->is_string() && read_base64(base64->string(), binary.bytes) && subtype &&
            subtype->is_string() && !subtype->string().empty() && subtype->string().size() <= 2;
  if (ok) {
    const std::string& hex = subtype->string();
    int number = 0;
    for (const char c : hex) {
      ok = ok && hex_digit(c) >= 0;
      number = number << 4 | (hex_digit(c) & 15);
    }
    binary.subtype = static_cast<unsigned char>(number);
  }
  if (!ok) refuse_extended("$binary", R"(expected {"base64": "padded base 64", "subType": "00"})");
  return binary;
}

Value read_regex(const Value& value) {
  const bool shaped = value.is_object() && value.object().size() == 2;
  const Value* source = shaped ? value.find("pattern") : nullptr;
  const Value* options = shaped ? value.find("options") : nullptr;
  if (!source || !source->is_string() || !options || !options->is_string())
    refuse_extended("$regularExpression", R"(expected {"pattern": "^a", "options": "i"})");
  Pattern pattern{source->string(), options->string()};
  if (pattern.source.find('\0') != std::string::npos) refuse_extended("$regularExpression", "the pattern holds a NUL; write \\x00");
  std::ranges::sort(pattern.options);
  const bool twice = std::ranges::adjacent_find(pattern.options) != pattern.options.end();
  if (twice || pattern.options.find_first_not_of("ilmsux") != std::string::npos)
    refuse_extended("$regularExpression", "options are letters of \"ilmsux\", each once");
  return pattern;
}

template <class Integer>
Value read_integer(std::string_view name, const Value& value) {
  Integer number;
  if (!value.is_string() || !read_all(value.string(), number))
    refuse_extended(name, text("expected an integer of ", sizeof number * 8, " bits in a string"));
  return std::int64_t{number};
}

Value read_double(const Value& value) {
  double number;
  if (!value.is_string() || !read_all(value.string(), number)) refuse_extended("$numberDouble", "expected a number in a string");
  if (!std::isfinite(number)) refuse_extended("$numberDouble", "NaN and Infinity are not stored; use null or a string");
  return number;
}

Value read(std::string_view name, const Value& value) {
  if (name == "$date") return read_date(value);
  if (name == "$oid") return read_oid(value);
  if (name == "$binary") return read_binary(value);
  if (name == "$regularExpression") return read_regex(value);
  if (name == "$numberInt") return read_integer<std::int32_t>(name, value);
  if (name == "$numberLong") return read_integer<std::int64_t>(name, value);
  return read_double(value);
}

/// As MongoDB's relaxed form: as text from 1970 to 9999, with milliseconds where there are some.
void append_date(std::string& out, Date date) {
  constexpr std::int64_t year_10000 = 253'402'300'800'000;
  if (date.milliseconds < 0 || date.milliseconds >= year_10000) {
    out += text(R"({"$date":{"$numberLong":")", date.milliseconds, "\"}}");
    return;
  }
  std::string iso = iso_text(date);
  if (iso.ends_with(".000Z")) iso.replace(iso.size() - 5, 5, "Z");
  out += text(R"({"$date":")", iso, "\"}");
}

}  // namespace

std::optional<Value> date_from_extended_json(std::string_view text) {
  constexpr std::string_view begin = R"({"$date":")", end = R"("})";
  std::int64_t milliseconds;
  if (!text.starts_with(begin) || text.size() < begin.size() + end.size()) return std::nullopt;
  if (!read_iso_date(text.substr(begin.size(), text.size() - begin.size() - end.size()), milliseconds)) return std::nullopt;
  Value date = Date{milliseconds};
  date.set_spelling(std::string(text));
  return date;
}

Value from_extended_json(Object object) {
  constexpr std::string_view known[] = {"$date",      "$oid",        "$binary",      "$regularExpression",
                                        "$numberInt", "$numberLong", "$numberDouble"};
  for (const Member& member : object) {
    if (!member.name.starts_with('$')) continue;
    if (std::ranges::find(types_not_offered, member.name) != std::end(types_not_offered)) {
      fail(ErrorCode::unsupported, text("Extended JSON ", member.name, " is not offered; store a string or an object"),
           {{"reason", "ExtendedJson"}});
    }
    if (std::ranges::find(known, member.name) == std::end(known)) continue;
    if (object.size() != 1) refuse_extended(member.name, "it must be the only member of its object");
    Value value = read(member.name, member.value);
    value.set_spelling(to_json(Value(std::move(object))));
    return value;
  }
  return object;
}

void append_extended_json(std::string& out, const Value& value) {
  if (value.type() == Type::date) {
    append_date(out, value.date());
  } else if (value.type() == Type::oid) {
    constexpr char hex[] = "0123456789abcdef";
    out += R"({"$oid":")";
    for (const char c : value.oid().bytes) {
      out += hex[static_cast<unsigned char>(c) >> 4];
      out += hex[c & 15];
    }
    out += "\"}";
  } else if (value.type() == Type::regex) {
    out += R"({"$regularExpression":{"pattern":)";
    json::append_quoted(out, value.pattern().source);
    out += text(",\"options\":\"", value.pattern().options, "\"}}");
  } else {
    char subtype[3];
    std::snprintf(subtype, sizeof subtype, "%02x", value.binary().subtype);
    out += R"({"$binary":{"base64":")";
    append_base64(out, value.binary().bytes);
    out += text("\",\"subType\":\"", subtype, "\"}}");
  }
}

}  // namespace stele::model
