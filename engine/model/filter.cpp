// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/filter.h"

#include "engine/base/error.h"
#include "engine/model/member_scan.h"

#include <algorithm>

namespace stele::model {
namespace {

using Kind = Condition::Kind;

struct Equality {
  const Path* path;
  const Value* value;
};

/// Those that hold for every match.
void collect_equalities(const Condition& condition, std::vector<Equality>& out) {
  if (condition.kind == Kind::eq) out.push_back({&condition.path, &condition.operand});
  if (condition.kind == Kind::in && condition.operands.size() == 1)
    out.push_back({&condition.path, &condition.operands.front()});
  const bool conjunction =
      condition.kind == Kind::all_of || (condition.kind == Kind::any_of && condition.children.size() == 1);
  if (!conjunction) return;
  for (const Condition& child : condition.children) collect_equalities(child, out);
}

[[noreturn]] void refuse_fixed_twice(const Path& path) {
  fail(ErrorCode::invalid, text("filter: an upsert would set \"", path.text(), "\" twice; give one equality for it"),
       {{"reason", "InvalidFilter"}});
}

bool is_same_or_above(const Path& a, const Path& b) {
  return b.text().starts_with(a.text()) && (b.text().size() == a.text().size() || b.text()[a.text().size()] == '.');
}

void set_new(Value& document, const Path& path, const Value& value) {
  Value* at = &document;
  for (std::size_t i = 0; i < path.steps().size(); ++i) {
    const bool last = i + 1 == path.steps().size();
    Value* next = at->find(path.steps()[i].name);
    if (!next) {
      at->object().push_back({path.steps()[i].name, last ? value : Value(Object())});
      next = &at->object().back().value;
    }
    at = next;
  }
}

void collect_names(const Condition& condition, std::vector<std::string>& names, bool& reads_whole) {
  if (condition.kind == Kind::json_schema) reads_whole = true;
  if (condition.kind == Kind::expr && !std::get<Expression>(condition.test).collect_names(names)) reads_whole = true;
  if (!condition.path.steps().empty()) {
    names.push_back(condition.path.steps()[0].name);  // paths of children, if any, begin there
    return;
  }
  for (const Condition& child : condition.children) collect_names(child, names, reads_whole);
}

void give(Condition& condition, const Variables& variables, std::shared_ptr<const Variables>& shared) {
  if (condition.kind == Kind::expr) {
    if (!shared) shared = std::make_shared<const Variables>(variables);
    condition.given = shared;
  }
  for (Condition& child : condition.children) give(child, variables, shared);
}

}  // namespace

void Filter::set_variables(const Variables& variables) {
  std::shared_ptr<const Variables> shared;
  give(root_, variables, shared);
}

void Filter::set_now(Date now) {
  Variables variables;
  variables.now = now;
  set_variables(variables);
}

void Filter::find_needed() {
  literal_ = Literal::of(root_);
  for (std::uint32_t i = 0; i < root_.children.size(); ++i) {
    std::vector<std::string> names;
    collect_names(root_.children[i], names, needs_all_);
    std::ranges::sort(names);
    names.erase(std::unique(names.begin(), names.end()), names.end());
    for (const std::string& name : names)
      if (std::ranges::find(needed_, name, &Needed::name) == needed_.end()) needed_.push_back({name, {}});
    (names.size() == 1 ? std::ranges::find(needed_, names[0], &Needed::name)->decides : late_).push_back(i);
  }
}

bool Filter::decided_false(const std::vector<std::uint32_t>& conditions, const Value& document) const {
  return !std::ranges::all_of(conditions, [&](std::uint32_t i) { return root_.children[i].holds(document); });
}

bool Filter::matches_json(std::string_view minified, Scratch& scratch) const {
  if (empty()) return true;
  if (!literal_.possible(minified)) return false;
  if (needs_all_) return matches(scratch.parser.parse(minified));
  Value& document = scratch.document;  // of the needed members that were met so far
  if (!document.is_object()) document = Object();
  document.object().clear();
  MemberScan scan(minified);
  while (document.object().size() < needed_.size() && scan.next()) {
    const auto needed = std::ranges::find(needed_, scan.name(), &Needed::name);
    if (needed == needed_.end()) continue;
    document.object().push_back({needed->name, read_value(scan.value(), scratch.parser)});
    if (decided_false(needed->decides, document)) return false;
  }
  if (scan.stopped()) return matches(scratch.parser.parse(minified));
  if (document.object().size() < needed_.size())
    for (const Needed& needed : needed_)
      if (!document.find(needed.name) && decided_false(needed.decides, document)) return false;
  return !decided_false(late_, document);
}

std::optional<Value> id_equality(const Filter& filter) {
  std::vector<Equality> equalities;
  collect_equalities(filter.root(), equalities);
  for (const auto& [path, value] : equalities)
    if (path->text() == "_id" && !value->is_object() && !value->is_array()) return *value;
  return std::nullopt;
}

Value equality_document(const Filter& filter) {
  std::vector<Equality> equalities;
  collect_equalities(filter.root(), equalities);
  std::ranges::stable_sort(equalities, {}, [](const Equality& equality) { return equality.path->text(); });
  for (std::size_t i = 0; i < equalities.size(); ++i)
    for (std::size_t before = 0; before < i; ++before)
      if (is_same_or_above(*equalities[before].path, *equalities[i].path)) refuse_fixed_twice(*equalities[i].path);
  Value document = Object();
  for (const Equality& equality : equalities) set_new(document, *equality.path, *equality.value);
  return document;
}

}  // namespace stele::model
