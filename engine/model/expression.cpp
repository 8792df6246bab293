// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/expression.h"

#include "engine/base/error.h"
#include "engine/base/interrupt.h"
#include "engine/model/compare.h"
#include "engine/model/expression_node.h"
#include "engine/model/first_steps.h"

#include <algorithm>
#include <cmath>

namespace stele::model {
namespace {

constexpr std::uint32_t depth_max = 1000;  // of a value; code that walks one may recurse

std::size_t bytes_of(const Value& value, std::uint32_t depth) {
  if (depth > depth_max)
    fail(ErrorCode::too_large,
         text("expression: a value has more than ", depth_max, " arrays and objects inside each other"),
         {{"reason", "TooDeep"}, {"limit", std::to_string(depth_max)}});
  std::size_t bytes = sizeof(Value);
  if (value.is_string()) {
    bytes += value.string().size();
  } else if (value.is_array()) {
    for (const Value& element : value.array()) bytes += bytes_of(element, depth + 1);
  } else if (value.is_object()) {
    for (const Member& member : value.object())
      bytes += sizeof member.name + member.name.size() + bytes_of(member.value, depth + 1);
  }
  return bytes;
}

}  // namespace

// What flows through the tree

void Context::charge(std::size_t bytes) {
  if (bytes > bytes_left)
    fail(ErrorCode::too_large,
         "expression: it copies more than 256 MB for one document; a step doubles its value, or an array is too long",
         {{"reason", "TooLarge"}, {"limit", std::to_string(std::size_t{256} << 20)}});
  bytes_left -= bytes;
}

void Context::poll() const {
  Interrupt::poll();
  if (steps > steps_most) fail(ErrorCode::too_large, "expression: too much to compute ahead of time");
}

void Context::charge(const Value& copied) {
  tick();
  charge(bytes_of(copied, 0));
}

Value Result::take(Context& context) && {
  if (own_) return std::move(value_);
  if (!elsewhere_) return {};
  context.charge(*elsewhere_);
  return *elsewhere_;
}

const Value* Result::keep(Value& own) && {
  if (!own_) return elsewhere_;
  own = std::move(value_);
  return &own;
}

bool Expression::Node::collect_paths(std::vector<std::string>& paths) const {
  for (const NodePtr& child : children)
    if (child && !child->collect_paths(paths)) return false;
  return true;
}

// An operator at work

std::string_view Call::name() const { return op_.name; }

std::string Call::where() const { return text(what_, ": ", op_.name); }

void Call::refuse(std::string_view rule, ErrorCode code) const {
  const std::string_view reason = code == ErrorCode::out_of_range ? "NumberOutOfRange"
                                  : code == ErrorCode::too_large  ? "TooLarge"
                                                                  : "InvalidOperand";
  fail(code, text(what_, ": ", op_.name, ' ', rule),
       {{"reason", std::string(reason)}, {"operator", std::string(op_.name)}});
}

void Call::refuse_type(std::string_view needed, const Result& found) const {
  std::string type = "a missing value";
  if (!found.missing()) type = found->is_null() ? "null" : text("a value of type ", model::name(found->type()));
  fail(ErrorCode::invalid, text(what_, ": ", op_.name, " needs ", needed, ", not ", type),
       {{"reason", "WrongType"}, {"operator", std::string(op_.name)}});
}

const std::string& Call::string(const Result& value, std::string_view needed) const {
  if (value.missing() || !value->is_string()) refuse_type(needed, value);
  return value->string();
}

const Array& Call::array(const Result& value, std::string_view needed) const {
  if (value.missing() || !value->is_array()) refuse_type(needed, value);
  return value->array();
}

const Object& Call::object(const Result& value, std::string_view needed) const {
  if (value.missing() || !value->is_object()) refuse_type(needed, value);
  return value->object();
}

std::int64_t Call::integer(const Result& value, std::string_view needed) const {
  if (value.missing() || !value->is_number()) refuse_type(needed, value);
  const auto number = integral(*value);
  if (!number) refuse(text("needs ", needed, ", not ", to_json(*value)));
  return *number;
}

std::int64_t Call::integer32(const Result& value, std::string_view needed) const {
  const std::int64_t number = integer(value, needed);
  if (number != static_cast<std::int32_t>(number)) refuse(text("needs ", needed, ", not ", number));
  return number;
}

std::int64_t Call::bound(std::size_t i, std::int64_t otherwise) const {
  if (!given(i)) return otherwise;
  const std::int64_t value = integer32(arg(i), "a 32-bit integer as bound");
  if (value < 0) refuse(text("needs bounds that are not below 0, not ", value));
  return value;
}

bool Call::boolean(const Result& value, std::string_view needed) const {
  if (value.missing() || value->type() != Type::boolean) refuse_type(needed, value);
  return value->boolean();
}

Result Call::finite(double number) const {
  if (!std::isfinite(number))
    refuse("leaves the range of a double; NaN and infinity are no values here", ErrorCode::out_of_range);
  return number;
}

// Shared between families

int compare_results(const Value* a, const Value* b) {
  if (!a || !b) return (a != nullptr) - (b != nullptr);
  return compare(*a, *b);
}

bool truth(const Value& value) {
  if (value.type() == Type::boolean) return value.boolean();
  if (value.is_number()) return value.number() != 0;
  return !value.is_null();
}

bool truth(const Result& result) { return !result.missing() && truth(*result); }

std::optional<std::int64_t> integral(const Value& value) {
  if (value.is_integer()) return value.integer();
  if (!value.is_number()) return std::nullopt;
  const double number = value.real().number;
  if (number != std::trunc(number) || number < -0x1p63 || number >= 0x1p63) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

// The public face

const Value* Variables::find(std::string_view name) const {
  const auto at = named.find(name);
  if (at != named.end()) return &at->second;
  return outer ? outer->find(name) : nullptr;
}

Expression Expression::parse(const Value& value, std::string_view what) { return parse(value, what, {}); }

Expression Expression::parse(const Value& value, std::string_view what, std::span<const std::string> variables) {
  return Expression(ExpressionParser(what, variables).parse(value));
}

std::optional<Value> Expression::evaluate(const Variables& variables) const {
  Context context{variables};
  Result result = node_->evaluate(context);
  if (result.missing()) return std::nullopt;
  return std::move(result).take(context);
}

std::optional<Value> Expression::evaluate(const Value& document) const {
  Variables variables;
  variables.root = &document;
  return evaluate(variables);
}

const Value* Expression::evaluate(const Variables& variables, Value& own) const {
  Context context{variables};
  return node_->evaluate(context).keep(own);
}

bool Expression::collect_paths(std::vector<std::string>& paths) const { return node_->collect_paths(paths); }

bool Expression::collect_names(std::vector<std::string>& names) const {
  std::vector<std::string> paths;
  if (!collect_paths(paths)) return false;
  add_first_steps(paths, names);
  return true;
}

const Value* Expression::constant() const {
  if (!node_->is_constant()) return nullptr;
  const auto& value = static_cast<const ConstantNode&>(*node_).value;
  return value ? &*value : nullptr;
}

}  // namespace stele::model
