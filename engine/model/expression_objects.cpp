// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Objects and their members.
#include "engine/base/error.h"
#include "engine/model/expression_node.h"

#include <algorithm>
#include <unordered_map>

namespace stele::model {
namespace {

// An object in the making: a name that comes again takes the place of the first.
class Builder {
 public:
  void set(std::string name, Value value) {
    const auto [at, is_new] = places_.try_emplace(name, object_.size());
    if (is_new)
      object_.push_back({std::move(name), std::move(value)});
    else
      object_[at->second].value = std::move(value);
  }
  Object take() { return std::move(object_); }

 private:
  Object object_;
  std::unordered_map<std::string, std::size_t> places_;
};

void check_name(const Call& call, const std::string& name) {
  if (name.find('\0') != std::string::npos) call.refuse("needs a name without NUL characters");
}

// Later members win; each stays where it stood first.
Result merge(const Call& call) {
  Builder out;
  const auto add = [&](Result value) {
    if (value.nullish()) return;
    call.object(value, "objects");
    Value object = std::move(value).take(call.context);
    for (Member& member : object.object()) out.set(std::move(member.name), std::move(member.value));
  };
  for (std::size_t i = 0; i < call.count(); ++i) {
    Result value = call.arg(i);
    if (call.count() == 1 && !value.missing() && value->is_array())
      for (const Value& element : value->array()) add(Result::at(&element));
    else
      add(std::move(value));
  }
  return out.take();
}

Result get_field(const Call& call) {
  const Result field = call.arg(0);
  const std::string& name = call.string(field, "a string as \"field\"");
  const Result input = call.arg(1);
  if (input.missing() || (!input->is_null() && !input->is_object())) return {};
  if (input->is_null()) return nullptr;
  const Value* value = input->find(name);
  if (!value || !input.owns()) return Result::at(value);
  return Result::at(value).take(call.context);
}

// A missing value removes the member.
Result set_field(const Call& call) {
  const Result field = call.arg(0);
  const std::string& name = call.string(field, "a string as \"field\"");
  check_name(call, name);
  Result input = call.arg(1), value = call.arg(2);
  if (input.nullish()) return nullptr;
  call.object(input, "an object as \"input\"");
  Value object = std::move(input).take(call.context);
  Value* present = object.find(name);
  if (value.missing())
    std::erase_if(object.object(), [&](const Member& member) { return &member.value == present; });
  else if (present)
    *present = std::move(value).take(call.context);
  else
    object.object().push_back({name, std::move(value).take(call.context)});
  return object;
}

Result unset_field(const Call& call) { return set_field(call); }  // there is no third argument: it is missing

// An element of $arrayToObject: [name, value] or {k, v}, all of one kind.
Member pair_of(const Call& call, const Value& pair, bool arrays) {
  const Value *name = nullptr, *value = nullptr;
  if (arrays && pair.is_array() && pair.array().size() == 2) {
    name = &pair.array()[0];
    value = &pair.array()[1];
  } else if (!arrays && pair.is_object() && pair.object().size() == 2) {
    name = pair.find("k");
    value = pair.find("v");
  }
  if (!name || !value || !name->is_string())
    call.refuse(R"(needs an array of [name, value], or one of {"k": name, "v": value}, with strings as names)");
  check_name(call, name->string());
  return {name->string(), Result::at(value).take(call.context)};
}

Result array_to_object(const Call& call) {
  const Result value = call.arg(0);
  if (value.nullish()) return nullptr;
  const Array& array = call.array(value);
  Builder out;
  for (const Value& pair : array) {
    Member member = pair_of(call, pair, array[0].is_array());
    out.set(std::move(member.name), std::move(member.value));
  }
  return out.take();
}

Result object_to_array(const Call& call) {
  Result value = call.arg(0);
  if (value.nullish()) return nullptr;
  call.object(value);
  Value object = std::move(value).take(call.context);
  Array out;
  for (Member& member : object.object())
    out.push_back(Object{{"k", Value(std::move(member.name))}, {"v", std::move(member.value)}});
  return out;
}

constexpr Operator object_table[] = {
    {"$mergeObjects", 0, Operator::any, merge},    {"$getField", 1, 1, "field input", get_field},
    {"$setField", "field input value", set_field}, {"$unsetField", "field input", unset_field},
    {"$arrayToObject", 1, 1, array_to_object},     {"$objectToArray", 1, 1, object_to_array},
};

}  // namespace

std::span<const Operator> object_operators() { return object_table; }

}  // namespace stele::model
