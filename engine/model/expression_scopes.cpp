// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Operators that declare variables, or take some of their arguments as they stand.
#include "engine/base/error.h"
#include "engine/model/expression_node.h"

namespace stele::model {
namespace {

[[noreturn]] void refuse_operand(const std::string& what, std::string_view rule) {
  fail(ErrorCode::invalid, text(what, ": ", rule), {{"reason", "WrongType"}});
}

// Sets a variable for as long as it lives. Nested in each other, $map, $filter and $reduce can take any time.
class Binding {
 public:
  Binding(Context& context, std::size_t slot, const Value* value)
      : context_(context), frame_{slot, value, context.frame} {
    context.tick();
    context.frame = &frame_;
  }
  ~Binding() { context_.frame = frame_.outer; }
  Binding(const Binding&) = delete;
  Binding& operator=(const Binding&) = delete;

  void set(const Value* value) { frame_.value = value; }

 private:
  Context& context_;
  Frame frame_;
};

// The result of an expression that read a variable must not stand in the variable's value when that goes.
Result kept(Result result, Context& context) {
  if (result.missing()) return {};
  return std::move(result).take(context);
}

struct FormNode : Expression::Node {
  FormNode(const ExpressionParser& parser, std::vector<NodePtr> c) : Node(std::move(c)), what(parser.what()) {}

  // The input's elements; null when there is no input.
  const Array* elements(const Result& input, std::string_view op) const {
    if (input.nullish()) return nullptr;
    if (!input->is_array())
      refuse_operand(*what, text(op, " needs an array as \"input\", not a value of type ", name(input->type())));
    return &input->array();
  }

  std::shared_ptr<const std::string> what;
};

NodePtr parse_literal(ExpressionParser&, const Value& value) { return std::make_shared<ConstantNode>(value); }

struct LetNode final : FormNode {
  using FormNode::FormNode;
  std::size_t first_slot = 0;

  Result evaluate(Context& context) const override { return bind(context, 0); }

  // The variables do not see each other: to a sibling's expression a slot is unknown.
  Result bind(Context& context, std::size_t i) const {
    if (i + 1 == children.size()) return kept(children[i]->evaluate(context), context);
    const Result value = children[i]->evaluate(context);
    const Binding binding(context, first_slot + i, value.get());
    return bind(context, i + 1);
  }
};

NodePtr parse_let(ExpressionParser& parser, const Value& arguments) {
  const auto parts = parser.named("$let", arguments, "vars in");
  if (!parts[0]->is_object()) parser.refuse("$let takes an object of variables as \"vars\"");
  std::vector<std::string> names;
  std::vector<NodePtr> children;
  for (const Member& variable : parts[0]->object()) {
    parser.check_variable_name("$let", variable.name);
    names.push_back(variable.name);
    children.push_back(parser.parse(variable.value));
  }
  const ExpressionParser::Scope scope(parser, names);
  children.push_back(parser.parse(*parts[1]));
  auto node = std::make_shared<LetNode>(parser, std::move(children));
  node->first_slot = scope.first_slot;
  return parser.folded(node);
}

// input, in
struct MapNode final : FormNode {
  using FormNode::FormNode;
  std::size_t slot = 0;

  Result evaluate(Context& context) const override {
    const Result input = children[0]->evaluate(context);
    const Array* array = elements(input, "$map");
    if (!array) return nullptr;
    Array out;
    out.reserve(array->size());
    for (const Value& element : *array) {
      const Binding binding(context, slot, &element);
      out.push_back(children[1]->evaluate(context).take(context));
    }
    return out;
  }
};

std::string variable_name(ExpressionParser& parser, std::string_view op, const Value* as) {
  if (!as) return "this";
  if (!as->is_string()) parser.refuse(text(op, " takes a variable's name as \"as\""));
  parser.check_variable_name(op, as->string());
  return as->string();
}

NodePtr parse_map(ExpressionParser& parser, const Value& arguments) {
  const auto parts = parser.named("$map", arguments, "input as? in");
  std::vector<NodePtr> children = {parser.parse(*parts[0])};
  const ExpressionParser::Scope scope(parser, {variable_name(parser, "$map", parts[1])});
  children.push_back(parser.parse(*parts[2]));
  auto node = std::make_shared<MapNode>(parser, std::move(children));
  node->slot = scope.first_slot;
  return parser.folded(node);
}

// input, cond, limit?
struct FilterNode final : FormNode {
  using FormNode::FormNode;
  std::size_t slot = 0;

  std::size_t limit(Context& context) const {
    const Result given = children[2] ? children[2]->evaluate(context) : Result();
    if (given.nullish()) return SIZE_MAX;
    const auto number = integral(*given);
    if (!number || *number < 1) refuse_operand(*what, "$filter needs an integer above 0 as \"limit\"");
    return static_cast<std::size_t>(*number);
  }

  Result evaluate(Context& context) const override {
    const Result input = children[0]->evaluate(context);
    const Array* array = elements(input, "$filter");
    if (!array) return nullptr;
    const std::size_t most = limit(context);
    Array out;
    for (const Value& element : *array) {
      if (out.size() == most) break;
      const Binding binding(context, slot, &element);
      if (truth(children[1]->evaluate(context))) out.push_back(Result::at(&element).take(context));
    }
    return out;
  }
};

NodePtr parse_filter(ExpressionParser& parser, const Value& arguments) {
  const auto parts = parser.named("$filter", arguments, "input as? cond limit?");
  const NodePtr input = parser.parse(*parts[0]), limit = parts[3] ? parser.parse(*parts[3]) : nullptr;
  const ExpressionParser::Scope scope(parser, {variable_name(parser, "$filter", parts[1])});
  auto node = std::make_shared<FilterNode>(parser, std::vector<NodePtr>{input, parser.parse(*parts[2]), limit});
  node->slot = scope.first_slot;
  return parser.folded(node);
}

// input, initialValue, in
struct ReduceNode final : FormNode {
  using FormNode::FormNode;
  std::size_t first_slot = 0;  // this, value

  Result evaluate(Context& context) const override {
    const Result input = children[0]->evaluate(context);
    const Array* array = elements(input, "$reduce");
    if (!array) return nullptr;
    Result value = kept(children[1]->evaluate(context), context);
    for (const Value& element : *array) {
      const Binding one(context, first_slot, &element), other(context, first_slot + 1, value.get());
      Result next = kept(children[2]->evaluate(context), context);
      value = std::move(next);
    }
    return value;
  }
};

NodePtr parse_reduce(ExpressionParser& parser, const Value& arguments) {
  const auto parts = parser.named("$reduce", arguments, "input initialValue in");
  std::vector<NodePtr> children = {parser.parse(*parts[0]), parser.parse(*parts[1])};
  const ExpressionParser::Scope scope(parser, {"this", "value"});
  children.push_back(parser.parse(*parts[2]));
  auto node = std::make_shared<ReduceNode>(parser, std::move(children));
  node->first_slot = scope.first_slot;
  return parser.folded(node);
}

// case, then, case, then, ..., default?
struct SwitchNode final : FormNode {
  using FormNode::FormNode;

  Result evaluate(Context& context) const override {
    for (std::size_t i = 0; i + 1 < children.size(); i += 2)
      if (truth(children[i]->evaluate(context))) return children[i + 1]->evaluate(context);
    if (!children.back()) refuse_operand(*what, "$switch: no branch matched, and there is no \"default\"");
    return children.back()->evaluate(context);
  }
};

NodePtr parse_switch(ExpressionParser& parser, const Value& arguments) {
  const auto parts = parser.named("$switch", arguments, "branches default?");
  if (!parts[0]->is_array() || parts[0]->array().empty())
    parser.refuse("$switch takes one or more \"branches\" in an array");
  std::vector<NodePtr> children;
  for (const Value& branch : parts[0]->array())
    for (const Value* part : parser.named("a branch of $switch", branch, "case then"))
      children.push_back(parser.parse(*part));
  children.push_back(parts[1] ? parser.parse(*parts[1]) : nullptr);
  return parser.folded(std::make_shared<SwitchNode>(parser, std::move(children)));
}

constexpr Form scope_table[] = {
    {"$literal", parse_literal}, {"$let", parse_let},       {"$map", parse_map},
    {"$filter", parse_filter},   {"$reduce", parse_reduce}, {"$switch", parse_switch},
};

}  // namespace

std::span<const Form> scope_forms() { return scope_table; }

}  // namespace stele::model
