// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Strings. Those named …Bytes count bytes of UTF-8, those named …CP code points. What would not be UTF-8 is refused.
// (Regular expressions: expression_regex.cpp.)
#include "engine/base/error.h"
#include "engine/model/expression_node.h"
#include "engine/model/expression_text.h"

#include <algorithm>

namespace stele::model {
namespace {

constexpr std::size_t string_max = std::size_t{16} << 20;

// What $toLower, $strcasecmp and $substr* take for a string.
std::string as_string(const Call& call, const Result& value) {
  if (value.nullish()) return {};
  if (value->is_string()) return value->string();
  if (!value->is_number() && value->type() != Type::date) call.refuse_type("a string, a number or a date", value);
  return *text_of(*value);
}

void check_size(const Call& call, std::size_t bytes) {
  if (bytes > string_max)
    call.refuse(text("would give a string of ", bytes, " bytes; the limit is ", string_max), ErrorCode::too_large);
}

Result concat_strings(const Call& call) {
  std::string out;
  for (std::size_t i = 0; i < call.count(); ++i) {
    const Result part = call.arg(i);
    if (part.nullish()) return nullptr;
    out += call.string(part, "strings");
    check_size(call, out.size());
  }
  call.context.charge(out.size());
  return out;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

template <char (*change)(char)>
Result cased(const Call& call) {
  std::string out = as_string(call, call.arg(0));
  std::ranges::transform(out, out.begin(), change);
  return out;
}

Result strcasecmp(const Call& call) {
  std::string a = as_string(call, call.arg(0)), b = as_string(call, call.arg(1));
  std::ranges::transform(a, a.begin(), upper);
  std::ranges::transform(b, b.begin(), upper);
  const int c = a.compare(b);
  return (c > 0) - (c < 0);
}

Result substr_bytes(const Call& call) {
  const Result value = call.arg(0), first = call.arg(1), count = call.arg(2);
  const std::string whole = as_string(call, value);
  const std::int64_t start = call.integer(first, "an integer as start"),
                     length = call.integer(count, "an integer as length");
  if (start < 0) call.refuse(text("needs a start that is not below 0, not ", start));
  const auto from = std::min(static_cast<std::size_t>(start), whole.size());
  const std::size_t rest = whole.size() - from;
  const std::size_t n = length < 0 ? rest : std::min(static_cast<std::size_t>(length), rest);
  if (is_continuation(whole, from)) call.refuse(text("would begin inside a character, at byte ", from));
  if (is_continuation(whole, from + n)) call.refuse(text("would end inside a character, at byte ", from + n));
  return whole.substr(from, n);
}

Result substr_cp(const Call& call) {
  const Result value = call.arg(0), first = call.arg(1), count = call.arg(2);
  const std::string whole = as_string(call, value);
  const std::int64_t start = call.integer32(first, "a 32-bit integer as start");
  const std::int64_t length = call.integer32(count, "a 32-bit integer as length");
  if (start < 0 || length < 0) call.refuse("needs a start and a length that are not below 0");
  const std::size_t from = advance(whole, 0, static_cast<std::size_t>(start));
  return whole.substr(from, advance(whole, from, static_cast<std::size_t>(length)) - from);
}

Result str_len_bytes(const Call& call) { return static_cast<std::int64_t>(call.string(call.arg(0)).size()); }

Result str_len_cp(const Call& call) {
  const Result value = call.arg(0);
  return static_cast<std::int64_t>(code_points(call.string(value)));
}

Result split(const Call& call) {
  const Result value = call.arg(0), delimiter = call.arg(1);
  if (value.nullish() || delimiter.nullish()) return nullptr;
  std::string_view rest = call.string(value, "strings");
  const std::string& by = call.string(delimiter, "strings");
  if (by.empty()) call.refuse("needs a delimiter that is not empty");
  Array parts;
  for (std::size_t at; (at = rest.find(by)) != std::string_view::npos; rest.remove_prefix(at + by.size())) {
    parts.push_back(rest.substr(0, at));
    call.context.charge(sizeof(Value) + at);
  }
  parts.push_back(rest);
  return parts;
}

// Blanks when "chars" is not given.
constexpr std::string_view blanks[] = {std::string_view("\0", 1),
                                       " ",
                                       "\t",
                                       "\n",
                                       "\v",
                                       "\f",
                                       "\r",
                                       "\u00A0",
                                       "\u1680",
                                       "\u2000",
                                       "\u2001",
                                       "\u2002",
                                       "\u2003",
                                       "\u2004",
                                       "\u2005",
                                       "\u2006",
                                       "\u2007",
                                       "\u2008",
                                       "\u2009",
                                       "\u200A"};

template <bool left, bool right>
Result trim(const Call& call) {
  const Result input = call.arg(0), chars = call.arg(1);
  if (input.nullish() || (call.given(1) && chars.nullish())) return nullptr;
  std::string_view rest = call.string(input, "a string as \"input\"");
  std::vector<std::string_view> cut(std::begin(blanks), std::end(blanks));
  if (call.given(1)) cut = characters(call.string(chars, "a string as \"chars\""));
  std::ranges::sort(cut);
  while (left && !rest.empty()) {
    const std::size_t next = advance(rest, 0, 1);
    if (!std::ranges::binary_search(cut, rest.substr(0, next))) break;
    rest.remove_prefix(next);
  }
  while (right && !rest.empty()) {
    std::size_t last = rest.size() - 1;
    while (is_continuation(rest, last)) --last;
    if (!std::ranges::binary_search(cut, rest.substr(last))) break;
    rest.remove_suffix(rest.size() - last);
  }
  return rest;
}

Result index_of_bytes(const Call& call) {
  const Result value = call.arg(0), part = call.arg(1);
  if (value.nullish()) return nullptr;
  const std::string& whole = call.string(value, "a string to search");
  const std::string& sought = call.string(part, "a string to find");
  const auto size = static_cast<std::int64_t>(whole.size());
  const std::int64_t from = call.bound(2, 0), to = std::min(call.bound(3, size), size);
  if (from > to) return -1;
  const std::size_t at =
      std::string_view(whole).substr(0, static_cast<std::size_t>(to)).find(sought, static_cast<std::size_t>(from));
  return at == std::string::npos ? Result(-1) : Result(static_cast<std::int64_t>(at));
}

Result index_of_cp(const Call& call) {
  const Result value = call.arg(0), part = call.arg(1);
  if (value.nullish()) return nullptr;
  const std::string& whole = call.string(value, "a string to search");
  const std::string& sought = call.string(part, "a string to find");
  const auto size = static_cast<std::int64_t>(code_points(whole));
  const std::int64_t from = call.bound(2, 0), to = std::min(call.bound(3, size), size);
  if (from > to) return -1;
  const std::size_t first = advance(whole, 0, static_cast<std::size_t>(from)),
                    last = advance(whole, 0, static_cast<std::size_t>(to));
  const std::size_t at = std::string_view(whole).substr(0, last).find(sought, first);
  if (at == std::string::npos) return -1;
  return static_cast<std::int64_t>(code_points(std::string_view(whole).substr(0, at)));
}

struct Replacing {
  Result input, find, replacement;

  explicit Replacing(const Call& call) : input(call.arg(0)), find(call.arg(1)), replacement(call.arg(2)) {
    for (const Result* part : {&input, &find, &replacement})
      if (!part->nullish()) call.string(*part, "strings");
  }
  bool nullish() const { return input.nullish() || find.nullish() || replacement.nullish(); }
};

Result replace_one(const Call& call) {
  const Replacing r(call);
  if (r.nullish()) return nullptr;
  std::string out = r.input->string();
  const std::size_t at = out.find(r.find->string());
  if (at != std::string::npos) out.replace(at, r.find->string().size(), r.replacement->string());
  return out;
}

Result replace_all(const Call& call) {
  const Replacing r(call);
  if (r.nullish()) return nullptr;
  const std::string_view input = r.input->string(), find = r.find->string();
  std::string out;
  std::size_t from = 0;
  for (std::size_t at; (at = input.find(find, from)) != std::string_view::npos;) {
    out.append(input, from, at - from).append(r.replacement->string());
    check_size(call, out.size());
    from = at + find.size();
    if (!find.empty()) continue;
    if (at == input.size()) break;
    from = advance(input, at, 1);  // nothing is found before each character, and at the end
    out.append(input, at, from - at);
  }
  if (from < input.size()) out.append(input, from);
  call.context.charge(out.size());
  return out;
}

constexpr Operator string_table[] = {
    {"$concat", 0, Operator::any, concat_strings},
    {"$toLower", 1, 1, cased<lower>},
    {"$toUpper", 1, 1, cased<upper>},
    {"$strcasecmp", 2, 2, strcasecmp},
    {"$substr", 3, 3, substr_bytes},
    {"$substrBytes", 3, 3, substr_bytes},
    {"$substrCP", 3, 3, substr_cp},
    {"$strLenBytes", 1, 1, str_len_bytes},
    {"$strLenCP", 1, 1, str_len_cp},
    {"$split", 2, 2, split},
    {"$trim", "input chars?", trim<true, true>},
    {"$ltrim", "input chars?", trim<true, false>},
    {"$rtrim", "input chars?", trim<false, true>},
    {"$indexOfBytes", 2, 4, index_of_bytes},
    {"$indexOfCP", 2, 4, index_of_cp},
    {"$replaceOne", "input find replacement", replace_one},
    {"$replaceAll", "input find replacement", replace_all},
};

}  // namespace

std::span<const Operator> string_operators() { return string_table; }

}  // namespace stele::model
