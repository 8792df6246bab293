// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/support/reference_pipeline.h"

#include "engine/model/compare.h"
#include "engine/model/expression.h"
#include "engine/model/filter.h"
#include "engine/model/sort.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <stdexcept>

namespace stele::pipeline {
namespace {

using model::Array;
using model::Member;
using model::Object;
using model::Value;
using Optional = std::optional<Value>;

Optional evaluated(const Value& expression, const Value& row) {
  return model::Expression::parse(expression, "reference").evaluate(row);
}

void set(Value& row, const std::string& name, const Optional& value) {
  if (!value)
    std::erase_if(row.object(), [&](const Member& member) { return member.name == name; });
  else if (Value* present = row.find(name))
    *present = *value;
  else
    row.object().push_back({name, *value});
}

std::vector<Value> numbers(const std::vector<Optional>& values) {
  std::vector<Value> out;
  for (const Optional& value : values)
    if (value && value->is_number()) out.push_back(*value);
  return out;
}

Value sum(const std::vector<Optional>& values) {
  std::int64_t integers = 0;
  double doubles = 0;
  bool any_double = false;
  for (const Value& number : numbers(values)) {
    if (number.is_integer())
      integers += number.integer();
    else
      doubles += number.real().number;
    any_double |= !number.is_integer();
  }
  return any_double ? Value(static_cast<double>(integers) + doubles) : Value(integers);
}

Value extreme(const std::vector<Optional>& values, int direction) {
  Value best;
  for (const Optional& value : values)
    if (value && !value->is_null() && (best.is_null() || direction * model::compare(*value, best) > 0)) best = *value;
  return best;
}

Value gathered(const std::string& name, const std::vector<Optional>& values) {
  const auto count = static_cast<double>(numbers(values).size());
  Array out;
  if (name == "$sum") return sum(values);
  if (name == "$avg") return count == 0 ? Value() : Value(sum(values).number() / count);
  if (name == "$min") return extreme(values, -1);
  if (name == "$max") return extreme(values, 1);
  if (name == "$first") return values.front().value_or(Value());
  if (name == "$last") return values.back().value_or(Value());
  for (const Optional& value : values) {
    const bool again = name == "$addToSet" && value &&
                       std::ranges::any_of(out, [&](const Value& one) { return model::equal(one, *value); });
    if (value && !again) out.push_back(*value);
  }
  if (name == "$push" || name == "$addToSet") return out;
  throw std::logic_error("reference: " + name);
}

Array group(const Value& spec, const Array& rows) {
  std::vector<std::pair<Value, Array>> groups;
  for (const Value& row : rows) {
    const Value id = evaluated(*spec.find("_id"), row).value_or(Value());
    auto at = std::ranges::find_if(groups, [&](const auto& one) { return model::equal(one.first, id); });
    if (at == groups.end()) at = groups.insert(at, {id, {}});
    at->second.push_back(row);
  }
  Array out;
  for (const auto& [id, members] : groups) {
    Object one = {{"_id", id}};
    for (const Member& field : spec.object()) {
      if (field.name == "_id") continue;
      const auto& [name, expression] = field.value.object()[0];
      std::vector<Optional> values;
      for (const Value& row : members) values.push_back(evaluated(expression, row));
      one.push_back({field.name, gathered(name, values)});
    }
    out.push_back(std::move(one));
  }
  return out;
}

Array sorted(const Value& spec, Array rows) {
  const model::Sort sort = model::Sort::of(spec, "reference");
  std::ranges::stable_sort(rows, [&](const Value& a, const Value& b) { return sort.compare(a, b) < 0; });
  return rows;
}

Array unwound(const std::string& name, bool preserve, const Array& rows) {
  Array out;
  for (const Value& row : rows) {
    const Value* value = row.find(name);
    if (value && value->is_array() && !value->array().empty()) {
      for (const Value& element : value->array()) {
        out.push_back(row);
        set(out.back(), name, element);
      }
    } else if (value && !value->is_null() && !value->is_array()) {
      out.push_back(row);
    } else if (preserve) {
      out.push_back(row);
      if (value && value->is_array()) set(out.back(), name, std::nullopt);
    }
  }
  return out;
}

Array projected(const Value& spec, const Array& rows) {
  Array out;
  for (const Value& row : rows) {
    Object one;
    const auto kept = [&](const Member& member) {
      const Value* rule = spec.find(member.name);
      return member.name == "_id" ? !rule || model::truth(*rule) : rule && rule->is_integer();
    };
    std::ranges::copy_if(row.object(), std::back_inserter(one), kept);
    for (const Member& rule : spec.object())
      if (rule.name != "_id" && !rule.value.is_integer())
        if (Optional value = evaluated(rule.value, row)) one.push_back({rule.name, *value});
    out.push_back(std::move(one));
  }
  return out;
}

Array joined(const Value& spec, const Array& rows, const Collections& collections) {
  const std::string local = spec.find("localField")->string(), foreign = spec.find("foreignField")->string();
  Array out;
  for (const Value& row : rows) {
    const Value* value = row.find(local);
    const Array wanted = value && value->is_array() && !value->array().empty() ? value->array()
                         : value && !value->is_array()                         ? Array{*value}
                                                                               : Array{Value()};
    Array found;
    for (const Value& other : collections.at(spec.find("from")->string())) {
      const Value* theirs = other.find(foreign);
      Array keys = {theirs ? *theirs : Value()};
      if (theirs && theirs->is_array()) keys.insert(keys.end(), theirs->array().begin(), theirs->array().end());
      const auto matches = [&](const Value& one) {
        return std::ranges::any_of(keys, [&](const Value& key) { return model::equal(one, key); });
      };
      if (std::ranges::any_of(wanted, matches)) found.push_back(other);
    }
    out.push_back(row);
    set(out.back(), spec.find("as")->string(), Value(found));
  }
  return out;
}

Array changed(const Array& rows, const std::function<void(const Value& before, Value& row)>& change) {
  Array out;
  for (const Value& row : rows) {
    out.push_back(row);
    change(row, out.back());
  }
  return out;
}

Array stage(const std::string& name, const Value& spec, Array rows, const Collections& collections) {
  if (name == "$match") {
    const model::Filter filter = model::Filter::of(spec, "reference");
    std::erase_if(rows, [&](const Value& row) { return !filter.matches(row); });
    return rows;
  }
  if (name == "$project") return projected(spec, rows);
  if (name == "$set")
    return changed(rows, [&](const Value& before, Value& row) {
      for (const Member& member : spec.object()) set(row, member.name, evaluated(member.value, before));
    });
  if (name == "$unset") return changed(rows, [&](const Value&, Value& row) { set(row, spec.string(), std::nullopt); });
  if (name == "$replaceWith")
    return changed(rows, [&](const Value& before, Value& row) { row = *evaluated(spec, before); });
  if (name == "$group") return group(spec, rows);
  if (name == "$sortByCount")
    return sorted(Object{{"count", -1}}, group(Object{{"_id", spec}, {"count", Object{{"$sum", 1}}}}, rows));
  if (name == "$sort") return sorted(spec, std::move(rows));
  const auto bound = [&] {
    return static_cast<std::ptrdiff_t>(std::min<std::size_t>(static_cast<std::size_t>(spec.integer()), rows.size()));
  };
  if (name == "$limit") return Array(rows.begin(), rows.begin() + bound());
  if (name == "$skip") return Array(rows.begin() + bound(), rows.end());
  if (name == "$unwind") {
    if (spec.is_string()) return unwound(spec.string().substr(1), false, rows);
    return unwound(spec.find("path")->string().substr(1), true, rows);
  }
  if (name == "$count")
    return rows.empty() ? Array() : Array{Object{{spec.string(), static_cast<std::int64_t>(rows.size())}}};
  if (name == "$lookup") return joined(spec, rows, collections);
  if (name == "$unionWith") {
    const Array more = reference_run(*spec.find("pipeline"), collections.at(spec.find("coll")->string()), collections);
    rows.insert(rows.end(), more.begin(), more.end());
    return rows;
  }
  if (name == "$facet") {
    Object out;
    for (const Member& part : spec.object()) out.push_back({part.name, reference_run(part.value, rows, collections)});
    return {Value(out)};
  }
  throw std::logic_error("reference: " + name);
}

}  // namespace

Array reference_run(const Value& pipeline, Array rows, const Collections& collections) {
  for (const Value& one : pipeline.array())
    rows = stage(one.object()[0].name, one.object()[0].value, std::move(rows), collections);
  return rows;
}

}  // namespace stele::pipeline
