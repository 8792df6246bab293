// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/filter.h"

#include "engine/base/error.h"
#include "engine/model/compare.h"

#include <algorithm>

namespace stele::model {
namespace {

using Kind = Condition::Kind;

constexpr std::string_view later_on_paths[] = {
    "$regex",        "$options",    "$elemMatch",   "$size",       "$all",        "$type",          "$mod",
    "$geoWithin",    "$near",       "$nearSphere",  "$text",       "$where",      "$geoIntersects", "$bitsAllSet",
    "$bitsAllClear", "$bitsAnySet", "$bitsAnyClear", "$jsonSchema", "$expr"};
constexpr std::string_view later_on_top[] = {"$expr", "$where", "$text", "$jsonSchema", "$alwaysTrue", "$alwaysFalse"};

template <class Names>
bool one_of(const Names& names, std::string_view name) {
  return std::ranges::find(names, name) != std::end(names);
}

[[noreturn]] void refuse(std::string_view what, std::string_view rule) {
  fail(ErrorCode::invalid, text(what, ": ", rule), {{"reason", "InvalidFilter"}});
}

[[noreturn]] void refuse_operator(std::string_view what, std::string_view path, std::string_view name, bool known) {
  const std::string where = path.empty() ? text(what, ": ") : text(what, ", path \"", path, "\": ");
  if (known)
    fail(ErrorCode::unsupported, text(where, "the operator ", name, " is not offered"),
         {{"reason", "Operator"}, {"operator", std::string(name)}, {"path", std::string(path)}});
  fail(ErrorCode::invalid,
       text(where, "unknown operator ", name,
            "; known: $eq $ne $gt $gte $lt $lte $in $nin $exists $not, and $and $or $nor above paths"),
       {{"reason", "UnknownOperator"}, {"operator", std::string(name)}, {"path", std::string(path)}});
}

Condition none_of(Condition child) {
  Condition c;
  c.kind = Kind::none_of;
  c.children.push_back(std::move(child));
  return c;
}

Condition leaf(Kind kind, const Path& path, Value operand) {
  Condition c;
  c.kind = kind;
  c.path = path;
  c.operand = std::move(operand);
  return c;
}

Condition parse_in(const Path& path, std::string_view name, const Value& list, std::string_view what) {
  if (!list.is_array()) refuse(what, text(name, " of \"", path.text(), "\" needs an array"));
  Condition c = leaf(Kind::in, path, {});
  c.operands = list.array();
  for (const Value& operand : c.operands)
    if (is_operators(operand)) refuse_operator(what, path.text(), operand.object()[0].name, true);
  std::sort(c.operands.begin(), c.operands.end(), [](const Value& a, const Value& b) { return compare(a, b) < 0; });
  return c;
}

bool truth(const Value& value) {
  if (value.type() == Type::boolean) return value.boolean();
  if (value.is_number()) return value.number() != 0;
  return !value.is_null();
}

Condition parse_exists(const Path& path, const Value& wanted) {
  Condition c = leaf(Kind::exists, path, {});
  return truth(wanted) ? c : none_of(std::move(c));
}

Condition parse_not(const Path& path, const Value& inner, std::string_view what) {
  if (!is_operators(inner))
    refuse(what, text("$not of \"", path.text(), R"(" needs an object of operators, such as {"$gt": 5})"));
  return none_of(parse_conditions(path, inner, what));
}

Condition parse_operator(const Path& path, std::string_view name, const Value& operand, std::string_view what) {
  if (name == "$eq") return leaf(Kind::eq, path, operand);
  if (name == "$gt") return leaf(Kind::gt, path, operand);
  if (name == "$gte") return leaf(Kind::gte, path, operand);
  if (name == "$lt") return leaf(Kind::lt, path, operand);
  if (name == "$lte") return leaf(Kind::lte, path, operand);
  if (name == "$ne") return none_of(leaf(Kind::eq, path, operand));
  if (name == "$in") return parse_in(path, name, operand, what);
  if (name == "$nin") return none_of(parse_in(path, name, operand, what));
  if (name == "$exists") return parse_exists(path, operand);
  if (name == "$not") return parse_not(path, operand, what);
  refuse_operator(what, path.text(), name, one_of(later_on_paths, name));
}

Condition parse_object(const Value& object, std::string_view what);

Condition parse_logical(Kind kind, const Member& member, std::string_view what) {
  const bool listed = member.value.is_array() && !member.value.array().empty();
  if (!listed) refuse(what, text(member.name, " needs an array of one or more filters"));
  Condition c;
  c.kind = kind;
  for (const Value& filter : member.value.array()) {
    if (!filter.is_object()) refuse(what, text(member.name, " needs filters, which are objects"));
    c.children.push_back(parse_object(filter, what));
  }
  return c;
}

Condition parse_member(const Member& member, std::string_view what) {
  const std::string& name = member.name;
  if (name.starts_with('$')) {
    if (name == "$and") return parse_logical(Kind::all_of, member, what);
    if (name == "$or") return parse_logical(Kind::any_of, member, what);
    if (name == "$nor") return parse_logical(Kind::none_of, member, what);
    refuse_operator(what, "", name, one_of(later_on_top, name));
  }
  const Path path(name);
  if (is_operators(member.value)) return parse_conditions(path, member.value, what);
  return leaf(Kind::eq, path, member.value);
}

Condition parse_object(const Value& object, std::string_view what) {
  Condition all;
  for (const Member& member : object.object())
    if (member.name != "$comment") all.children.push_back(parse_member(member, what));
  return all;
}

// `value` null: missing.
bool equals(const Value* value, const Value& operand) {
  return value ? equal(*value, operand) : operand.is_null();
}

bool compares(Kind kind, const Value* value, const Value& operand) {
  const Type type = value ? value->type() : Type::null;
  if (type != operand.type()) return false;
  const int c = value ? compare(*value, operand) : 0;
  switch (kind) {
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

void collect_names(const Condition& condition, std::vector<std::string>& names) {
  for (const Condition& child : condition.children) collect_names(child, names);
  if (condition.path.steps().empty()) return;
  const std::string& name = condition.path.steps()[0].name;
  if (!one_of(names, name)) names.push_back(name);
}

// Equalities that hold for every match, in the filter's order.
void collect_equalities(const Condition& condition, std::vector<const Condition*>& out) {
  if (condition.kind == Kind::eq) out.push_back(&condition);
  const bool conjunction =
      condition.kind == Kind::all_of || (condition.kind == Kind::any_of && condition.children.size() == 1);
  if (!conjunction) return;
  for (const Condition& child : condition.children) collect_equalities(child, out);
}

[[noreturn]] void refuse_fixed_twice(const Path& path) {
  refuse("filter", text("an upsert would set \"", path.text(), "\" twice; give one equality for it"));
}

void set_new(Value& document, const Path& path, const Value& value) {
  Value* at = &document;
  for (std::size_t i = 0; i < path.steps().size(); ++i) {
    const bool last = i + 1 == path.steps().size();
    if (!at->is_object()) refuse_fixed_twice(path);
    Value* next = at->find(path.steps()[i].name);
    if (next && last) refuse_fixed_twice(path);
    if (!next) {
      at->object().push_back({path.steps()[i].name, last ? value : Value(Object())});
      next = &at->object().back().value;
    }
    at = next;
  }
}

}  // namespace

bool is_operators(const Value& value) {
  return value.is_object() && !value.object().empty() && value.object()[0].name.starts_with('$');
}

Condition parse_conditions(const Path& path, const Value& operators, std::string_view what) {
  Condition all;
  for (const Member& member : operators.object()) {
    if (!member.name.starts_with('$'))
      refuse(what, text("path \"", path.text(), "\" mixes operators with the name \"", member.name, '"'));
    all.children.push_back(parse_operator(path, member.name, member.value, what));
  }
  if (all.children.size() == 1) return std::move(all.children[0]);
  return all;
}

bool Condition::holds(const Value& root) const {
  const auto child_holds = [&](const Condition& child) { return child.holds(root); };
  switch (kind) {
    case Kind::all_of: return std::ranges::all_of(children, child_holds);
    case Kind::any_of: return std::ranges::any_of(children, child_holds);
    case Kind::none_of: return std::ranges::none_of(children, child_holds);
    case Kind::eq: return reach(root, path, [&](const Value* v, bool) { return equals(v, operand); });
    case Kind::in: return reach(root, path, [&](const Value* v, bool) { return is_in(v, operands); });
    case Kind::exists: return reach(root, path, [](const Value* v, bool) { return v != nullptr; });
    default: return reach(root, path, [&](const Value* v, bool) { return compares(kind, v, operand); });
  }
}

Filter Filter::of(const Value& object, std::string_view what) {
  if (!object.is_object()) refuse(what, R"(it must be an object, such as {"author": "Ada"}; {} matches everything)");
  Filter filter;
  filter.root_ = parse_object(object, what);
  collect_names(filter.root_, filter.names_);
  return filter;
}

Filter Filter::parse(std::string_view json, const json::Limits& limits) {
  return of(model::parse(json::minify(json, limits, "filter")), "filter");
}

bool Filter::matches_json(std::string_view minified, Scratch& scratch) const {
  if (empty()) return true;
  scratch.parser.parse_members(minified, names_, scratch.document);
  return matches(scratch.document);
}

std::optional<Value> id_equality(const Filter& filter) {
  std::vector<const Condition*> equalities;
  collect_equalities(filter.root(), equalities);
  for (const Condition* condition : equalities)
    if (condition->path.text() == "_id" && !condition->operand.is_object() && !condition->operand.is_array())
      return condition->operand;
  return std::nullopt;
}

Value equality_document(const Filter& filter) {
  std::vector<const Condition*> equalities;
  collect_equalities(filter.root(), equalities);
  Value document = Object();
  for (const Condition* condition : equalities) set_new(document, condition->path, condition->operand);
  return document;
}

}  // namespace stele::model
