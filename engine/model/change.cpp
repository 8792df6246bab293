// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/change.h"

#include "engine/base/error.h"
#include "engine/model/compare.h"

#include <algorithm>
#include <cmath>

namespace stele::model {
namespace {


[[noreturn]] void refuse_range(std::string_view operation, const Path& path, std::string_view rule) {
  fail(ErrorCode::out_of_range, text("update: ", operation, " of \"", path.text(), "\" ", rule),
       {{"reason", "NumberOutOfRange"}});
}

bool same(const Value& a, const Value& b) { return a.type() == b.type() && to_json(a) == to_json(b); }

bool set(Value& document, const Path& path, const Value& operand, Creator& creator) {
  auto [target, fresh] = creator(document, path);
  if (!fresh && same(target, operand)) return false;
  target = operand;
  return true;
}

bool unset(Value& document, const Path& path) {
  const Place place = find_place(document, path);
  if (!place.value) return false;
  if (place.parent->is_array()) {  // the others keep their index
    const bool changed = !place.value->is_null();
    *place.value = nullptr;
    return changed;
  }
  std::erase_if(place.parent->object(), [&](const Member& member) { return &member.value == place.value; });
  return true;
}

// Neither end of a $rename may lie inside an array.
void refuse_arrays_on_way(const Value& document, const Path& path) {
  const Value* at = &document;
  for (const Step& step : path.steps()) {
    if (at->is_array())
      refuse_update("WrongType", text("$rename: \"", path.text(), "\" goes into an array, before \"", step.name,
                                      "\"; only members of objects can be renamed"));
    at = at->is_object() ? at->find(step.name) : nullptr;
    if (!at) return;
  }
}

bool rename(Value& document, const Path& from, const Path& to, Creator& creator) {
  const Value* source = find_value(document, from, "$rename");
  if (!source) return false;
  refuse_arrays_on_way(document, from);
  refuse_arrays_on_way(document, to);
  const Value moved = *source;
  unset(document, from);
  set(document, to, moved, creator);
  return true;
}

Value sum(const Path& path, const Value& a, const Value& b) {
  if (a.is_integer() && b.is_integer()) {
    std::int64_t result;
    if (__builtin_add_overflow(a.integer(), b.integer(), &result))
      refuse_range("$inc", path, text("(", a.integer(), " + ", b.integer(), ") leaves 64 bits; use a double"));
    return result;
  }
  return a.number() + b.number();
}

Value product(const Path& path, const Value& a, const Value& b) {
  if (a.is_integer() && b.is_integer()) {
    std::int64_t result;
    if (__builtin_mul_overflow(a.integer(), b.integer(), &result))
      refuse_range("$mul", path, text("(", a.integer(), " * ", b.integer(), ") leaves 64 bits; use a double"));
    return result;
  }
  return a.number() * b.number();
}

bool calculate(Value& document, const Change& change, const Path& path, Creator& creator) {
  const bool adds = change.op == Change::Operator::inc;
  auto [target, fresh] = creator(document, path);
  if (fresh) {
    const Value zero = change.operand.is_integer() ? Value(0) : Value(0.0);
    target = adds ? change.operand : zero;
    return true;
  }
  if (!target.is_number()) refuse_type(name(change.op), path, "a number", target);
  const Value result = adds ? sum(path, target, change.operand) : product(path, target, change.operand);
  if (!std::isfinite(result.number())) refuse_range(name(change.op), path, "leaves the range of a double");
  if (result.is_integer() == target.is_integer() && equal(result, target)) return false;
  target = result;
  return true;
}

bool keep_extreme(Value& document, const Change& change, const Path& path, Creator& creator) {
  auto [target, fresh] = creator(document, path);
  const int order = fresh ? 0 : compare(change.operand, target);
  if (!fresh && (change.op == Change::Operator::min ? order >= 0 : order <= 0)) return false;
  target = change.operand;
  return true;
}

bool change_bits(Value& document, const Change& change, const Path& path, Creator& creator) {
  auto [target, fresh] = creator(document, path);
  if (fresh) target = Value(0);
  if (!target.is_integer()) refuse_type("$bit", path, "an integer", target);
  std::int64_t bits = target.integer();
  for (const Member& member : change.operand.object()) {
    const std::int64_t operand = member.value.integer();
    bits = member.name == "and" ? bits & operand : member.name == "or" ? bits | operand : bits ^ operand;
  }
  if (!fresh && bits == target.integer()) return false;
  target = bits;
  return true;
}

}  // namespace

void refuse_type(std::string_view operation, const Path& path, std::string_view needed, const Value& found) {
  refuse_update("WrongType", text(operation, " of \"", path.text(), "\" needs ", needed,
                                  ", the document has a value of type ", name(found.type())));
}

bool make_change(Value& document, const Change& change, const Path& path, Date now, Creator& creator) {
  switch (change.op) {
    case Change::Operator::set:
    case Change::Operator::set_on_insert: return set(document, path, change.operand, creator);
    case Change::Operator::unset: return unset(document, path);
    case Change::Operator::rename: return rename(document, change.source, path, creator);
    case Change::Operator::inc:
    case Change::Operator::mul: return calculate(document, change, path, creator);
    case Change::Operator::min:
    case Change::Operator::max: return keep_extreme(document, change, path, creator);
    case Change::Operator::bit: return change_bits(document, change, path, creator);
    case Change::Operator::current_date: return set(document, path, now, creator);
    default: return change_array(document, change, path, creator);
  }
}

}  // namespace stele::model
