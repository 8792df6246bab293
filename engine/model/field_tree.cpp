// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/field_tree.h"

#include "engine/base/error.h"
#include "engine/model/expression_node.h"

#include <algorithm>

namespace stele::model {
namespace {

[[noreturn]] void refuse_tree(std::string_view what, std::string_view rule) {
  fail(ErrorCode::invalid, text(what, ": ", rule), {{"reason", "InvalidUpdate"}});
}

bool is_expression(const Value& value) {
  return value.is_object() && !value.object().empty() && value.object()[0].name.starts_with('$');
}

// Members of a $set or $project, nested ones flattened: visit(path, value).
template <class Visit>
void each_field(const Object& spec, const std::string& prefix, std::string_view what, Visit& visit) {
  if (spec.empty())
    refuse_tree(what, prefix.empty() ? "it needs one or more fields" : text("\"", prefix, "\" is an empty object"));
  for (const Member& member : spec) {
    if (!prefix.empty() && member.name.find('.') != std::string::npos)
      refuse_tree(what, text("inside \"", prefix, "\" the name \"", member.name, "\" holds a dot; nest objects"));
    const std::string path = prefix.empty() ? member.name : text(prefix, ".", member.name);
    if (member.value.is_object() && !is_expression(member.value))
      each_field(member.value.object(), path, what, visit);
    else
      visit(path, member.value);
  }
}

Value& member_of(Value& object, const std::string& name) {
  if (Value* present = object.find(name)) return *present;
  object.object().push_back({name, {}});
  return object.object().back().value;
}

}  // namespace

// Reading

// The end of the path in the tree, new.
FieldTree::Node& FieldTree::add(std::string_view dotted, std::string_view what) {
  const Path path(dotted);
  Node* at = &root_;
  bool created = false;
  for (const Step& step : path.steps()) {
    if (step.name.empty() || step.name[0] == '$' || step.name.find('\0') != std::string::npos)
      refuse_tree(what, text("the path \"", dotted, "\" has a step that is empty, begins with '$' or holds NUL"));
    auto child = std::ranges::find(at->children, step.name, &Node::name);
    created = child == at->children.end();
    if (!created && child->is_end) break;
    if (created) child = at->children.insert(child, Node{step.name, false, 0, {}});
    at = &*child;
  }
  if (!created)
    fail(ErrorCode::invalid,
         text(what, ": another path is, or begins, \"", dotted, "\", or begins with it; keep one of them"),
         {{"reason", "ConflictingPaths"}});
  at->is_end = true;
  return *at;
}

FieldTree FieldTree::of_set(const Value& spec, std::string_view what, std::span<const std::string> variables) {
  if (!spec.is_object()) refuse_tree(what, R"(it needs an object of fields, such as {"total": {"$add": ["$a", "$b"]}})");
  FieldTree tree;
  auto add = [&](const std::string& path, const Value& value) {
    tree.add(path, what).expression = tree.expressions_.size();
    tree.expressions_.push_back(Expression::parse(value, text(what, ", \"", path, '"'), variables));
  };
  each_field(spec.object(), "", what, add);
  return tree;
}

FieldTree FieldTree::of_exclusion(const Value& spec, std::string_view what) {
  if (!spec.is_object()) refuse_tree(what, R"(it needs an object of fields to leave out, such as {"draft": 0})");
  FieldTree tree;
  auto add = [&](const std::string& path, const Value& value) {
    const bool excludes = value.is_number() ? value.number() == 0 : value.type() == Type::boolean && !value.boolean();
    if (!excludes)
      fail(
          ErrorCode::unsupported,
          text(what, ": \"", path, "\": only leaving out (0) is offered; use $replaceWith to choose or compute fields"),
          {{"reason", "Operator"}, {"operator", "$project"}, {"path", path}});
    tree.add(path, what);
  };
  each_field(spec.object(), "", what, add);
  return tree;
}

FieldTree FieldTree::of_unset(const Value& spec, std::string_view what) {
  const Array paths = spec.is_array() ? spec.array() : Array{spec};
  if (paths.empty()) refuse_tree(what, "it needs one or more paths");
  FieldTree tree;
  for (const Value& path : paths) {
    if (!path.is_string()) refuse_tree(what, R"(it needs a path, or an array of paths, such as ["draft", "author.email"])");
    tree.add(path.string(), what);
  }
  return tree;
}

FieldTree FieldTree::of_paths(std::span<const std::string> paths, std::string_view what) {
  FieldTree tree;
  for (std::size_t i = 0; i < paths.size(); ++i) tree.add(paths[i], what).expression = i;
  return tree;
}

// Applying

struct FieldTree::Computed {
  std::vector<std::optional<Value>> values;
  Context context;  // whose budget the copies into arrays' elements are charged to
};

void FieldTree::assign_inside(const Node& tree, Computed& computed, Value& value) {
  if (value.is_array()) {
    for (Value& element : value.array()) assign_inside(tree, computed, element);
    return;
  }
  if (!value.is_object()) value = Object();
  assign(tree, computed, value);
}

void FieldTree::assign(const Node& tree, Computed& computed, Value& object) {
  for (const Node& child : tree.children) {
    if (!child.is_end) {
      assign_inside(child, computed, member_of(object, child.name));
    } else if (const auto& value = computed.values[child.expression]) {
      computed.context.charge(*value);
      member_of(object, child.name) = *value;
    } else {
      std::erase_if(object.object(), [&](const Member& member) { return member.name == child.name; });
    }
  }
}

void FieldTree::set_in(Value& document, Variables variables) const {
  variables.root = &document;
  Computed computed{{}, {variables}};
  computed.values.reserve(expressions_.size());
  for (const Expression& expression : expressions_) computed.values.push_back(expression.evaluate(variables));
  assign(root_, computed, document);
}

void FieldTree::put_in(Value& document, std::vector<std::optional<Value>> values) const {
  const Variables variables;
  Computed computed{std::move(values), {variables}};
  assign(root_, computed, document);
}

void FieldTree::exclude(const Node& tree, Value& value) {
  if (value.is_array())
    for (Value& element : value.array()) exclude(tree, element);
  if (!value.is_object()) return;
  for (const Node& child : tree.children) {
    if (child.is_end)
      std::erase_if(value.object(), [&](const Member& member) { return member.name == child.name; });
    else if (Value* inner = value.find(child.name))
      exclude(child, *inner);
  }
}

void FieldTree::exclude_from(Value& document) const { exclude(root_, document); }

// What it reads and touches

bool FieldTree::collect_paths(std::vector<std::string>& paths) const {
  return std::ranges::all_of(expressions_,
                             [&](const Expression& expression) { return expression.collect_paths(paths); });
}

bool FieldTree::keeps(const Path& path) const {
  const Node* node = &root_;
  for (const Step& step : path.steps()) {
    if (step.index && node != &root_) return false;  // may be an element's position
    const auto child = std::ranges::find(node->children, step.name, &Node::name);
    if (child == node->children.end()) return node == &root_;  // below, what is no object may become one
    if (child->is_end) return false;
    node = &*child;
  }
  return false;
}

void FieldTree::collect(const Node& tree, const std::string& prefix, std::vector<std::string>& paths) {
  for (const Node& child : tree.children) {
    const std::string path = prefix.empty() ? child.name : text(prefix, '.', child.name);
    if (child.is_end) paths.push_back(path);
    collect(child, path, paths);
  }
}

std::vector<std::string> FieldTree::paths() const {
  std::vector<std::string> paths;
  collect(root_, "", paths);
  return paths;
}

}  // namespace stele::model
