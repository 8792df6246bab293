// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// From JSON values to a tree: references, objects and arrays; operators are looked up in their families' tables.
#include "engine/base/error.h"
#include "engine/model/expression_node.h"
#include "engine/model/path.h"

#include <algorithm>

namespace stele::model {
namespace {

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
  bool collect_paths(std::vector<std::string>& paths) const override {
    if (steps.empty()) return false;
    std::string path = steps[0];
    for (std::size_t i = 1; i < steps.size(); ++i) path += '.' + steps[i];
    if (std::ranges::find(paths, path) == paths.end()) paths.push_back(std::move(path));
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
  Result evaluate(Context& context) const override { return follow(context.variables.find(name), steps, context); }
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

constexpr std::string_view not_offered[] = {
    "$accumulator", "$function",         "$rand",           "$sampleRate",     "$meta",
    "$tsSecond",    "$tsIncrement",      "$toDecimal",      "$bsonSize",       "$binarySize",
    "$toUUID",      "$toHashedIndexKey", "$covariancePop",  "$covarianceSamp", "$top",
    "$topN",        "$bottom",           "$bottomN",        "$count",          "$push",
    "$addToSet",    "$encStrStartsWith", "$encStrEndsWith", "$createObjectId", "$similarityCosine"};
constexpr std::string_view variables_not_offered[] = {"CLUSTER_TIME", "DESCEND",    "PRUNE",      "KEEP",
                                                      "JS_SCOPE",     "USER_ROLES", "SEARCH_META"};

bool fits(const Operator& op, std::size_t count) { return count >= op.least && count <= op.most; }

std::string wanted(const Operator& op) {
  if (op.least == op.most) return op.least == 1 ? "1 argument" : text(op.least, " arguments");
  if (op.most == Operator::any) return text("at least ", op.least, op.least == 1 ? " argument" : " arguments");
  return text(op.least, " to ", op.most, " arguments");
}

}  // namespace

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
  context.bytes_left = std::size_t{16} << 20;  // what takes more is left for later, when it can be interrupted
  context.steps_most = 100'000;
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
  if (std::ranges::find(not_offered, call.name) != std::end(not_offered))
    fail(ErrorCode::unsupported, text(*what_, ": the operator ", call.name, " is not offered in expressions"),
         {{"reason", "Operator"}, {"operator", call.name}});
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

}  // namespace stele::model
