// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/expression_text.h"

#include "engine/model/calendar.h"

#include <charconv>

namespace stele::model {

std::size_t code_points(std::string_view utf8) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < utf8.size(); ++i) count += !is_continuation(utf8, i);
  return count;
}

std::size_t advance(std::string_view utf8, std::size_t from, std::size_t count) {
  for (; count > 0 && from < utf8.size(); --count)
    while (is_continuation(utf8, ++from)) {
    }
  return std::min(from, utf8.size());
}

std::vector<std::string_view> characters(std::string_view utf8) {
  std::vector<std::string_view> all;
  for (std::size_t from = 0; from < utf8.size();) {
    const std::size_t next = advance(utf8, from, 1);
    all.push_back(utf8.substr(from, next - from));
    from = next;
  }
  return all;
}

std::optional<std::string> text_of(const Value& value) {
  switch (value.type()) {
    case Type::string: return value.string();
    case Type::boolean: return value.boolean() ? "true" : "false";
    case Type::date: return iso_text(value.date());
    case Type::number: {
      if (value.is_integer()) return std::to_string(value.integer());
      char buffer[40];  // as MongoDB writes it, %.16g: not all digits that a double may have
      const auto end =
          std::to_chars(buffer, buffer + sizeof buffer, value.real().number, std::chars_format::general, 16).ptr;
      return std::string(buffer, end);
    }
    case Type::oid: {
      constexpr char hex[] = "0123456789abcdef";
      std::string out;
      for (const char c : value.oid().bytes) {
        out += hex[static_cast<unsigned char>(c) >> 4];
        out += hex[c & 15];
      }
      return out;
    }
    default: return std::nullopt;
  }
}

}  // namespace stele::model
