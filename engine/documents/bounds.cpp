// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/bounds.h"

#include "engine/base/key_codec.h"
#include "engine/model/key.h"

#include <algorithm>

namespace stele::documents {
namespace {

using model::Condition;
using model::Value;
using Kind = Condition::Kind;

std::string element_of(const Value& value) {
  std::string element;
  model::append_sort_element(element, value);
  return element;
}

Interval point(const Value& value) {
  std::string low = element_of(value);
  std::string high = key::prefix_end(low);
  return {std::move(low), std::move(high), true};
}

void sort_and_merge(std::vector<Interval>& intervals) {
  std::ranges::sort(intervals, [](const Interval& a, const Interval& b) { return a.low < b.low; });
  std::vector<Interval> merged;
  for (Interval& interval : intervals) {
    if (merged.empty() || merged.back().high <= interval.low) {
      merged.push_back(std::move(interval));
    } else if (merged.back().high < interval.high) {
      merged.back().high = std::move(interval.high);
      merged.back().point = false;
    }
  }
  intervals = std::move(merged);
}

/// An array is equal as a whole, or an element of the array in the document is equal to it: the entries are then those of
/// its elements, or the element itself.
void add_equal(const Value& operand, Bounds& bounds) {
  bounds.intervals.push_back(point(operand));
  if (operand.is_null()) bounds.null = true;
  if (!operand.is_array()) return;
  if (!operand.array().empty()) {
    bounds.intervals.push_back(point(operand.array().front()));
    bounds.null = bounds.null || operand.array().front().is_null();
    return;
  }
  const std::string empty(1, static_cast<char>(KeyCode::empty_array));
  bounds.intervals.push_back({empty, key::prefix_end(empty), true});
}

/// Comparisons hold only within a type.
std::optional<Bounds> range(Kind kind, const Value& operand) {
  if (operand.is_array()) return std::nullopt;  // compares whole arrays, which have no entry
  const std::string element = element_of(operand);
  const std::string type(1, element.front());
  const std::string above = key::prefix_end(element);
  const std::string type_end = key::prefix_end(type);
  Bounds bounds;
  bounds.null = operand.is_null() && (kind == Kind::gte || kind == Kind::lte);
  if (operand.is_null()) {
    if (bounds.null) bounds.intervals.push_back(point(operand));
    return bounds;
  }
  switch (kind) {
    case Kind::gt: bounds.intervals.push_back({above, type_end}); break;
    case Kind::gte: bounds.intervals.push_back({element, type_end}); break;
    case Kind::lt: bounds.intervals.push_back({type, element}); break;
    default: bounds.intervals.push_back({type, above}); break;
  }
  return bounds;
}

std::optional<Bounds> bounds_of_leaf(const Condition& condition) {
  Bounds bounds;
  switch (condition.kind) {
    case Kind::eq: add_equal(condition.operand, bounds); break;
    case Kind::in:
      for (const Value& operand : condition.operands) add_equal(operand, bounds);
      break;
    case Kind::gt:
    case Kind::gte:
    case Kind::lt:
    case Kind::lte: return range(condition.kind, condition.operand);
    default: return std::nullopt;
  }
  sort_and_merge(bounds.intervals);
  return bounds;
}

void collect(const Condition& condition, const std::string& path, std::vector<Bounds>& out) {
  const bool conjunction =
      condition.kind == Kind::all_of || (condition.kind == Kind::any_of && condition.children.size() == 1);
  if (conjunction) {
    for (const Condition& child : condition.children) collect(child, path, out);
  } else if (condition.path.text() == path) {
    if (auto bounds = bounds_of_leaf(condition)) out.push_back(*std::move(bounds));
  }
}

}  // namespace

bool Bounds::all_points() const { return std::ranges::all_of(intervals, &Interval::point); }

std::vector<Bounds> bounds_of(const Condition& conjunction, const std::string& path) {
  std::vector<Bounds> found;
  collect(conjunction, path, found);
  return found;
}

Bounds intersection(const Bounds& a, const Bounds& b) {
  Bounds both;
  both.null = a.null && b.null;
  for (const Interval& x : a.intervals) {
    for (const Interval& y : b.intervals) {
      const std::string& low = std::max(x.low, y.low);
      const std::string& high = std::min(x.high, y.high);
      if (low < high) both.intervals.push_back({low, high, x.point || y.point});
    }
  }
  return both;
}

bool within(const Bounds& inner, const Bounds& outer) {
  return std::ranges::all_of(inner.intervals, [&](const Interval& x) {
    return std::ranges::any_of(outer.intervals, [&](const Interval& y) { return y.low <= x.low && x.high <= y.high; });
  });
}

Interval descending(const Interval& interval) {
  const auto complement = [](std::string element) {
    key::make_descending(element, 0);
    return key::prefix_end(element);
  };
  return {complement(interval.high), complement(interval.low), interval.point};
}

}  // namespace stele::documents
