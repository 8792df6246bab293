// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/filter.h"

#include "engine/base/error.h"

#include <algorithm>

namespace stele::model {
namespace {

using Kind = Condition::Kind;

// Equalities that hold for every match, in the filter's order.
void collect_equalities(const Condition& condition, std::vector<const Condition*>& out) {
  if (condition.kind == Kind::eq) out.push_back(&condition);
  const bool conjunction =
      condition.kind == Kind::all_of || (condition.kind == Kind::any_of && condition.children.size() == 1);
  if (!conjunction) return;
  for (const Condition& child : condition.children) collect_equalities(child, out);
}

[[noreturn]] void refuse_fixed_twice(const Path& path) {
  fail(ErrorCode::invalid, text("filter: an upsert would set \"", path.text(), "\" twice; give one equality for it"),
       {{"reason", "InvalidFilter"}});
}

void set_new(Value& document, const Path& path, const Value& value) {
  Value* at = &document;
  for (std::size_t i = 0; i < path.steps().size(); ++i) {
    const bool last = i + 1 == path.steps().size();
    if (!at->is_object()) refuse_fixed_twice(path);
    Value* next = at->find(path.steps()[i].name);
    if (next && last) refuse_fixed_twice(path);
    if (!next) {
      at->object().push_back({path.steps()[i].name, last ? value : Value(Object())});
      next = &at->object().back().value;
    }
    at = next;
  }
}

void set_time(Condition& condition, Date now) {
  if (condition.kind == Kind::expr) condition.operand = now;
  for (Condition& child : condition.children) set_time(child, now);
}

}  // namespace

void Filter::set_now(Date now) { set_time(root_, now); }

bool Filter::matches_json(std::string_view minified, Scratch& scratch) const {
  if (empty()) return true;
  if (reads_whole_)
    scratch.document = scratch.parser.parse(minified);
  else
    scratch.parser.parse_members(minified, names_, scratch.document);
  return matches(scratch.document);
}

std::optional<Value> id_equality(const Filter& filter) {
  std::vector<const Condition*> equalities;
  collect_equalities(filter.root(), equalities);
  for (const Condition* condition : equalities)
    if (condition->path.text() == "_id" && !condition->operand.is_object() && !condition->operand.is_array())
      return condition->operand;
  return std::nullopt;
}

Value equality_document(const Filter& filter) {
  std::vector<const Condition*> equalities;
  collect_equalities(filter.root(), equalities);
  Value document = Object();
  for (const Condition* condition : equalities) set_new(document, condition->path, condition->operand);
  return document;
}

}  // namespace stele::model
