// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/stele/raw_json.h"

#include "engine/base/error.h"
#include "engine/base/json.h"

namespace stele::tool {

namespace {

constexpr std::size_t nowhere = std::string_view::npos;

/// The closing quote of the string that opens at `at`.
std::size_t closing_quote(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '"') return at;
    if (text[at] == '\\') ++at;
  }
  return nowhere;
}

/// One past the value that begins at `at`; nowhere when it does not end.
std::size_t value_end(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  for (; at < text.size(); ++at) {
    switch (text[at]) {
      case '"':
        at = closing_quote(text, at);
        if (at == nowhere) return nowhere;
        if (depth == 0) return at + 1;
        break;
      case '{':
      case '[': ++depth; break;
      case '}':
      case ']':
        if (depth == 0) return at;
        if (--depth == 0) return at + 1;
        break;
      case ',':
        if (depth == 0) return at;
        break;
      default: break;
    }
  }
  return depth == 0 ? at : nowhere;
}

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  return std::min(text.find_first_not_of(" \t\r\n", at), text.size());
}

}  // namespace

std::vector<RawMember> members(std::string_view object) {
  std::vector<RawMember> found;
  for (std::size_t at = 1; at < object.size() && object[at] == '"';) {
    const std::size_t quote = closing_quote(object, at);
    const std::size_t end = value_end(object, quote + 2);
    found.push_back({json::unquoted(object.substr(at, quote + 1 - at)), object.substr(quote + 2, end - quote - 2)});
    at = end + 1;
  }
  return found;
}

std::vector<std::string_view> elements(std::string_view array) {
  std::vector<std::string_view> found;
  for (std::size_t at = 1; at + 1 < array.size();) {
    const std::size_t end = value_end(array, at);
    found.push_back(array.substr(at, end - at));
    at = end + 1;
  }
  return found;
}

std::string_view kind_of(std::string_view json) {
  switch (json.empty() ? '\0' : json.front()) {
    case '{': return "an object";
    case '[': return "an array";
    case '"': return "a string";
    case 't':
    case 'f': return "a boolean";
    case 'n': return "null";
    default: return "a number";
  }
}

std::string id_of_broken(std::string_view line) {
  std::size_t at = skip_blanks(line, 0);
  if (at == line.size() || line[at] != '{') return {};
  for (at = skip_blanks(line, at + 1); at < line.size() && line[at] == '"';) {
    const std::size_t quote = closing_quote(line, at);
    if (quote == nowhere) return {};
    const std::string_view name = line.substr(at, quote + 1 - at);
    at = skip_blanks(line, quote + 1);
    if (at == line.size() || line[at] != ':') return {};
    at = skip_blanks(line, at + 1);
    const std::size_t end = value_end(line, at);
    if (end == nowhere) return {};
    if (name == "\"id\"") {
      try {
        return json::minify(line.substr(at, end - at), {}, "id");
      } catch (const Error&) {
        return {};
      }
    }
    at = skip_blanks(line, end);
    if (at == line.size() || line[at] != ',') return {};
    at = skip_blanks(line, at + 1);
  }
  return {};
}

}  // namespace stele::tool
