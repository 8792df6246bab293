// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/change.h"

#include "engine/base/error.h"
#include "engine/model/document.h"

#include <algorithm>

namespace stele::model {
namespace {


constexpr std::string_view names[] = {"$set", "$setOnInsert", "$unset", "$rename",   "$inc", "$mul",  "$min",    "$max",
                                      "$bit", "$currentDate", "$push",  "$addToSet", "$pop", "$pull", "$pullAll"};

[[noreturn]] void refuse(std::string_view operation, const Path& path, std::string_view rule) {
  refuse_update("InvalidUpdate", text(operation, " of \"", path.text(), "\" ", rule));
}

std::int64_t required_whole_number(const Change& change, const Member& member) {
  const auto number = whole_number(member.value);
  if (!number) refuse("$push", change.path, text("needs a whole number as ", member.name));
  return *number;
}

bool parse_direction(const Path& path, const Value& value) {
  const auto direction = whole_number(value);
  if (direction != 1 && direction != -1)
    refuse("$push", path, R"(needs a $sort of 1 or -1, for the elements themselves, or of {"member": 1 or -1, …})");
  return direction == -1;
}

std::vector<PushRule::Key> parse_sort(const Path& path, const Value& spec) {
  if (!spec.is_object()) return {{Path(), parse_direction(path, spec)}};
  if (spec.object().empty()) refuse("$push", path, "has an empty $sort; name a member, or leave it out");
  std::vector<PushRule::Key> keys;
  for (const Member& member : spec.object()) {
    Path key(member.name);
    for (const Step& step : key.steps())
      if (step.name.empty() || step.name[0] == '$')
        refuse("$push", path, text("sorts by \"", member.name, "\", of which a step is empty or begins with '$'"));
    keys.push_back({std::move(key), parse_direction(path, member.value)});
  }
  return keys;
}

const Array& each_of(std::string_view operation, const Path& path, const Value& list) {
  if (!list.is_array()) refuse(operation, path, "has an $each that is no array");
  return list.array();
}

void parse_push(Change& change) {
  const Value spec = std::move(change.operand);
  change.operand = Array();
  if (!spec.is_object() || !spec.find("$each")) {
    change.operand.array().push_back(spec);
    return;
  }
  for (const Member& member : spec.object()) {
    if (member.name == "$each")
      change.operand = each_of("$push", change.path, member.value);
    else if (member.name == "$position")
      change.push.position = required_whole_number(change, member);
    else if (member.name == "$slice")
      change.push.slice = required_whole_number(change, member);
    else if (member.name == "$sort")
      change.push.sort = parse_sort(change.path, member.value);
    else
      refuse("$push", change.path,
             text("has \"", member.name, "\"; beside $each it knows $position, $slice and $sort"));
  }
}

void parse_add_to_set(Change& change) {
  const Value spec = std::move(change.operand);
  change.operand = Array();
  if (!is_operators(spec) || spec.object()[0].name != "$each") {
    change.operand.array().push_back(spec);
    return;
  }
  if (spec.object().size() > 1)
    refuse("$addToSet", change.path, text("has \"", spec.object()[1].name, "\" beside $each"));
  change.operand = each_of("$addToSet", change.path, spec.object()[0].value);
}

void parse_pull(Change& change) {
  const std::string what = text("$pull of \"", change.path.text(), '"');
  if (change.operand.type() == Type::regex) change.condition = parse_conditions(Path(), Object{{"$regex", change.operand}}, what);
  if (!change.operand.is_object()) return;
  change.objects_only = speaks_of_members(change.operand);
  change.condition = change.objects_only ? Filter::of(change.operand, what, FilterOf::element).root()
                                         : parse_conditions(Path(), change.operand, what);
}

void parse_rename(Change& change, const Member& member) {
  change.source = std::move(change.path);
  if (!member.value.is_string()) refuse("$rename", change.source, "needs the new path as a string");
  change.path = Path(member.value.string());
  check_update_path(change.path);
  for (const Path* path : {&change.source, &change.path})
    if (is_positional(*path)) refuse("$rename", *path, "cannot go through $, $[] or $[name]; name members");
}

void check_pop(const Change& change) {
  const auto end = whole_number(change.operand);
  if (end != 1 && end != -1) refuse("$pop", change.path, "needs 1 (the last element) or -1 (the first)");
}

void check_date(const Change& change) {
  if (change.operand.type() == Type::boolean) return;
  const Value* type =
      change.operand.is_object() && change.operand.object().size() == 1 ? change.operand.find("$type") : nullptr;
  if (!type || !type->is_string() || (type->string() != "date" && type->string() != "timestamp"))
    refuse("$currentDate", change.path, R"(needs true or {"$type": "date"})");
  if (type->string() == "timestamp")
    fail(
        ErrorCode::unsupported,
        text("update: $currentDate of \"", change.path.text(), R"(": the type "timestamp" is not offered; use "date")"),
        {{"reason", "Operator"}, {"operator", "$currentDate"}});
}

void check_bit(const Change& change) {
  if (!change.operand.is_object() || change.operand.object().empty())
    refuse("$bit", change.path, R"(needs an object such as {"and": 5}; there are and, or, xor)");
  for (const Member& member : change.operand.object()) {
    if (member.name != "and" && member.name != "or" && member.name != "xor")
      refuse("$bit", change.path, text("has \"", member.name, "\"; there are and, or, xor"));
    if (!member.value.is_integer()) refuse("$bit", change.path, text("needs an integer for ", member.name));
  }
}

void check_operand(const Change& change, std::string_view operation) {
  switch (change.op) {
    case Change::Operator::inc:
    case Change::Operator::mul:
      if (!change.operand.is_number())
        refuse_update("WrongType", text(operation, " of \"", change.path.text(), "\" by a value of type ",
                                        name(change.operand.type()), "; it needs a number"));
      break;
    case Change::Operator::bit: check_bit(change); break;
    case Change::Operator::current_date: check_date(change); break;
    case Change::Operator::pop: check_pop(change); break;
    case Change::Operator::pull_all:
      if (!change.operand.is_array()) refuse("$pullAll", change.path, "needs an array of the values to remove");
      break;
    case Change::Operator::set:
    case Change::Operator::set_on_insert:
    case Change::Operator::min:
    case Change::Operator::max:
    case Change::Operator::push:
    case Change::Operator::add_to_set: check_names(change.operand); break;
    default: break;
  }
}

}  // namespace

Change::Operator operator_named(std::string_view name) {
  const auto at = std::ranges::find(names, name);
  if (at != std::end(names)) return static_cast<Change::Operator>(at - std::begin(names));
  if (!name.starts_with('$'))
    refuse_update("InvalidUpdate",
                  text("\"", name, R"(" is no operator; write {"$set": {…}}, or replace the whole document)"));
  std::string known;
  for (const std::string_view other : names) known += text(" ", other);
  fail(ErrorCode::invalid, text("update: unknown operator ", name, "; known:", known),
       {{"reason", "UnknownOperator"}, {"operator", std::string(name)}});
}

std::string_view name(Change::Operator op) { return names[static_cast<std::size_t>(op)]; }

Change Change::parse(Change::Operator op, std::string_view name, const Member& member) {
  Change change{op, Path(member.name), member.value, {}};
  check_update_path(change.path);
  if (op == Change::Operator::push) parse_push(change);
  if (op == Change::Operator::add_to_set) parse_add_to_set(change);
  if (op == Change::Operator::pull) parse_pull(change);
  if (op == Change::Operator::rename) parse_rename(change, member);
  check_operand(change, name);
  change.bytes = to_json(change.operand).size();
  return change;
}

}  // namespace stele::model
