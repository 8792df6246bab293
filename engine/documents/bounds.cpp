// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/bounds.h"

#include "engine/base/key_codec.h"
#include "engine/model/compare.h"
#include "engine/model/key.h"

#include <algorithm>

namespace stele::documents {
namespace {

using model::Condition;
using model::Value;
using Test = Condition::Kind;
using Intervals = std::vector<Interval>;

const std::string least(1, static_cast<char>(KeyCode::empty_array));
const std::string beyond = "\xFF";  // no element begins with it

std::string element_of(const Value& value) {
  std::string element;
  model::append_sort_element(element, value);
  return element;
}

std::string code(KeyCode code) { return std::string(1, static_cast<char>(code)); }

Interval point(std::string element) {
  std::string high = key::prefix_end(element);
  return {std::move(element), std::move(high), true};
}

Interval point(const Value& value) { return point(element_of(value)); }

Interval whole(KeyCode type) { return {code(type), key::prefix_end(code(type))}; }

void sort_and_merge(Intervals& intervals) {
  std::ranges::sort(intervals, {}, &Interval::low);
  Intervals merged;
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

Intervals complement(const Intervals& intervals) {
  Intervals out;
  std::string low = least;
  for (const Interval& interval : intervals) {
    if (low < interval.low) out.push_back({low, interval.low});
    low = interval.high;
  }
  if (low < beyond) out.push_back({low, beyond});
  return out;
}

/// An array is equal as a whole, or an element of the array in the document is equal to it: the entries are then those of
/// its elements, or the element itself.
void add_equal(const Value& operand, Bounds& bounds) {
  bounds.intervals.push_back(point(operand));
  bounds.missing = bounds.missing || operand.is_null();
  if (!operand.is_array()) return;
  if (operand.array().empty()) {
    bounds.intervals.push_back(point(least));
  } else {
    bounds.intervals.push_back(point(operand.array().front()));
    bounds.missing = bounds.missing || operand.array().front().is_null();
  }
}

/// Comparisons hold only within a type.
std::optional<Bounds> range(Test kind, const Value& operand) {
  if (operand.is_array()) return std::nullopt;  // compares whole arrays, which have no entry
  Bounds bounds;
  if (operand.is_null()) {
    bounds.missing = kind == Test::gte || kind == Test::lte;
    if (bounds.missing) bounds.intervals.push_back(point(operand));
    return bounds;
  }
  const std::string element = element_of(operand);
  const std::string type(1, element.front());
  const std::string above = key::prefix_end(element);
  const std::string type_end = key::prefix_end(type);
  switch (kind) {
    case Test::gt: bounds.intervals.push_back({above, type_end}); break;
    case Test::gte: bounds.intervals.push_back({element, type_end}); break;
    case Test::lt: bounds.intervals.push_back({type, element}); break;
    default: bounds.intervals.push_back({type, above}); break;
  }
  return bounds;
}

std::optional<Bounds> of_types(const model::TypeSet& types) {
  if (types.has(Value(model::Array()))) return std::nullopt;  // arrays have the entries of their elements
  Bounds bounds;
  const std::pair<Value, KeyCode> samples[] = {
      {Value(), KeyCode::null},          {Value(1), KeyCode::number},   {Value(std::int64_t{1} << 40), KeyCode::number},
      {Value(1.5), KeyCode::number},     {Value(""), KeyCode::string},  {Value(model::Object()), KeyCode::object},
      {Value(model::Binary()), KeyCode::binary}, {Value(model::Oid()), KeyCode::oid}, {Value(true), KeyCode::boolean},
      {Value(model::Date()), KeyCode::date},     {Value(model::Pattern()), KeyCode::regex}};
  for (const auto& [sample, code] : samples)
    if (types.has(sample)) bounds.intervals.push_back(whole(code));
  sort_and_merge(bounds.intervals);
  return bounds;
}

Bounds of_regex(const model::Regex& regex) {
  Bounds bounds;
  std::string begin = element_of(Value(regex.literal_prefix()));
  begin.resize(begin.size() - 2);  // without its end
  std::string end = key::prefix_end(begin);
  bounds.intervals.push_back({std::move(begin), std::move(end)});
  bounds.intervals.push_back(point(regex.value()));
  return bounds;
}

/// Every document for which the leaf holds has an element within, at the leaf's path.
std::optional<Bounds> necessary(const Condition& leaf) {
  Bounds bounds;
  switch (leaf.kind) {
    case Test::eq: add_equal(leaf.operand, bounds); break;
    case Test::in:
      for (const Value& operand : leaf.operands) add_equal(operand, bounds);
      break;
    case Test::gt:
    case Test::gte:
    case Test::lt:
    case Test::lte: return range(leaf.kind, leaf.operand);
    case Test::exists: bounds.intervals.push_back({least, beyond}); break;
    case Test::type: return of_types(std::get<model::TypeSet>(leaf.test));
    case Test::regex: return of_regex(std::get<model::Regex>(leaf.test));
    default: return std::nullopt;
  }
  sort_and_merge(bounds.intervals);
  return bounds;
}

/// For a document with an element within, at `path`, the condition holds. Null's element says nothing: a path that ends in
/// an array on the way has it, too.
Intervals sufficient(const Condition& condition, std::string_view path) {
  Intervals out;
  if (condition.kind == Test::any_of) {
    for (const Condition& child : condition.children) std::ranges::copy(sufficient(child, path), std::back_inserter(out));
    sort_and_merge(out);
    return out;
  }
  if (condition.kind == Test::all_of) {
    Bounds all;
    all.intervals = {{least, beyond}};
    for (const Condition& child : condition.children) {
      Bounds one;
      one.intervals = sufficient(child, path);
      all = intersection(all, one);
    }
    return all.intervals;
  }
  if (condition.path.text() != path) return out;
  const auto plain = [](const Value& operand) { return !operand.is_null() && !operand.is_array(); };
  switch (condition.kind) {
    case Test::eq:
    case Test::gt:
    case Test::gte:
    case Test::lt:
    case Test::lte: return plain(condition.operand) ? necessary(condition)->intervals : out;
    case Test::exists: return {{key::prefix_end(code(KeyCode::null)), beyond}, point(least)};
    case Test::in:
      for (const Value& operand : condition.operands)
        if (plain(operand)) out.push_back(point(operand));
      return out;
    default: return out;
  }
}

void collect(const Condition& condition, std::string_view path, std::vector<Bounds>& out);

bool better(const Bounds& a, const Bounds& b) {
  if (a.all_points() != b.all_points()) return a.all_points();
  if (a.every != b.every) return b.every;
  return a.intervals.size() < b.intervals.size();
}

void collect_either(const Condition& any, std::string_view path, std::vector<Bounds>& out) {
  Bounds either;
  either.every = true;
  for (const Condition& branch : any.children) {
    const std::vector<Bounds> found = bounds_of(branch, path);
    if (found.empty()) return;
    const Bounds& one = *std::ranges::min_element(found, better);
    std::ranges::copy(one.intervals, std::back_inserter(either.intervals));
    either.missing = either.missing || one.missing;
    either.every = either.every && one.every;
  }
  sort_and_merge(either.intervals);
  out.push_back(std::move(either));
}

void collect_not(const Condition& none, std::string_view path, std::vector<Bounds>& out) {
  for (const Condition& child : none.children) {
    if (child.kind == Test::none_of && child.children.size() == 1) {
      collect(child.children.front(), path, out);
      continue;
    }
    Intervals holds = sufficient(child, path);
    if (holds.empty()) continue;
    sort_and_merge(holds);
    Bounds bounds;
    bounds.intervals = complement(holds);
    bounds.missing = bounds.every = true;
    out.push_back(std::move(bounds));
  }
}

/// Below an $elemMatch: what is said of an element, not of the whole array.
void collect_inside(const Condition& match, std::string_view path, std::vector<Bounds>& out) {
  const auto& steps = match.path.steps();
  std::string_view inner = path;
  if (match.kind == Test::elem_match_value) {
    // An element that a path names by its place has its own entry, also if it is an array; so has an array in an array.
    if (match.path.text() != path || steps.empty() || steps.back().index) return;
    inner = {};
  } else {
    // Elements that are arrays match as objects with the names "0", "1", …, and have no entry of their own.
    if (!path.starts_with(match.path.text()) || path.size() <= match.path.text().size()) return;
    inner.remove_prefix(match.path.text().size());
    if (inner.front() != '.') return;
    inner.remove_prefix(1);
    if (model::Path(inner).steps().front().index) return;
  }
  for (Bounds& bounds : bounds_of(match.children.front(), inner)) {
    if (bounds.missing && match.kind == Test::elem_match_object) continue;
    bounds.missing = bounds.every = false;
    bounds.element = &match;
    out.push_back(std::move(bounds));
  }
}

void collect(const Condition& condition, std::string_view path, std::vector<Bounds>& out) {
  switch (condition.kind) {
    case Test::all_of:
      for (const Condition& child : condition.children) collect(child, path, out);
      return;
    case Test::any_of:
      if (condition.children.size() == 1) return collect(condition.children.front(), path, out);
      return collect_either(condition, path, out);
    case Test::none_of: return collect_not(condition, path, out);
    case Test::elem_match_object:
    case Test::elem_match_value: return collect_inside(condition, path, out);
    default: break;
  }
  if (condition.path.text() != path) return;
  if (auto bounds = necessary(condition)) out.push_back(*std::move(bounds));
}

bool same(const Condition& a, const Condition& b) {
  if (a.kind != b.kind || a.path.text() != b.path.text() || model::compare(a.operand, b.operand) != 0) return false;
  if (!std::ranges::equal(a.operands, b.operands, model::equal)) return false;
  if (!std::ranges::equal(a.children, b.children, same)) return false;
  if (const auto* types = std::get_if<model::TypeSet>(&a.test)) return types->names() == std::get<model::TypeSet>(b.test).names();
  if (const auto* regex = std::get_if<model::Regex>(&a.test))
    return model::equal(regex->value(), std::get<model::Regex>(b.test).value());
  return std::holds_alternative<std::monostate>(a.test);
}

bool within(const Intervals& inner, const Intervals& outer) {
  return std::ranges::all_of(inner, [&](const Interval& x) {
    return std::ranges::any_of(outer, [&](const Interval& y) { return y.low <= x.low && x.high <= y.high; });
  });
}

}  // namespace

bool Bounds::all_points() const { return std::ranges::all_of(intervals, &Interval::point); }

std::vector<Bounds> bounds_of(const Condition& conjunction, std::string_view path) {
  std::vector<Bounds> found;
  collect(conjunction, path, found);
  return found;
}

Bounds intersection(const Bounds& a, const Bounds& b) {
  Bounds both;
  both.missing = a.missing && b.missing;
  both.every = a.every && b.every;
  both.element = a.element ? a.element : b.element;
  for (auto x = a.intervals.begin(), y = b.intervals.begin(); x != a.intervals.end() && y != b.intervals.end();) {
    const std::string& low = std::max(x->low, y->low);
    const std::string& high = std::min(x->high, y->high);
    if (low < high) both.intervals.push_back({low, high, x->point || y->point});
    x->high < y->high ? ++x : ++y;
  }
  return both;
}

std::optional<Bounds> joined(const std::vector<Bounds>& found, bool through_array) {
  if (found.empty()) return std::nullopt;
  const Bounds& best = *std::ranges::min_element(found, better);
  Bounds all = best;
  for (const Bounds& other : found) {
    const bool same_element = best.element && best.element == other.element;
    if (&other != &best && (!through_array || other.every || best.every || same_element)) all = intersection(all, other);
    if (best.every && !other.every && through_array) break;
  }
  return all;
}

bool implies(const Condition& conjunction, const Condition& other) {
  if (other.kind == Test::all_of)
    return std::ranges::all_of(other.children, [&](const Condition& part) { return implies(conjunction, part); });
  if (other.kind == Test::any_of && std::ranges::any_of(other.children, [&](const Condition& part) { return implies(conjunction, part); }))
    return true;
  if (same(conjunction, other)) return true;
  if (conjunction.kind == Test::all_of &&
      std::ranges::any_of(conjunction.children, [&](const Condition& part) { return same(part, other); }))
    return true;
  if (other.path.text().empty()) return false;
  const std::vector<Bounds> found = bounds_of(conjunction, other.path.text());
  if (other.kind == Test::exists) return std::ranges::any_of(found, [](const Bounds& bounds) { return !bounds.missing; });
  const Intervals enough = sufficient(other, other.path.text());
  return std::ranges::any_of(found, [&](const Bounds& bounds) { return !bounds.missing && within(bounds.intervals, enough); });
}

Interval descending(const Interval& interval) {
  const auto complement = [](std::string element) {
    key::make_descending(element, 0);
    return key::prefix_end(element);
  };
  return {complement(interval.high), complement(interval.low), interval.point};
}

}  // namespace stele::documents
