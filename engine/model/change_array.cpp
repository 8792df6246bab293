// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The operators on arrays: $push $addToSet $pop $pull $pullAll.
#include "engine/model/change.h"

#include "engine/base/error.h"
#include "engine/model/compare.h"

#include <algorithm>

namespace stele::model {
namespace {


struct Less {
  bool operator()(const Value& a, const Value& b) const { return compare(a, b) < 0; }
};

// As $sort reads elements: without going through arrays.
const Value& at_path(const Value& element, const Path& path) {
  static const Value null;
  const Value* at = &element;
  for (const Step& step : path.steps()) {
    if (at->is_object())
      at = at->find(step.name);
    else if (at->is_array() && at != &element && step.index && *step.index < at->array().size())
      at = &at->array()[*step.index];
    else
      at = nullptr;
    if (!at) return null;
  }
  return *at;
}

bool sorts_before(const std::vector<PushRule::Key>& keys, const Value& a, const Value& b) {
  for (const PushRule::Key& key : keys) {
    const int c = compare(at_path(a, key.path), at_path(b, key.path));
    if (c != 0) return key.descending ? c > 0 : c < 0;
  }
  return false;
}

std::ptrdiff_t insert_position(const PushRule& rule, std::size_t size) {
  const auto end = static_cast<std::int64_t>(size);
  const std::int64_t position = rule.position.value_or(end);
  return static_cast<std::ptrdiff_t>(position < 0 ? std::max<std::int64_t>(0, end + position)
                                                  : std::min(position, end));
}

void slice(Array& array, std::int64_t count) {
  const auto size = static_cast<std::int64_t>(array.size());
  if (count >= size || (count < 0 && -size >= count)) return;
  if (count >= 0)
    array.resize(static_cast<std::size_t>(count));
  else
    array.erase(array.begin(), array.end() + static_cast<std::ptrdiff_t>(count));
}

// Ordering or cutting may leave what was there: then nothing changed.
void sort_and_slice(Array& array, const PushRule& rule) {
  const auto before = [&](const Value& a, const Value& b) { return sorts_before(rule.sort, a, b); };
  if (!rule.sort.empty()) std::stable_sort(array.begin(), array.end(), before);
  if (rule.slice) slice(array, *rule.slice);
}

bool push(Value& document, const Change& change, const Path& path, Creator& creator) {
  auto [target, fresh] = creator(document, path);
  if (fresh) target = Array();
  if (!target.is_array()) refuse_type("$push", path, "an array", target);
  Array& array = target.array();
  const Array& added = change.operand.array();
  const bool rearranges = !change.push.sort.empty() || change.push.slice;
  const std::string before = rearranges && !fresh ? to_json(target) : std::string();
  array.insert(array.begin() + insert_position(change.push, array.size()), added.begin(), added.end());
  if (!rearranges) return fresh || !added.empty();
  sort_and_slice(array, change.push);
  return fresh || to_json(target) != before;
}

bool add_to_set(Value& document, const Change& change, const Path& path, Creator& creator) {
  auto [target, fresh] = creator(document, path);
  if (fresh) target = Array();
  if (!target.is_array()) refuse_type("$addToSet", path, "an array", target);
  Array& array = target.array();
  const std::size_t size = array.size();
  std::vector<const Value*> present;  // sorted, so that long lists do not cost their product
  for (const Value& element : array) present.push_back(&element);
  const auto before = [](const Value* a, const Value* b) { return compare(*a, *b) < 0; };
  std::ranges::sort(present, before);
  std::vector<const Value*> missing;
  for (const Value& element : change.operand.array())
    if (!std::ranges::binary_search(present, &element, before)) missing.push_back(&element);
  present = missing;
  std::ranges::stable_sort(present, before);  // of equal ones the first stays
  const auto is_first = [&](const Value* element) {
    return *std::ranges::lower_bound(present, element, before) == element;
  };
  std::erase_if(missing, [&](const Value* element) { return !is_first(element); });
  for (const Value* element : missing) array.push_back(*element);
  return fresh || array.size() > size;
}

bool pop(Value* target, const Change& change, const Path& path) {
  if (!target) return false;
  if (!target->is_array()) refuse_type("$pop", path, "an array", *target);
  Array& array = target->array();
  if (array.empty()) return false;
  array.erase(change.operand.number() > 0 ? array.end() - 1 : array.begin());
  return true;
}

template <class Goes>
bool pull(Value* target, const Change& change, const Path& path, Goes&& goes) {
  if (!target) return false;
  if (!target->is_array()) refuse_type(name(change.op), path, "an array", *target);
  return std::erase_if(target->array(), goes) > 0;
}

bool pull_matching(Value* target, const Change& change, const Path& path) {
  return pull(target, change, path, [&](const Value& element) {
    if (!change.condition) return equal(element, change.operand);
    return (!change.objects_only || element.is_object()) && change.condition->holds(element);
  });
}

bool pull_all(Value* target, const Change& change, const Path& path) {
  Array values = change.operand.array();
  std::ranges::sort(values, Less());
  return pull(target, change, path,
              [&](const Value& element) { return std::ranges::binary_search(values, element, Less()); });
}

}  // namespace

bool change_array(Value& document, const Change& change, const Path& path, Creator& creator) {
  if (change.op == Change::Operator::push) return push(document, change, path, creator);
  if (change.op == Change::Operator::add_to_set) return add_to_set(document, change, path, creator);
  Value* target = find_value(document, path, name(change.op));
  if (change.op == Change::Operator::pop) return pop(target, change, path);
  return change.op == Change::Operator::pull ? pull_matching(target, change, path) : pull_all(target, change, path);
}

}  // namespace stele::model
