// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/matched_element.h"

#include <algorithm>

namespace stele::model {
namespace {

using Kind = Condition::Kind;

// The condition with its path begun `steps` later.
Condition from_step(Condition condition, std::size_t steps) {
  std::string_view rest = condition.path.text();
  for (std::size_t i = 0; i < steps; ++i)
    rest.remove_prefix(std::min(rest.size(), condition.path.steps()[i].name.size() + 1));
  condition.path = steps < condition.path.steps().size() ? Path(std::string(rest)) : Path();
  return condition;
}

// Whether the condition, whose path has ended, holds for the element itself.
bool holds_for_element(const Condition& condition, const Value& element) {
  const bool is_elem_match = !condition.children.empty();
  return is_elem_match ? condition.holds(Array{element}) : condition.holds_for(&element);
}

std::optional<std::size_t> first_element(const Condition& condition, std::size_t taken, const Array& array) {
  const auto& steps = condition.path.steps();
  const Condition here = from_step(condition, taken);
  if (taken == steps.size()) {
    if (condition.kind == Kind::size) return std::nullopt;
    for (std::size_t k = 0; k < array.size(); ++k)
      if (holds_for_element(here, array[k])) return k;
    return std::nullopt;
  }
  const Condition inside = from_step(condition, taken + 1);
  for (std::size_t k = 0; k < array.size(); ++k) {
    if (array[k].is_object() && here.holds(array[k])) return k;
    if (steps[taken].index != k) continue;
    const bool is_leaf = taken + 1 == steps.size() && condition.children.empty();
    const bool goes_on = array[k].is_object() || array[k].is_array();
    if (is_leaf ? holds_for_element(inside, array[k]) : goes_on && inside.holds(array[k])) return k;
  }
  return std::nullopt;
}

std::optional<std::size_t> element_on_path(const Condition& condition, const Value& document) {
  const auto& steps = condition.path.steps();
  const Value* at = &document;
  for (std::size_t taken = 0;; ++taken) {
    if (at->is_array()) return first_element(condition, taken, at->array());
    if (taken == steps.size() || !at->is_object()) return std::nullopt;
    at = at->find(steps[taken].name);
    if (!at) return std::nullopt;
  }
}

}  // namespace

std::optional<std::size_t> matched_element(const Condition& filter, const Value& document) {
  const bool conjunction = filter.kind == Kind::all_of || (filter.kind == Kind::any_of && filter.children.size() == 1);
  if (conjunction) {
    std::optional<std::size_t> last;
    for (const Condition& child : filter.children)
      if (const auto index = matched_element(child, document)) last = index;
    return last;
  }
  if (filter.kind == Kind::any_of || filter.kind == Kind::none_of) return std::nullopt;
  return element_on_path(filter, document);
}

}  // namespace stele::model
