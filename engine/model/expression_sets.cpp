// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Arrays as sets: what is there twice counts once, and the order of a result is that of values.
#include "engine/model/compare.h"
#include "engine/model/expression_node.h"

#include <algorithm>

namespace stele::model {
namespace {

// A million elements take a second to sort.
struct Before {
  Context& context;
  bool operator()(const Value* a, const Value* b) const {
    context.tick();
    return compare(*a, *b) < 0;
  }
};

bool same(const Value* a, const Value* b) { return equal(*a, *b); }

// Points into the array.
using Set = std::vector<const Value*>;

void make_set(const Call& call, Set& set) {
  std::stable_sort(set.begin(), set.end(), Before{call.context});
  const auto same = [&](const Value* a, const Value* b) {
    call.context.tick();
    return equal(*a, *b);
  };
  set.erase(std::unique(set.begin(), set.end(), same), set.end());
}

Set set_of(const Call& call, const Array& array) {
  Set set;
  set.reserve(array.size());
  for (const Value& element : array) set.push_back(&element);
  make_set(call, set);
  return set;
}

bool has(const Call& call, const Set& set, const Value& value) {
  return std::binary_search(set.begin(), set.end(), &value, Before{call.context});
}

Result array_of(const Call& call, const Set& set) {
  Array out;
  for (const Value* element : set) out.push_back(Result::at(element).take(call.context));
  return out;
}

// All arguments; `null` says that one is null or missing.
struct Arguments {
  std::vector<Result> values;
  bool null = false;

  explicit Arguments(const Call& call) {
    for (std::size_t i = 0; i < call.count(); ++i) {
      values.push_back(call.arg(i));
      null |= values.back().nullish();
      if (!values.back().nullish()) call.array(values.back(), "arrays");
    }
  }
};

Result set_union(const Call& call) {
  const Arguments arguments(call);
  if (arguments.null) return nullptr;
  Set all;
  for (const Result& value : arguments.values)
    for (const Value& element : value->array()) all.push_back(&element);
  make_set(call, all);
  return array_of(call, all);
}

Result set_intersection(const Call& call) {
  const Arguments arguments(call);
  if (arguments.null) return nullptr;
  if (arguments.values.empty()) return Array();
  Set common = set_of(call, arguments.values[0]->array());
  for (std::size_t i = 1; i < arguments.values.size(); ++i) {
    const Set other = set_of(call, arguments.values[i]->array());
    std::erase_if(common, [&](const Value* element) { return !has(call, other, *element); });
  }
  return array_of(call, common);
}

Result set_difference(const Call& call) {
  const Arguments arguments(call);
  if (arguments.null) return nullptr;
  const Set taken = set_of(call, arguments.values[1]->array()), once = set_of(call, arguments.values[0]->array());
  Set left;  // in the order of the first argument
  for (const Value& element : arguments.values[0]->array())
    if (!has(call, taken, element) && *std::lower_bound(once.begin(), once.end(), &element, Before{call.context}) == &element)
      left.push_back(&element);
  return array_of(call, left);
}

Result set_equals(const Call& call) {
  std::vector<Result> values;
  for (std::size_t i = 0; i < call.count(); ++i) {
    values.push_back(call.arg(i));
    call.array(values.back(), "arrays");
  }
  const Set first = set_of(call, values[0]->array());
  return std::ranges::all_of(
      values, [&](const Result& value) { return std::ranges::equal(first, set_of(call, value->array()), same); });
}

Result set_is_subset(const Call& call) {
  const Result inner = call.arg(0), outer = call.arg(1);
  call.array(inner, "arrays");
  const Set set = set_of(call, call.array(outer, "arrays"));
  return std::ranges::all_of(inner->array(), [&](const Value& element) { return has(call, set, element); });
}

bool true_value(const Value& value) { return truth(value); }

Result any_true(const Call& call) {
  const Result value = call.arg(0);
  return std::ranges::any_of(call.array(value), true_value);
}

Result all_true(const Call& call) {
  const Result value = call.arg(0);
  return std::ranges::all_of(call.array(value), true_value);
}

constexpr Operator set_table[] = {
    {"$setUnion", 0, Operator::any, set_union}, {"$setIntersection", 0, Operator::any, set_intersection},
    {"$setDifference", 2, 2, set_difference},   {"$setEquals", 2, Operator::any, set_equals},
    {"$setIsSubset", 2, 2, set_is_subset},      {"$anyElementTrue", 1, 1, any_true},
    {"$allElementsTrue", 1, 1, all_true},
};

}  // namespace

std::span<const Operator> set_operators() { return set_table; }

}  // namespace stele::model
