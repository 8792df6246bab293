// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/condition.h"

#include "engine/model/compare.h"

#include <algorithm>
#include <cmath>

namespace stele::model {
namespace {

using Kind = Condition::Kind;

bool compares(Kind kind, const Value* value, const Value& operand) {
  const Type type = value ? value->type() : Type::null;
  if (type != operand.type()) return false;
  const int c = value ? compare(*value, operand) : 0;
  switch (kind) {
    case Kind::eq: return c == 0;
    case Kind::gt: return c > 0;
    case Kind::gte: return c >= 0;
    case Kind::lt: return c < 0;
    default: return c <= 0;
  }
}

bool is_in(const Value* value, const std::vector<Value>& operands) {
  static const Value null;
  const Value& sought = value ? *value : null;
  const auto at = std::lower_bound(operands.begin(), operands.end(), sought,
                                   [](const Value& a, const Value& b) { return compare(a, b) < 0; });
  return at != operands.end() && equal(*at, sought);
}

// Without its fraction; empty beyond 64 bits.
std::optional<std::int64_t> whole_part(const Value& number) {
  if (number.is_integer()) return number.integer();
  const double whole = std::trunc(number.real().number);
  if (!(whole >= -0x1p63 && whole < 0x1p63)) return std::nullopt;
  return static_cast<std::int64_t>(whole);
}

bool leaves_remainder(const Mod& mod, const Value& value) {
  if (!value.is_number()) return false;
  const auto dividend = whole_part(value);
  if (!dividend) return false;
  const std::int64_t remainder = mod.divisor == -1 ? 0 : *dividend % mod.divisor;  // least % -1 overflows
  return remainder == mod.remainder;
}

bool bit_of(std::string_view bytes, std::uint32_t position) {
  const std::size_t byte = position / 8;
  return byte < bytes.size() && (static_cast<unsigned char>(bytes[byte]) >> position % 8 & 1);
}

bool has_bits(const Bits& bits, const Binary& binary) {
  const auto set = [&](std::uint32_t position) { return bit_of(binary.bytes, position); };
  switch (bits.rule) {
    case Bits::Rule::all_set: return std::ranges::all_of(bits.positions, set);
    case Bits::Rule::all_clear: return std::ranges::none_of(bits.positions, set);
    case Bits::Rule::any_set: return std::ranges::any_of(bits.positions, set);
    case Bits::Rule::any_clear: return !std::ranges::all_of(bits.positions, set);
  }
  return false;
}

bool has_bits(const Bits& bits, const Value& value) {
  if (value.type() == Type::binary) return has_bits(bits, value.binary());
  if (!value.is_number()) return false;
  const auto whole = whole_part(value);
  if (!whole || (!value.is_integer() && static_cast<double>(*whole) != value.real().number)) return false;
  const auto number = static_cast<std::uint64_t>(*whole);
  switch (bits.rule) {
    case Bits::Rule::all_set: return (number & bits.mask) == bits.mask;
    case Bits::Rule::all_clear: return (number & bits.mask) == 0;
    case Bits::Rule::any_set: return (number & bits.mask) != 0;
    case Bits::Rule::any_clear: return (~number & bits.mask) != 0;
  }
  return false;
}

// As in BSON, where an array is an object with the names "0", "1", …
Value as_object(const Array& array) {
  Object object;
  for (const Value& element : array) object.push_back({std::to_string(object.size()), element});
  return object;
}

bool holds_for_object(const Condition& condition, const Value& element) {
  if (element.is_object()) return condition.holds(element);
  return element.is_array() && condition.holds(as_object(element.array()));
}

bool matches_regex(const Regex& regex, const Value& value) {
  if (value.is_string()) return regex.matches(value.string());
  return value.type() == Type::regex && equal(value, regex.value());
}

template <class Holds>
bool combine(const Condition& condition, Holds holds) {
  switch (condition.kind) {
    case Kind::all_of: return std::ranges::all_of(condition.children, holds);
    case Kind::any_of: return std::ranges::any_of(condition.children, holds);
    default: return std::ranges::none_of(condition.children, holds);
  }
}

bool expression_holds(const Condition& condition, const Value& root) {
  Variables variables;
  variables.root = &root;
  variables.outer = condition.given.get();
  if (condition.given) variables.now = condition.given->now;
  Value own;
  const Value* result = std::get<Expression>(condition.test).evaluate(variables, own);
  return result && truth(*result);
}

}  // namespace

bool Condition::holds(const Value& root) const {
  switch (kind) {
    case Kind::all_of:
    case Kind::any_of:
    case Kind::none_of: return combine(*this, [&](const Condition& child) { return child.holds(root); });
    case Kind::expr: return expression_holds(*this, root);
    case Kind::json_schema: return std::get<Schema>(test).accepts(root);
    case Kind::size:
    case Kind::elem_match_object:
    case Kind::elem_match_value:
      return reach_whole(root, path, [&](const Value* value, bool) { return holds_for(value); });
    default: return reach(root, path, [&](const Value* value, bool) { return holds_for(value); });
  }
}

bool Condition::holds_for(const Value* value) const {
  switch (kind) {
    case Kind::all_of:
    case Kind::any_of:
    case Kind::none_of: return combine(*this, [&](const Condition& child) { return child.holds_for(value); });
    case Kind::eq:
    case Kind::gt:
    case Kind::gte:
    case Kind::lt:
    case Kind::lte: return compares(kind, value, operand);
    case Kind::in: return is_in(value, operands);
    default: break;
  }
  if (!value) return false;
  const auto is_array_with = [&](auto holds) {
    return value->is_array() && std::ranges::any_of(value->array(), holds);
  };
  switch (kind) {
    case Kind::exists: return true;
    case Kind::type: return std::get<TypeSet>(test).has(*value);
    case Kind::regex: return matches_regex(std::get<Regex>(test), *value);
    case Kind::mod: return leaves_remainder(std::get<Mod>(test), *value);
    case Kind::bits: return has_bits(std::get<Bits>(test), *value);
    case Kind::size: return value->is_array() && value->array().size() == static_cast<std::uint64_t>(operand.integer());
    case Kind::elem_match_object:
      return is_array_with([&](const Value& element) { return holds_for_object(children[0], element); });
    case Kind::elem_match_value:
      return is_array_with([&](const Value& element) { return children[0].holds_for(&element); });
    default: return holds(*value);  // expr, json_schema
  }
}

}  // namespace stele::model
