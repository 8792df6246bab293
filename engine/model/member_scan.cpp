// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/member_scan.h"

#include "engine/base/json.h"
#include "engine/model/extended_json.h"

#include <charconv>
#include <cstring>
#include <optional>

namespace stele::model {
namespace {

// The closing quote of the string whose content begins at `at`, or null.
const char* string_end(const char* at, const char* end) {
  for (;;) {
    const auto* quote = static_cast<const char*>(std::memchr(at, '"', static_cast<std::size_t>(end - at)));
    if (!quote) return nullptr;
    const char* escapes = quote;
    while (escapes[-1] == '\\') --escapes;  // stops at the opening quote at the latest
    if ((quote - escapes) % 2 == 0) return quote;
    at = quote + 1;
  }
}

// One past the array or object that begins at `at`, or null.
const char* container_end(const char* at, const char* end) {
  std::size_t depth = 0;
  for (; at != end; ++at) {
    switch (*at) {
      case '{':
      case '[': ++depth; break;
      case '}':
      case ']':
        if (--depth == 0) return at + 1;
        break;
      case '"':
        at = string_end(at + 1, end);
        if (!at) return nullptr;
        break;
      default: break;
    }
  }
  return nullptr;
}

const char* value_end(const char* at, const char* end) {
  if (at == end) return nullptr;
  if (*at == '{' || *at == '[') return container_end(at, end);
  if (*at == '"') {
    const char* quote = string_end(at + 1, end);
    return quote ? quote + 1 : nullptr;
  }
  while (at != end && *at != ',' && *at != '}' && *at != ']') ++at;
  return at;
}

std::string_view between(const char* begin, const char* end) { return {begin, static_cast<std::size_t>(end - begin)}; }

}  // namespace

MemberScan::MemberScan(std::string_view object) : at_(object.data()), end_(object.data() + object.size()) {
  if (object == "{}")
    at_ = end_;
  else if (object.size() > 2 && object.front() == '{')
    ++at_;
  else
    stop();
}

bool MemberScan::stop() {
  stopped_ = true;
  at_ = end_;
  return false;
}

bool MemberScan::next() {
  if (at_ == end_) return false;
  if (*at_ != '"') return stop();
  const char* quote = at_ + 1;
  while (quote != end_ && *quote != '"' && *quote != '\\') ++quote;  // names are short
  if (end_ - quote < 2 || quote[0] != '"' || quote[1] != ':') return stop();
  name_ = between(at_ + 1, quote);
  const char* begin = quote + 2;
  const char* end = value_end(begin, end_);
  if (!end || end == end_ || end == begin) return stop();
  value_ = between(begin, end);
  if (*end == ',' && end + 1 != end_)
    at_ = end + 1;
  else if (*end == '}' && end + 1 == end_)
    at_ = end_;
  else
    return stop();
  return true;
}

Value read_value(std::string_view text, Parser& parser) {
  switch (text[0]) {
    case 'n': return nullptr;
    case 't': return true;
    case 'f': return false;
    case '"':
      if (text.find('\\') != std::string_view::npos) return parser.parse(text);
      return text.substr(1, text.size() - 2);
    case '{':
      if (auto date = date_from_extended_json(text)) return *std::move(date);
      return parser.parse(text);
    case '[': return parser.parse(text);
    default: break;
  }
  std::int64_t integer;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), integer);
  if (read.ec == std::errc() && read.ptr == text.data() + text.size()) return integer;
  return json::to_double(text);
}

Value read_exact(std::string_view text, Parser& parser) {
  const bool is_number = text[0] == '-' || (text[0] >= '0' && text[0] <= '9');
  if (is_number && text.find_first_of(".eE") != std::string_view::npos)
    return Double{json::to_double(text), std::string(text)};
  return text == "-0" ? parser.parse(text) : read_value(text, parser);
}

}  // namespace stele::model
