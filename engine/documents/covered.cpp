// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/covered.h"

#include "engine/base/json.h"
#include "engine/base/key_codec.h"

#include <algorithm>

namespace stele::documents {

namespace {

using catalog::Index;
using model::Condition;

bool is_field(const Index& index, const model::Path& path) {
  return std::ranges::any_of(index.fields, [&](const catalog::IndexField& field) { return field.path.text() == path.text(); });
}

bool looks_at_fields_only(const Condition& condition, const Index& index) {
  using Kind = Condition::Kind;
  switch (condition.kind) {
    case Kind::all_of:
    case Kind::any_of:
    case Kind::none_of:
      return std::ranges::all_of(condition.children, [&](const Condition& child) { return looks_at_fields_only(child, index); });
    case Kind::elem_match_object:
    case Kind::elem_match_value:
    case Kind::expr:
    case Kind::json_schema: return false;
    default: return is_field(index, condition.path);
  }
}

/// Members of an object in the text to be, with the fields that are their values.
struct Node {
  std::string name;
  std::optional<std::size_t> field;
  std::vector<Node> children;
};

void add(std::vector<Node>& members, const std::vector<model::Step>& steps, std::size_t depth, std::size_t field) {
  auto member = std::ranges::find(members, steps[depth].name, &Node::name);
  if (member == members.end()) member = members.insert(members.end(), {steps[depth].name, {}, {}});
  if (depth + 1 == steps.size()) {
    member->field = field;
  } else {
    add(member->children, steps, depth + 1, field);
  }
}

/// False when a field is inside another: no document has scalars at both.
bool write(const std::vector<Node>& members, std::vector<std::string>& literals, std::vector<std::size_t>& fields) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Node& member = members[i];
    if (member.field && !member.children.empty()) return false;
    literals.back() += i == 0 ? '{' : ',';
    json::append_quoted(literals.back(), member.name);
    literals.back() += ':';
    if (member.field) {
      fields.push_back(*member.field);
      literals.emplace_back();
    } else if (!write(member.children, literals, fields)) {
      return false;
    }
  }
  literals.back() += '}';
  return true;
}

}  // namespace

Covered::Covered(const Index& index) : index_(&index), literals_(1), values_(index.fields.size()) {}

std::optional<Covered> Covered::by(const Index& index, const model::Filter& filter,
                                   const std::vector<model::Path>& reads, Members order) {
  if ((reads.size() > 1 && order == Members::in_order) ||
      !std::ranges::all_of(reads, [&](const model::Path& path) { return is_field(index, path); })) return std::nullopt;
  if (!looks_at_fields_only(filter.root(), index)) return std::nullopt;
  std::vector<Node> members;
  for (std::size_t i = 0; i < index.fields.size(); ++i) add(members, index.fields[i].path.steps(), 0, i);
  Covered covered(index);
  if (!write(members, covered.literals_, covered.fields_)) return std::nullopt;
  return covered;
}

bool Covered::document(const EntryParts& entry, std::string& out) {
  if (!entry.exact) return false;
  std::string_view rest = entry.fields;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    values_[i].clear();
    if (!key::read_value_text(rest, values_[i])) return false;
    if (index_->fields[i].descending) values_[i].erase(0, 1);  // the sign of a descending element
  }
  out.clear();
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    out += literals_[i];
    out += values_[fields_[i]];
  }
  out += literals_.back();
  return true;
}

}  // namespace stele::documents
