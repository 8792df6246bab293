// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/validator.h"

#include "engine/base/error.h"
#include "engine/model/type_set.h"

#include <algorithm>
#include <variant>

namespace stele::documents {

using model::Condition;

namespace {

std::string shortened(std::string json) {
  if (json.size() <= 100) return json;
  std::size_t end = 100;
  while ((static_cast<unsigned char>(json[end]) & 0xC0) == 0x80) --end;  // between code points
  return json.substr(0, end) + "…";
}

/// The operator as it stands in a filter.
std::string rule(const Condition& condition) {
  using Kind = Condition::Kind;
  const auto with_operand = [&](std::string_view op) {
    return text(op, " ", shortened(model::to_json(condition.operand)));
  };
  switch (condition.kind) {
    case Kind::eq: return with_operand("$eq");
    case Kind::gt: return with_operand("$gt");
    case Kind::gte: return with_operand("$gte");
    case Kind::lt: return with_operand("$lt");
    case Kind::lte: return with_operand("$lte");
    case Kind::size: return with_operand("$size");
    case Kind::in: return text("$in ", shortened(model::to_json(model::Value(condition.operands))));
    case Kind::exists: return "$exists";
    case Kind::type: return text("$type ", std::get<model::TypeSet>(condition.test).names());
    case Kind::regex: return "$regex";
    case Kind::mod: return "$mod";
    case Kind::bits: return "the $bits… operator";
    case Kind::elem_match_object:
    case Kind::elem_match_value: return "$elemMatch";
    case Kind::none_of:
      return condition.children.size() == 1 ? text("not ", rule(condition.children.front())) : std::string("$nor");
    case Kind::all_of: return "$and";
    case Kind::any_of: return "$or";
    case Kind::expr: return "$expr";
    case Kind::json_schema: return "$jsonSchema";
  }
  return {};
}

/// Where the document breaks which rule, by the first condition that does not hold.
std::string violation(const model::Filter& filter, const model::Value& document) {
  const auto broken =
      std::ranges::find_if(filter.root().children, [&](const Condition& c) { return !c.holds(document); });
  if (broken == filter.root().children.end()) return "the document: does not match";
  if (broken->kind == Condition::Kind::json_schema)
    if (auto found = std::get<model::Schema>(broken->test).violation(document)) return *std::move(found);
  const Condition* at = &*broken;
  while (at->path.text().empty() && at->children.size() == 1) at = &at->children.front();
  const std::string& path = at->path.text();
  return text(path.empty() ? "the document" : path, ": does not match ", rule(*broken));
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
