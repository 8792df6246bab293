// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/expression.h"

#include "engine/base/error.h"
#include "engine/model/compare.h"
#include "engine/model/expression_node.h"
#include "engine/model/path.h"

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

// Inside arrays the path goes on in the objects, and what they have makes a new array.
Result follow(const Value* value, std::span<const std::string> steps, Context& context) {
  for (std::size_t i = 0; value && i < steps.size(); ++i) {
    if (value->is_object()) {
      value = value->find(steps[i]);
      continue;
    }
    if (!value->is_array()) return {};
    Array found;
    for (const Value& element : value->array()) {
      if (!element.is_object()) continue;
      Result result = follow(&element, steps.subspan(i), context);
      if (!result.missing()) found.push_back(std::move(result).take(context));
    }
    return found;
  }
  return Result::at(value);
}

// "$a.b" and "$$ROOT.a.b".
struct PathNode final : Expression::Node {
  explicit PathNode(std::vector<std::string> s) : steps(std::move(s)) {}
  Result evaluate(Context& context) const override { return follow(context.variables.root, steps, context); }
  bool collect_names(std::vector<std::string>& names) const override {
    if (steps.empty()) return false;
    if (std::ranges::find(names, steps[0]) == names.end()) names.push_back(steps[0]);
    return true;
  }
  std::vector<std::string> steps;
};

// A variable of $let and its kin.
struct VariableNode final : Expression::Node {
  VariableNode(std::size_t n, std::vector<std::string> s) : slot(n), steps(std::move(s)) {}
  Result evaluate(Context& context) const override {
    const Frame* frame = context.frame;
    while (frame && frame->slot != slot) frame = frame->outer;
    return follow(frame ? frame->value : nullptr, steps, context);
  }
  std::size_t slot;
  std::vector<std::string> steps;
};

// A variable that the caller supplies.
struct SuppliedNode final : Expression::Node {
  SuppliedNode(std::string n, std::vector<std::string> s) : name(std::move(n)), steps(std::move(s)) {}
  Result evaluate(Context& context) const override {
    const auto at = context.variables.named.find(name);
    return follow(at == context.variables.named.end() ? nullptr : &at->second, steps, context);
  }
  std::string name;
  std::vector<std::string> steps;
};

struct NowNode final : Expression::Node {
  explicit NowNode(bool steps) : with_steps(steps) {}
  Result evaluate(Context& context) const override {
    if (!context.variables.now)
      fail(ErrorCode::invalid, "expression: $$NOW has no value here", {{"reason", "InvalidExpression"}});
    if (with_steps) return {};
    return *context.variables.now;
  }
  bool with_steps;
};

struct ArrayNode final : Expression::Node {
  using Node::Node;
  Result evaluate(Context& context) const override {
    Array array;
    array.reserve(children.size());
    for (const NodePtr& child : children) array.push_back(child->evaluate(context).take(context));
    return array;
  }
};

struct ObjectNode final : Expression::Node {
  ObjectNode(std::vector<std::string> n, std::vector<NodePtr> c) : Node(std::move(c)), names(std::move(n)) {}
  Result evaluate(Context& context) const override {
    Object object;
    for (std::size_t i = 0; i < children.size(); ++i) {
      Result member = children[i]->evaluate(context);
      if (!member.missing()) object.push_back({names[i], std::move(member).take(context)});
    }
    return object;
  }
  std::vector<std::string> names;
};

struct CallNode final : Expression::Node {
  CallNode(const Operator& o, std::vector<NodePtr> arguments, std::shared_ptr<const std::string> w)
      : Node(std::move(arguments)), op(o), what(std::move(w)) {}
  Result evaluate(Context& context) const override { return op.run(Call(op, children, *what, context)); }
  const Operator& op;
  std::shared_ptr<const std::string> what;
};

using Operators = std::map<std::string_view, const Operator*>;

const Operators& operators() {
  static const Operators all = [] {
    Operators map;
    for (const auto& family :
         {accumulator_operators(), arithmetic_operators(), array_operators(), conversion_operators(), date_operators(),
          logic_operators(), object_operators(), regex_operators(), set_operators(), string_operators()})
      for (const Operator& op : family) map.emplace(op.name, &op);
    return map;
  }();
  return all;
}

const Form* find_form(std::string_view name) {
  for (const auto& family : {array_forms(), scope_forms()})
    for (const Form& form : family)
      if (form.name == name) return &form;
  return nullptr;
}

constexpr std::string_view not_offered[] = {"$accumulator",
                                            "$function",
                                            "$rand",
                                            "$sampleRate",
                                            "$meta",
                                            "$tsSecond",
                                            "$tsIncrement",
                                            "$toDecimal",
                                            "$bsonSize",
                                            "$binarySize",
                                            "$toUUID",
                                            "$median",
                                            "$percentile",
                                            "$toHashedIndexKey",
                                            "$covariancePop",
                                            "$covarianceSamp",
                                            "$top",
                                            "$topN",
                                            "$bottom",
                                            "$bottomN",
                                            "$count",
                                            "$push",
                                            "$addToSet",
                                            "$encStrStartsWith",
                                            "$encStrEndsWith",
                                            "$createObjectId",
                                            "$similarityCosine"};
constexpr std::string_view variables_not_offered[] = {"CLUSTER_TIME", "DESCEND",    "PRUNE",      "KEEP",
                                                      "JS_SCOPE",     "USER_ROLES", "SEARCH_META"};

bool fits(const Operator& op, std::size_t count) { return count >= op.least && count <= op.most; }

std::string wanted(const Operator& op) {
  if (op.least == op.most) return op.least == 1 ? "1 argument" : text(op.least, " arguments");
  if (op.most == Operator::any) return text("at least ", op.least, op.least == 1 ? " argument" : " arguments");
  return text(op.least, " to ", op.most, " arguments");
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

void Context::charge(const Value& copied) { charge(bytes_of(copied, 0)); }

Value Result::take(Context& context) && {
  if (own_) return std::move(value_);
  if (!elsewhere_) return {};
  context.charge(*elsewhere_);
  return *elsewhere_;
}

bool Expression::Node::collect_names(std::vector<std::string>& names) const {
  for (const NodePtr& child : children)
    if (child && !child->collect_names(names)) return false;
  return true;
}

// An operator at work

std::string_view Call::name() const { return op_.name; }

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

bool Call::boolean(const Result& value, std::string_view needed) const {
  if (value.missing() || value->type() != Type::boolean) refuse_type(needed, value);
  return value->boolean();
}

Result Call::finite(double number) const {
  if (!std::isfinite(number))
    refuse("leaves the range of a double; NaN and infinity are no values here", ErrorCode::out_of_range);
  return number;
}

// Parsing

ExpressionParser::ExpressionParser(std::string_view what, std::span<const std::string> supplied)
    : what_(std::make_shared<const std::string>(what)), supplied_(supplied.begin(), supplied.end()) {}

void ExpressionParser::refuse(std::string_view rule) const {
  fail(ErrorCode::invalid, text(*what_, ": ", rule), {{"reason", "InvalidExpression"}});
}

ExpressionParser::Scope::Scope(ExpressionParser& parser, std::vector<std::string> names)
    : first_slot(parser.variables_.size()), parser_(parser) {
  for (std::string& name : names) parser.variables_.push_back(std::move(name));
}

ExpressionParser::Scope::~Scope() { parser_.variables_.resize(first_slot); }

NodePtr ExpressionParser::folded(NodePtr node) {
  const auto constant = [](const NodePtr& child) { return !child || child->is_constant(); };
  if (!std::ranges::all_of(node->children, constant)) return node;
  const Variables none;
  Context context{none};
  try {
    Result result = node->evaluate(context);
    if (result.missing()) return std::make_shared<ConstantNode>(std::nullopt);
    return std::make_shared<ConstantNode>(std::move(result).take(context));
  } catch (const Error&) {
    return node;  // fails when, and only if, it is reached
  }
}

NodePtr ExpressionParser::parse(const Value& value) {
  if (value.is_string() && value.string().starts_with('$')) return parse_reference(value.string());
  if (value.is_array()) return parse_array(value.array());
  if (!value.is_object()) return std::make_shared<ConstantNode>(value);
  const Object& object = value.object();
  if (object.empty() || !object[0].name.starts_with('$')) return parse_object(object);
  if (object.size() > 1)
    refuse(text(object[0].name, " stands beside \"", object[1].name,
                "\"; an operator must be the only member of its object"));
  return parse_call(object[0]);
}

NodePtr ExpressionParser::parse_reference(const std::string& reference) const {
  if (reference.find('\0') != std::string::npos) refuse("a path holds a NUL character");
  if (reference.starts_with("$$")) return parse_variable(Path(std::string_view(reference).substr(2)));
  if (reference.size() == 1)
    refuse("\"$\" is no path; a string that begins with '$' is written {\"$literal\": \"$…\"}");
  const Path path(std::string_view(reference).substr(1));
  std::vector<std::string> steps = checked_steps(path, 0);
  if (const auto slot = slot_of("CURRENT")) return std::make_shared<VariableNode>(*slot, std::move(steps));
  return std::make_shared<PathNode>(std::move(steps));
}

NodePtr ExpressionParser::parse_variable(const Path& path) const {
  const std::string& name = path.steps()[0].name;
  std::vector<std::string> steps = checked_steps(path, 1);
  if (const auto slot = slot_of(name)) return std::make_shared<VariableNode>(*slot, std::move(steps));
  if (name == "ROOT" || name == "CURRENT") return std::make_shared<PathNode>(std::move(steps));
  if (name == "NOW") return std::make_shared<NowNode>(!steps.empty());
  if (name == "REMOVE") return std::make_shared<ConstantNode>(std::nullopt);
  if (std::ranges::find(supplied_, name) != supplied_.end())
    return std::make_shared<SuppliedNode>(name, std::move(steps));
  if (std::ranges::find(variables_not_offered, name) != std::end(variables_not_offered))
    fail(ErrorCode::unsupported, text(*what_, ": the variable $$", name, " is not offered"),
         {{"reason", "Variable"}, {"variable", name}});
  refuse(text("the variable $$", name, " is not defined here; $let defines variables"));
}

std::vector<std::string> ExpressionParser::checked_steps(const Path& path, std::size_t from) const {
  std::vector<std::string> steps;
  for (std::size_t i = from; i < path.steps().size(); ++i) {
    const std::string& name = path.steps()[i].name;
    if (name.empty()) refuse(text("the path \"", path.text(), "\" has an empty step"));
    if (name.starts_with('$'))
      refuse(text("the path \"", path.text(), "\" has a step that begins with '$'; $getField reads such members"));
    steps.push_back(name);
  }
  return steps;
}

std::optional<std::size_t> ExpressionParser::slot_of(std::string_view variable) const {
  for (std::size_t i = variables_.size(); i > 0; --i)
    if (variables_[i - 1] == variable) return i - 1;
  return std::nullopt;
}

NodePtr ExpressionParser::parse_array(const Array& array) {
  std::vector<NodePtr> children;
  for (const Value& element : array) children.push_back(parse(element));
  return folded(std::make_shared<ArrayNode>(std::move(children)));
}

NodePtr ExpressionParser::parse_object(const Object& object) {
  std::vector<std::string> names;
  std::vector<NodePtr> children;
  for (const Member& member : object) {
    if (member.name.starts_with('$'))
      refuse(text(member.name, " stands beside \"", object[0].name,
                  "\"; an operator must be the only member of its object"));
    if (member.name.find('.') != std::string::npos)
      refuse(text("the member \"", member.name, "\" of an object holds a dot; nest objects instead"));
    names.push_back(member.name);
    children.push_back(parse(member.value));
  }
  return folded(std::make_shared<ObjectNode>(std::move(names), std::move(children)));
}

NodePtr ExpressionParser::parse_call(const Member& call) {
  if (const Form* form = find_form(call.name)) return form->parse(*this, call.value);
  const auto at = operators().find(call.name);
  if (at != operators().end())
    return folded(std::make_shared<CallNode>(*at->second, parse_arguments(*at->second, call.value), what_));
  const Error::Detail detail = {{"reason", "Operator"}, {"operator", call.name}};
  if (std::ranges::find(not_offered, call.name) != std::end(not_offered))
    fail(ErrorCode::unsupported, text(*what_, ": the operator ", call.name, " is not offered in expressions"), detail);
  fail(ErrorCode::invalid,
       text(*what_, ": unknown operator ", call.name, "; a value that begins with '$' is written {\"$literal\": …}"),
       {{"reason", "UnknownOperator"}, {"operator", call.name}});
}

std::vector<NodePtr> ExpressionParser::parse_arguments(const Operator& op, const Value& arguments) {
  std::vector<NodePtr> nodes;
  const bool is_named =
      arguments.is_object() && (arguments.object().empty() || !arguments.object()[0].name.starts_with('$'));
  if (!op.names.empty() && (is_named || op.most == 0)) {
    for (const Value* argument : named(op.name, arguments, op.names))
      nodes.push_back(argument ? parse(*argument) : nullptr);
    return nodes;
  }
  const bool listed = arguments.is_array();
  const std::size_t count = listed ? arguments.array().size() : 1;
  if (!fits(op, count)) refuse(text(op.name, " takes ", wanted(op), ", not ", count));
  for (std::size_t i = 0; i < count; ++i) nodes.push_back(parse(listed ? arguments.array()[i] : arguments));
  if (op.name == "$getField") nodes.push_back(parse("$$CURRENT"));  // the input when only the field is given
  return nodes;
}

std::vector<const Value*> ExpressionParser::named(std::string_view op, const Value& arguments,
                                                  std::string_view names) const {
  if (!arguments.is_object()) refuse(text(op, " takes an object of arguments: ", names));
  std::vector<const Value*> found;
  std::size_t known = 0;
  for (std::string_view rest = names; !rest.empty();) {
    std::string_view name = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    const bool optional = name.ends_with('?');
    if (optional) name.remove_suffix(1);
    found.push_back(arguments.find(name));
    if (found.back())
      ++known;
    else if (!optional)
      refuse(text(op, " lacks its argument \"", name, "\"; it takes: ", names));
  }
  if (known == arguments.object().size()) return found;
  for (const Member& member : arguments.object())
    if (std::ranges::find(found, &member.value) == found.end())
      refuse(text(op, " has no argument \"", member.name, "\"; it takes: ", names));
  return found;
}

void ExpressionParser::check_variable_name(std::string_view op, std::string_view name) const {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80; };
  const auto inner = [&](char c) { return letter(c) || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; };
  if (name == "CURRENT") return;
  if (name.empty() || !letter(name[0]) || !std::ranges::all_of(name, inner))
    refuse(text(op, ": the variable's name \"", name,
                "\" must begin with a lower-case letter and go on with letters, digits and _"));
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

bool Expression::collect_names(std::vector<std::string>& names) const { return node_->collect_names(names); }

const Value* Expression::constant() const {
  if (!node_->is_constant()) return nullptr;
  const auto& value = static_cast<const ConstantNode&>(*node_).value;
  return value ? &*value : nullptr;
}

}  // namespace stele::model
