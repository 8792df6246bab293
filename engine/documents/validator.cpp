// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/validator.h"

#include "engine/base/error.h"

#include <algorithm>
#include <variant>

namespace stele::documents {

using model::Condition;

namespace {

/// What is wrong, by the first condition that does not hold: a place and a rule.
std::string violation(const model::Filter& filter, const model::Value& document) {
  const auto broken =
      std::ranges::find_if(filter.root().children, [&](const Condition& c) { return !c.holds(document); });
  if (broken == filter.root().children.end()) return "the document: does not match";
  switch (broken->kind) {
    case Condition::Kind::json_schema:
      return std::get<model::Schema>(broken->test).violation(document).value_or("the document: breaks the schema");
    case Condition::Kind::expr: return "the document: its $expr is not true";
    case Condition::Kind::any_of: return "the document: matches none of the filters of $or";
    default: break;
  }
  const std::string& path = broken->path.text();
  if (!path.empty()) return text(path, ": does not match the condition on it");
  const bool negated = broken->kind == Condition::Kind::none_of && !broken->children.empty();
  const std::string& inner = negated ? broken->children.front().path.text() : path;
  return inner.empty() ? "the document: does not match" : text(inner, ": does not match the condition on it");
}

}  // namespace

Validator::Validator(const catalog::Definition& collection, std::int64_t time_us)
    : collection_(collection),
      refuses_(collection.options.validation_action == ValidationAction::error),
      moderate_(collection.options.validation_level == ValidationLevel::moderate) {
  if (!collection.validator) return;
  filter_ = *collection.validator;
  filter_->set_now(model::Date{time_us / 1000});
}

void Validator::check(std::optional<std::string_view> before, std::string_view after) {
  if (!filter_ || !refuses_ || holds(after)) return;
  if (moderate_ && before && !holds(*before)) return;
  refuse(after);
}

void Validator::refuse(std::string_view document) const {
  const model::Value value = model::parse(document);
  const std::string id = model::to_json(value.object().front().value);
  const std::string what = violation(*filter_, value);
  fail(ErrorCode::constraint,
       text("collection \"", collection_.name, "\": the document with _id ", id,
            " breaks the collection's validator: ", what, "; change the document or the validator"),
       {{"reason", "DocumentValidationFailure"}, {"collection", collection_.name}, {"id", id}, {"violation", what}});
}

}  // namespace stele::documents
