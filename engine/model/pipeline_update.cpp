// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/pipeline_update.h"

#include "engine/base/error.h"
#include "engine/model/document.h"
#include "engine/model/path.h"

#include <algorithm>
#include <cmath>

namespace stele::model {
namespace {

[[noreturn]] void refuse_stage(std::string_view what, std::string_view rule) {
  fail(ErrorCode::invalid, text(what, ": ", rule), {{"reason", "InvalidUpdate"}});
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

PipelineUpdate::Stage PipelineUpdate::parse_stage(const Value& value, std::size_t number) {
  std::string what = text("update, stage ", number);
  if (!value.is_object() || value.object().size() != 1)
    refuse_stage(what, R"(it must be an object with one member, such as {"$set": {…}})");
  const auto& [name, spec] = value.object()[0];
  what += text(", ", name);
  if (name == "$set" || name == "$addFields") return Compute{FieldTree::of_set(spec, what)};
  if (name == "$unset") return Exclude{FieldTree::of_unset(spec, what)};
  if (name == "$project") return Exclude{FieldTree::of_exclusion(spec, what)};
  if (name == "$replaceWith") return Replace{Expression::parse(spec, what), what};
  if (name == "$replaceRoot") {
    const Value* root = spec.is_object() && spec.object().size() == 1 ? spec.find("newRoot") : nullptr;
    if (!root) refuse_stage(what, R"(it needs {"newRoot": expression})");
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
  if (const auto* excluded = std::get_if<Exclude>(&stage)) return excluded->fields.exclude_from(document);
  Variables variables;
  variables.now = now;
  if (const auto* computed = std::get_if<Compute>(&stage)) return computed->fields.set_in(document, variables);
  variables.root = &document;
  const Replace& replace = std::get<Replace>(stage);
  std::optional<Value> root = replace.expression.evaluate(variables);
  if (!root || !root->is_object())
    refuse_stage(replace.what, text("the new document must be an object, this one computes to ",
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
