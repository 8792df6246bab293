// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/update.h"

#include "engine/base/error.h"
#include "engine/base/uuid.h"
#include "engine/model/compare.h"
#include "engine/model/document.h"

#include <algorithm>
#include <cmath>

namespace stele::model {
namespace {

// MongoDB's bound on the nulls that setting an element far behind the end puts before it.
constexpr std::size_t padding_max = 1'500'000;

[[noreturn]] void refuse(std::string_view reason, std::string_view rule, ErrorCode code = ErrorCode::invalid) {
  fail(code, text("update: ", rule), {{"reason", std::string(reason)}});
}

[[noreturn]] void refuse_type(std::string_view operation, const Path& path, std::string_view needed, const Value& found) {
  refuse("WrongType",
         text(operation, " of \"", path.text(), "\" needs ", needed, ", the document has a value of type ", name(found.type())));
}

// Indexes by value, and before names.
int order_steps(const Step& a, const Step& b) {
  if (a.index && b.index) return *a.index < *b.index ? -1 : *a.index > *b.index;
  if (a.index || b.index) return a.index ? -1 : 1;
  return a.name.compare(b.name);
}

bool path_before(const Path& a, const Path& b) {
  return std::lexicographical_compare(a.steps().begin(), a.steps().end(), b.steps().begin(), b.steps().end(),
                                      [](const Step& x, const Step& y) { return order_steps(x, y) < 0; });
}

bool begins_with(const Path& path, const Path& prefix) {
  if (prefix.steps().size() > path.steps().size()) return false;
  return std::equal(prefix.steps().begin(), prefix.steps().end(), path.steps().begin(),
                    [](const Step& a, const Step& b) { return a.name == b.name; });
}

void check_path(const Path& path) {
  for (const Step& step : path.steps()) {
    if (step.name.empty()) refuse("InvalidPath", text("the path \"", path.text(), "\" has an empty step"));
    if (step.name == "$" || step.name.starts_with("$["))
      refuse("Operator", text("the positional operator in \"", path.text(), "\" is not offered"), ErrorCode::unsupported);
    if (step.name[0] == '$' || step.name.find('\0') != std::string::npos)
      refuse("InvalidPath", text("the path \"", path.text(), "\" has a step that begins with '$' or holds NUL"));
  }
}

// Where the path ends, without creating anything; null when it leads nowhere.
Value* locate(Value& document, const std::vector<Step>& steps, std::size_t count) {
  Value* at = &document;
  for (std::size_t i = 0; i < count && at; ++i) {
    const Step& step = steps[i];
    if (at->is_object())
      at = at->find(step.name);
    else if (at->is_array() && step.index && *step.index < at->array().size())
      at = &at->array()[*step.index];
    else
      at = nullptr;
  }
  return at;
}

Value& element_at(Array& array, const Path& path, std::uint32_t index) {
  if (index >= array.size()) {
    if (index - array.size() > padding_max)
      refuse("TooFar",
             text("\"", path.text(), "\" lies more than ", padding_max, " elements behind the array's end; use $push"));
    array.resize(index + std::size_t{1});
  }
  return array[index];
}

// Where the path ends; what is missing on the way becomes objects, and `created` says that the end is new.
Value& locate_or_create(Value& document, const Path& path, bool& created) {
  Value* at = &document;
  created = false;
  for (const Step& step : path.steps()) {
    if (created) *at = Object();
    if (at->is_array()) {
      if (!step.index)
        refuse("WrongType", text("\"", path.text(), "\": the step \"", step.name, "\" is no index, and an array is there"));
      created = *step.index >= at->array().size();
      at = &element_at(at->array(), path, *step.index);
    } else if (at->is_object()) {
      Value* next = at->find(step.name);
      created = next == nullptr;
      if (created) {
        at->object().push_back({step.name, {}});
        next = &at->object().back().value;
      }
      at = next;
    } else {
      refuse("WrongType", text("\"", path.text(), "\": cannot create \"", step.name, "\" inside a value of type ",
                               name(at->type()), "; $set the whole value instead"));
    }
  }
  return *at;
}

bool set(Value& document, const Path& path, const Value& operand) {
  bool created;
  Value& target = locate_or_create(document, path, created);
  if (!created && target.type() == operand.type() && to_json(target) == to_json(operand)) return false;
  target = operand;
  return true;
}

bool unset(Value& document, const Path& path) {
  Value* parent = locate(document, path.steps(), path.steps().size() - 1);
  Value* target = locate(document, path.steps(), path.steps().size());
  if (!target) return false;
  if (parent->is_array()) {  // the others keep their index
    const bool changed = !target->is_null();
    *target = nullptr;
    return changed;
  }
  std::erase_if(parent->object(), [&](const Member& member) { return &member.value == target; });
  return true;
}

Value sum(const Path& path, const Value& a, const Value& b) {
  if (a.is_integer() && b.is_integer()) {
    std::int64_t result;
    if (__builtin_add_overflow(a.integer(), b.integer(), &result))
      refuse("NumberOutOfRange",
             text("$inc of \"", path.text(), "\" (", a.integer(), " + ", b.integer(), ") leaves 64 bits; use a double"),
             ErrorCode::out_of_range);
    return result;
  }
  const double result = a.number() + b.number();
  if (!std::isfinite(result))
    refuse("NumberOutOfRange", text("$inc of \"", path.text(), "\" leaves the range of a double"), ErrorCode::out_of_range);
  return result;
}

bool increment(Value& document, const Path& path, const Value& operand) {
  bool created;
  Value& target = locate_or_create(document, path, created);
  if (created) {
    target = operand;
    return true;
  }
  if (!target.is_number()) refuse_type("$inc", path, "a number", target);
  const Value result = sum(path, target, operand);
  if (result.is_integer() == target.is_integer() && equal(result, target)) return false;
  target = result;
  return true;
}

bool push(Value& document, const Path& path, const Array& elements) {
  bool created;
  Value& target = locate_or_create(document, path, created);
  if (created) target = Array();
  if (!target.is_array()) refuse_type("$push", path, "an array", target);
  target.array().insert(target.array().end(), elements.begin(), elements.end());
  return created || !elements.empty();
}

void check_limits(const Value& document, std::size_t bytes, const json::Limits& limits) {
  if (depth(document) > limits.depth_max)
    fail(ErrorCode::too_large,
         text("update: the document would have more than ", limits.depth_max, " arrays and objects inside each other"),
         {{"reason", "TooDeep"}, {"limit", std::to_string(limits.depth_max)}});
  if (bytes > limits.bytes_max)
    fail(ErrorCode::too_large,
         text("update: the document would have ", bytes, " bytes, the limit is ", limits.bytes_max,
              "; keep large parts in documents of their own"),
         {{"reason", "TooLarge"}, {"size", std::to_string(bytes)}, {"limit", std::to_string(limits.bytes_max)}});
}

}  // namespace

Update::Kind Update::kind_of(const std::string& name) {
  constexpr std::string_view known[] = {"$set", "$unset", "$inc", "$push", "$pull"};
  constexpr std::string_view later[] = {"$rename", "$mul", "$min",     "$max", "$currentDate", "$setOnInsert",
                                        "$addToSet", "$pop", "$pullAll", "$bit", "$pushAll"};
  const auto at = std::ranges::find(known, name);
  if (at != std::end(known)) return static_cast<Kind>(at - std::begin(known));
  if (std::ranges::find(later, name) != std::end(later))
    fail(ErrorCode::unsupported, text("update: the operator ", name, " is not offered"),
         {{"reason", "Operator"}, {"operator", name}});
  if (!name.starts_with('$'))
    refuse("InvalidUpdate", text("\"", name, R"(" is no operator; write {"$set": {…}}, or replace the whole document)"));
  fail(ErrorCode::invalid, text("update: unknown operator ", name, "; known: $set $unset $inc $push $pull"),
       {{"reason", "UnknownOperator"}, {"operator", name}});
}

void Update::parse_push(Change& change) {
  const Value operand = std::move(change.operand);
  change.operand = Array();
  if (!is_operators(operand)) {
    change.operand.array().push_back(operand);
    return;
  }
  for (const Member& member : operand.object()) {
    if (member.name == "$position" || member.name == "$slice" || member.name == "$sort")
      refuse("Operator", text("$push of \"", change.path.text(), "\": ", member.name, " is not offered"), ErrorCode::unsupported);
    if (member.name != "$each" || !member.value.is_array())
      refuse("InvalidUpdate", text("$push of \"", change.path.text(), R"(" needs a value or {"$each": [values]})"));
    change.operand = member.value;
  }
}

void Update::parse_pull(Change& change) {
  if (!change.operand.is_object()) return;
  const std::string what = text("$pull of \"", change.path.text(), '"');
  change.objects_only = !is_operators(change.operand);
  change.condition = change.objects_only ? Filter::of(change.operand, what).root()
                                         : parse_conditions(Path(), change.operand, what);
}

Update::Change Update::parse_change(Kind kind, const Member& member) {
  Change change{kind, Path(member.name), member.value, {}};
  check_path(change.path);
  if (kind == Kind::inc && !member.value.is_number())
    refuse("WrongType", text("$inc of \"", member.name, "\" by a value of type ", name(member.value.type()),
                             "; it needs a number"));
  if (kind == Kind::push) parse_push(change);
  if (kind == Kind::set || kind == Kind::push) check_names(change.operand);
  if (kind == Kind::pull) parse_pull(change);
  return change;
}

Update Update::parse(std::string_view json, const json::Limits& limits) {
  const Value spec = model::parse(json::minify(json, limits, "update"));
  if (spec.is_array()) refuse("Operator", "a pipeline as an update is not offered; use $set and its kin", ErrorCode::unsupported);
  if (!spec.is_object() || spec.object().empty())
    refuse("InvalidUpdate", R"(it must be an object of operators, such as {"$set": {"title": "Stones"}})");
  Update update;
  for (const Member& member : spec.object()) {
    const Kind kind = kind_of(member.name);
    if (!member.value.is_object())
      refuse("InvalidUpdate", text(member.name, R"( needs an object of paths, such as {"title": …})"));
    for (const Member& change : member.value.object()) update.changes_.push_back(parse_change(kind, change));
  }
  auto& changes = update.changes_;
  std::stable_sort(changes.begin(), changes.end(),
                   [](const Change& a, const Change& b) { return path_before(a.path, b.path); });
  // In this order a path's extensions follow it directly.
  for (std::size_t i = 1; i < changes.size(); ++i)
    if (begins_with(changes[i].path, changes[i - 1].path))
      refuse("ConflictingPaths", text("\"", changes[i - 1].path.text(), "\" and \"", changes[i].path.text(),
                                      "\" change the same value; keep one of them"));
  return update;
}

bool Update::pull_from(Value* target, const Change& change) {
  if (!target) return false;
  if (!target->is_array()) refuse_type("$pull", change.path, "an array", *target);
  return std::erase_if(target->array(), [&](const Value& element) {
           if (!change.condition) return equal(element, change.operand);
           return (!change.objects_only || element.is_object()) && change.condition->holds(element);
         }) > 0;
}

bool Update::apply_one(Value& document, const Change& change) {
  switch (change.kind) {
    case Kind::set: return set(document, change.path, change.operand);
    case Kind::unset: return unset(document, change.path);
    case Kind::inc: return increment(document, change.path, change.operand);
    case Kind::push: return push(document, change.path, change.operand.array());
    case Kind::pull: return pull_from(locate(document, change.path.steps(), change.path.steps().size()), change);
  }
  return false;
}

bool Update::apply_all(Value& document, const json::Limits& limits) const {
  const Value* present = document.find("_id");
  const std::optional<Value> id = present ? std::optional(*present) : std::nullopt;
  bool modified = false;
  for (const Change& change : changes_) {
    const bool on_id = change.path.steps()[0].name == "_id";
    // Another spelling of the same id (1.0 for 1) is no change, and must not be stored as one.
    if (id && on_id && change.kind == Kind::set && change.path.steps().size() == 1 && equal(change.operand, *id)) continue;
    const bool changed = apply_one(document, change);
    if (changed && on_id && id)
      refuse("ImmutableId", "the _id of a document cannot change; insert a new document and remove this one");
    modified |= changed;
  }
  if (modified) check_limits(document, to_json(document).size(), limits);
  return modified;
}

bool Update::apply(Value& document, const json::Limits& limits) const {
  Value changed = document;
  if (!apply_all(changed, limits)) return false;
  document = std::move(changed);
  return true;
}

std::optional<std::string> Update::apply_json(std::string_view minified, const json::Limits& limits) const {
  Value document = model::parse(minified);
  if (!apply_all(document, limits)) return std::nullopt;
  return to_json(document);
}

Value Update::upsert_document(const Filter& filter, const json::Limits& limits) const {
  Value document = equality_document(filter);
  check_names(document);
  apply_all(document, limits);
  Object& members = document.object();
  const auto id = std::ranges::find(members, "_id", &Member::name);
  if (id == members.end())
    members.insert(members.begin(), Member{"_id", Value(uuid_v7())});
  else
    std::rotate(members.begin(), id, id + 1);
  check_id(members.front().value);
  check_limits(document, to_json(document).size(), limits);
  return document;
}

}  // namespace stele::model
