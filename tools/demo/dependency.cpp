// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/demo/dependency.h"

#include "tools/demo/stanza.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace stele::demo {
namespace {

constexpr std::size_t name_bytes_max = 255;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// The text up to `separator`, which is taken from `rest` with it.
std::string_view cut(std::string_view& rest, char separator) {
  const std::size_t at = rest.find(separator);
  const std::string_view part = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  return part;
}

/// The comparison at the start of `text`, in today's spelling, and its length; "<" and ">" are old for "<=" and ">=".
std::optional<std::pair<std::string, std::size_t>> read_comparison(std::string_view text) {
  for (const char* two : {"<<", "<=", ">=", ">>"})
    if (text.starts_with(two)) return std::pair(std::string(two), std::size_t{2});
  if (text.starts_with('=')) return std::pair(std::string("="), std::size_t{1});
  if (text.starts_with('<')) return std::pair(std::string("<="), std::size_t{1});
  if (text.starts_with('>')) return std::pair(std::string(">="), std::size_t{1});
  return std::nullopt;
}

std::optional<Relation> parse_relation(std::string_view text) {
  Relation relation;
  const std::size_t bracket = text.find('(');
  std::string_view name = trimmed(text.substr(0, bracket));
  if (const std::size_t colon = name.find(':'); colon != std::string_view::npos) {
    relation.architecture = name.substr(colon + 1);
    name = name.substr(0, colon);
    if (!is_package_name(relation.architecture)) return std::nullopt;
  }
  if (!is_package_name(name)) return std::nullopt;
  relation.name = name;
  if (bracket == std::string_view::npos) return relation;

  std::string_view inside = text.substr(bracket + 1);
  if (!inside.ends_with(')')) return std::nullopt;
  inside = trimmed(inside.substr(0, inside.size() - 1));
  const auto comparison = read_comparison(inside);
  if (!comparison) return std::nullopt;
  relation.comparison = comparison->first;
  relation.version = trimmed(inside.substr(comparison->second));
  if (!is_version(relation.version)) return std::nullopt;
  return relation;
}

/// The weight of a byte between digits: '~', then the end, then letters, then the others.
int weight(std::string_view text, std::size_t at) {
  if (at >= text.size() || is_digit(text[at])) return 0;
  if (text[at] == '~') return -1;
  return is_letter(text[at]) ? text[at] : static_cast<unsigned char>(text[at]) + 256;
}

std::string_view take_number(std::string_view text, std::size_t& at) {
  while (at < text.size() && text[at] == '0') ++at;
  const std::size_t begin = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  return text.substr(begin, at - begin);
}

int compare_parts(std::string_view left, std::string_view right) {
  std::size_t i = 0, j = 0;
  while (i < left.size() || j < right.size()) {
    while ((i < left.size() && !is_digit(left[i])) || (j < right.size() && !is_digit(right[j]))) {
      if (const int difference = weight(left, i) - weight(right, j)) return difference;
      ++i, ++j;
    }
    const std::string_view a = take_number(left, i), b = take_number(right, j);
    if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
    if (const int difference = a.compare(b)) return difference;
  }
  return 0;
}

struct VersionParts {
  std::string_view epoch, upstream, revision;
};

VersionParts split(std::string_view version) {
  VersionParts parts;
  if (const std::size_t colon = version.find(':'); colon != std::string_view::npos) {
    parts.epoch = version.substr(0, colon);
    version = version.substr(colon + 1);
  }
  const std::size_t hyphen = version.rfind('-');
  parts.upstream = version.substr(0, hyphen);
  if (hyphen != std::string_view::npos) parts.revision = version.substr(hyphen + 1);
  return parts;
}

}  // namespace

bool is_package_name(std::string_view text) {
  return !text.empty() && text.size() <= name_bytes_max && (is_letter(text[0]) || is_digit(text[0])) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; });
}

bool is_version(std::string_view text) {
  return !text.empty() && text.size() <= name_bytes_max && std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || is_digit(c) || std::string_view("+-.~:_").find(c) != std::string_view::npos;
  });
}

Relations parse_relations(std::string_view text) {
  Relations relations;
  while (!text.empty()) {
    std::string_view rest = trimmed(cut(text, ','));
    if (rest.empty()) continue;  // "a, , b" and a comma at the end are common and harmless
    std::vector<Relation> alternatives;
    while (!rest.empty()) {
      if (auto relation = parse_relation(trimmed(cut(rest, '|')))) {
        alternatives.push_back(*std::move(relation));
      } else {
        ++relations.malformed;
      }
    }
    if (!alternatives.empty()) relations.groups.push_back(std::move(alternatives));
  }
  return relations;
}

int compare_versions(std::string_view left, std::string_view right) {
  const VersionParts a = split(left), b = split(right);
  if (const int difference = compare_parts(a.epoch, b.epoch)) return difference;
  if (const int difference = compare_parts(a.upstream, b.upstream)) return difference;
  return compare_parts(a.revision, b.revision);
}

bool satisfies(std::string_view version, std::string_view comparison, std::string_view wanted) {
  const int order = compare_versions(version, wanted);
  if (comparison == "<<") return order < 0;
  if (comparison == "<=") return order <= 0;
  if (comparison == "=") return order == 0;
  if (comparison == ">=") return order >= 0;
  return order > 0;
}

}  // namespace stele::demo
