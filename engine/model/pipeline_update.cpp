// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/pipeline_update.h"

#include "engine/base/error.h"
#include "engine/model/document.h"
#include "engine/model/path.h"

#include <algorithm>
#include <cmath>

namespace stele::model {
namespace {

[[noreturn]] void refuse(std::string_view what, std::string_view rule) {
  fail(ErrorCode::invalid, text(what, ": ", rule), {{"reason", "InvalidUpdate"}});
}

// The end of the path in the tree, new.
FieldTree& add_path(FieldTree& tree, std::string_view dotted, std::string_view what) {
  const Path path(dotted);
  FieldTree* at = &tree;
  bool created = false;
  for (const Step& step : path.steps()) {
    if (step.name.empty() || step.name[0] == '$' || step.name.find('\0') != std::string::npos)
      refuse(what, text("the path \"", dotted, "\" has a step that is empty, begins with '$' or holds NUL"));
    auto child = std::ranges::find(at->children, step.name, &FieldTree::name);
    created = child == at->children.end();
    if (!created && child->is_end) break;
    if (created) child = at->children.insert(child, FieldTree{step.name, false, {}, {}});
    at = &*child;
  }
  if (!created)
    fail(ErrorCode::invalid,
         text(what, ": another path is, or begins, \"", dotted, "\", or begins with it; keep one of them"),
         {{"reason", "ConflictingPaths"}});
  at->is_end = true;
  return *at;
}

bool is_expression(const Value& value) {
  return value.is_object() && !value.object().empty() && value.object()[0].name.starts_with('$');
}

// Members of a $set or $project, nested ones flattened: visit(path, value).
template <class Visit>
void each_field(const Object& spec, const std::string& prefix, std::string_view what, Visit& visit) {
  if (spec.empty())
    refuse(what, prefix.empty() ? "it needs one or more fields" : text("\"", prefix, "\" is an empty object"));
  for (const Member& member : spec) {
    if (!prefix.empty() && member.name.find('.') != std::string::npos)
      refuse(what, text("inside \"", prefix, "\" the name \"", member.name, "\" holds a dot; nest objects"));
    const std::string path = prefix.empty() ? member.name : text(prefix, ".", member.name);
    if (member.value.is_object() && !is_expression(member.value))
      each_field(member.value.object(), path, what, visit);
    else
      visit(path, member.value);
  }
}

FieldTree parse_set(const Value& spec, std::string_view what) {
  if (!spec.is_object()) refuse(what, R"(it needs an object of fields, such as {"total": {"$add": ["$a", "$b"]}})");
  FieldTree tree;
  auto add = [&](const std::string& path, const Value& value) {
    add_path(tree, path, what).computed = Expression::parse(value, text(what, ", \"", path, '"'));
  };
  each_field(spec.object(), "", what, add);
  return tree;
}

FieldTree parse_exclusion(const Value& spec, std::string_view what) {
  if (!spec.is_object()) refuse(what, R"(it needs an object of fields to leave out, such as {"draft": 0})");
  FieldTree tree;
  auto add = [&](const std::string& path, const Value& value) {
    const bool excludes = value.is_number() ? value.number() == 0 : value.type() == Type::boolean && !value.boolean();
    if (!excludes)
      fail(
          ErrorCode::unsupported,
          text(what, ": \"", path, "\": only leaving out (0) is offered; use $replaceWith to choose or compute fields"),
          {{"reason", "Operator"}, {"operator", "$project"}, {"path", path}});
    add_path(tree, path, what);
  };
  each_field(spec.object(), "", what, add);
  return tree;
}

void compute(const FieldTree& tree, const Variables& variables, Value& object);

void compute_inside(const FieldTree& tree, const Variables& variables, Value& value) {
  if (value.is_array()) {
    for (Value& element : value.array()) compute_inside(tree, variables, element);
    return;
  }
  if (!value.is_object()) value = Object();
  compute(tree, variables, value);
}

Value& member_of(Value& object, const std::string& name) {
  if (Value* present = object.find(name)) return *present;
  object.object().push_back({name, {}});
  return object.object().back().value;
}

void compute(const FieldTree& tree, const Variables& variables, Value& object) {
  for (const FieldTree& child : tree.children) {
    if (!child.computed) {
      compute_inside(child, variables, member_of(object, child.name));
    } else if (auto value = child.computed->evaluate(variables)) {
      member_of(object, child.name) = *std::move(value);
    } else {
      std::erase_if(object.object(), [&](const Member& member) { return member.name == child.name; });
    }
  }
}

void exclude(const FieldTree& tree, Value& value) {
  if (value.is_array())
    for (Value& element : value.array()) exclude(tree, element);
  if (!value.is_object()) return;
  for (const FieldTree& child : tree.children) {
    if (child.is_end)
      std::erase_if(value.object(), [&](const Member& member) { return member.name == child.name; });
    else if (Value* inner = value.find(child.name))
      exclude(child, *inner);
  }
}

bool is_finite(const Value& value) {
  if (value.is_array()) return std::ranges::all_of(value.array(), is_finite);
  if (value.is_object()) return std::ranges::all_of(value.object(), is_finite, &Member::value);
  return !value.is_number() || std::isfinite(value.number());
}

// After each stage: a few that double what they read must not fill the memory before the end is checked.
void check_stage(const Value& document, const json::Limits& limits) {
  constexpr std::size_t factor = 4;  // a later stage may take away again
  if (depth(document) > limits.depth_max)
    fail(ErrorCode::too_large,
         text("update: a stage makes more than ", limits.depth_max, " arrays and objects inside each other"),
         {{"reason", "TooDeep"}, {"limit", std::to_string(limits.depth_max)}});
  if (!is_finite(document))
    fail(ErrorCode::out_of_range, "update: a stage computes a number beyond the range of a double, or no number at all",
         {{"reason", "NumberOutOfRange"}});
  const std::size_t bytes = to_json(document).size();
  if (bytes / factor > limits.bytes_max)
    fail(ErrorCode::too_large, text("update: a stage makes a document of ", bytes, " bytes"),
         {{"reason", "TooLarge"}, {"size", std::to_string(bytes)}, {"limit", std::to_string(limits.bytes_max)}});
}

}  // namespace

PipelineUpdate::Exclude PipelineUpdate::parse_unset(const Value& spec, std::string_view what) {
  const Array paths = spec.is_array() ? spec.array() : Array{spec};
  if (paths.empty()) refuse(what, "it needs one or more paths");
  Exclude stage;
  for (const Value& path : paths) {
    if (!path.is_string()) refuse(what, R"(it needs a path, or an array of paths, such as ["draft", "author.email"])");
    add_path(stage.fields, path.string(), what);
  }
  return stage;
}

PipelineUpdate::Stage PipelineUpdate::parse_stage(const Value& value, std::size_t number) {
  std::string what = text("update, stage ", number);
  if (!value.is_object() || value.object().size() != 1)
    refuse(what, R"(it must be an object with one member, such as {"$set": {…}})");
  const auto& [name, spec] = value.object()[0];
  what += text(", ", name);
  if (name == "$set" || name == "$addFields") return Compute{parse_set(spec, what)};
  if (name == "$unset") return parse_unset(spec, what);
  if (name == "$project") return Exclude{parse_exclusion(spec, what)};
  if (name == "$replaceWith") return Replace{Expression::parse(spec, what), what};
  if (name == "$replaceRoot") {
    const Value* root = spec.is_object() && spec.object().size() == 1 ? spec.find("newRoot") : nullptr;
    if (!root) refuse(what, R"(it needs {"newRoot": expression})");
    return Replace{Expression::parse(*root, what), what};
  }
  fail(ErrorCode::invalid,
       text(what, ": no stage of an update; known: $set $addFields $unset $project $replaceWith $replaceRoot"),
       {{"reason", "UnknownOperator"}, {"operator", name}});
}

PipelineUpdate PipelineUpdate::of(const Value& stages) {
  PipelineUpdate update;
  for (const Value& stage : stages.array()) update.stages_.push_back(parse_stage(stage, update.stages_.size() + 1));
  return update;
}

void PipelineUpdate::apply_stage(const Stage& stage, Value& document, Date now) {
  if (const auto* excluded = std::get_if<Exclude>(&stage)) return exclude(excluded->fields, document);
  const Value input = document;  // expressions read what the stage before left
  Variables variables;
  variables.root = &input;
  variables.now = now;
  if (const auto* computed = std::get_if<Compute>(&stage)) return compute(computed->fields, variables, document);
  const Replace& replace = std::get<Replace>(stage);
  std::optional<Value> root = replace.expression.evaluate(variables);
  if (!root || !root->is_object())
    refuse(replace.what, text("the new document must be an object, this one computes to ",
                              root ? text("a value of type ", name(root->type())) : "missing"));
  document = *std::move(root);
}

void PipelineUpdate::apply(Value& document, Date now, const json::Limits& limits) const {
  for (const Stage& stage : stages_) {
    apply_stage(stage, document, now);
    check_stage(document, limits);
  }
  check_names(document);
}

}  // namespace stele::model
