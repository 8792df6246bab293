// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/demo/package.h"

#include "engine/base/json.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

namespace stele::demo {
namespace {

std::string key_of(const std::string& field_name) {
  std::string key = field_name;
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

std::string relation_json(const Relation& relation) {
  std::string out = "{\"name\":" + json_string(relation.name);
  if (!relation.architecture.empty()) out += ",\"architecture\":" + json_string(relation.architecture);
  if (!relation.comparison.empty())
    out += ",\"is\":" + json_string(relation.comparison) + ",\"version\":" + json_string(relation.version);
  return out + "}";
}

/// [[{"name":"a"},{"name":"b"}],[…]]: what is needed, each with its alternatives.
std::string groups_json(const Relations& relations) {
  std::string out = "[";
  for (const auto& group : relations.groups) {
    if (out.size() > 1) out += ',';
    std::string alternatives;
    for (const Relation& relation : group) alternatives += (alternatives.empty() ? "" : ",") + relation_json(relation);
    out += "[" + alternatives + "]";
  }
  return out + "]";
}

std::string list_json(std::string_view text) {
  std::string out = "[";
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view item = trimmed(text.substr(0, comma));
    if (!item.empty()) out += (out.size() > 1 ? "," : "") + json_string(item);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return out + "]";
}

const char* relation_kind(std::string_view field) {
  const auto* found = std::find_if(std::begin(relation_kinds), std::end(relation_kinds),
                                   [&](const RelationKind& k) { return field == k.field; });
  return found == std::end(relation_kinds) ? nullptr : found->kind;
}

bool is_flag(std::string_view field) {
  return field == "essential" || field == "important" || field == "protected" || field == "build-essential";
}

/// What a field of the stanza is in the document. Fields not known here are text.
std::string value_json(const Field& field, Package& package) {
  if (const char* kind = relation_kind(field.name)) {
    Relations relations = parse_relations(field.value);
    package.malformed_relations += relations.malformed;
    std::string out = groups_json(relations);
    package.dependencies.push_back({kind, std::move(relations)});
    return out;
  }
  if (field.name == "provides") {
    package.provides = parse_relations(field.value);
    package.malformed_relations += package.provides.malformed;
    return groups_json(package.provides);
  }
  if (field.name == "size" || field.name == "installed-size") {
    const auto number = parse_number(field.value);
    if (number) (field.name == "size" ? package.size_bytes : package.installed_kilobytes) = number;
    return number ? std::to_string(*number) : json_string(field.value);
  }
  if (field.name == "maintainer") {
    package.maintainer = parse_maintainer(field.value);
    std::string out = "{\"name\":" + json_string(package.maintainer->name);
    if (!package.maintainer->email.empty()) out += ",\"email\":" + json_string(package.maintainer->email);
    return out + "}";
  }
  if (field.name == "section") package.section = field.value;
  if (field.name == "priority") package.priority = field.value;
  if (field.name == "tag") return list_json(field.value);
  if (is_flag(field.name) && (field.value == "yes" || field.value == "no"))
    return field.value == "yes" ? "true" : "false";
  return json_string(field.value);
}

}  // namespace

std::string json_string(std::string_view text) {
  std::string out;
  json::append_quoted(out, text);
  return out;
}

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

Maintainer parse_maintainer(std::string_view text) {
  text = trimmed(text);
  const std::size_t open = text.rfind('<');
  if (open == std::string_view::npos || !text.ends_with('>')) return {std::string(text), {}};
  return {std::string(trimmed(text.substr(0, open))),
          std::string(trimmed(text.substr(open + 1, text.size() - open - 2)))};
}

std::string Package::document(std::int64_t batch) const {
  return "{\"_id\":" + json_string(document_id) + fields_json + ",\"batch\":" + std::to_string(batch) + "}";
}

std::optional<Package> read_package(const Stanza& stanza, std::string& why) {
  const auto name = stanza.get("package"), version = stanza.get("version"), architecture = stanza.get("architecture");
  if (stanza.too_large) return why = "too large", std::nullopt;
  if (!name || !is_package_name(*name)) return why = "no valid Package field", std::nullopt;
  if (!version || !is_version(*version)) return why = std::string(*name) + " has no valid Version", std::nullopt;
  if (!architecture || !is_package_name(*architecture))
    return why = std::string(*name) + " has no valid Architecture", std::nullopt;

  Package package;
  package.name = *name;
  package.version = *version;
  package.architecture = *architecture;
  package.document_id = package.name + "_" + package.version + "_" + package.architecture;
  // "a-b" and "a_b" fall on one key, of which the document keeps the first; "_id" and "batch" are ours.
  std::vector<std::string> keys{"_id", "batch"};
  for (const Field& field : stanza.fields) {
    std::string key = key_of(field.name);
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
    package.fields_json += "," + json_string(key) + ":" + value_json(field, package);
    keys.push_back(std::move(key));
  }
  return package;
}

}  // namespace stele::demo
