// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/support/reference_pipeline.h"

#include "engine/base/error.h"
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

/// The variables of $lookup's "let"; an absent value is missing.
using Let = std::map<std::string, Optional>;

Array run_with(const Value& pipeline, Array rows, const Collections& collections, const Let& let);

model::Variables given(const Let& let) {
  model::Variables variables;
  for (const auto& [name, value] : let)
    if (value) variables.named[name] = *value;
  return variables;
}

std::vector<std::string> names(const Let& let) {
  std::vector<std::string> out;
  for (const auto& [name, value] : let) out.push_back(name);
  return out;
}

Optional evaluated(const Value& expression, const Value& row, const Let& let = {}) {
  model::Variables variables = given(let);
  variables.root = &row;
  return model::Expression::parse(expression, "reference", names(let)).evaluate(variables);
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

Value deviation(const std::vector<Optional>& values, bool of_sample) {
  const std::vector<Value> all = numbers(values);
  const double count = static_cast<double>(all.size()), divisor = of_sample ? count - 1 : count;
  if (divisor <= 0) return {};
  double mean = 0, squares = 0;
  for (const Value& one : all) mean += one.number() / count;
  for (const Value& one : all) squares += (one.number() - mean) * (one.number() - mean);
  return std::sqrt(squares / divisor);
}

Value part_of(const std::vector<Optional>& values, double part) {
  std::vector<double> all;
  for (const Value& one : numbers(values)) all.push_back(one.number());
  if (all.empty()) return {};
  std::ranges::sort(all);
  const double rank = std::ceil(part * static_cast<double>(all.size()));
  return all[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

Value merged_objects(const std::vector<Optional>& values) {
  Value out = Object();
  for (const Optional& value : values) {
    if (!value || value->is_null()) continue;
    if (!value->is_object()) fail(ErrorCode::invalid, "reference: no object");
    for (const Member& member : value->object()) {
      if (Value* present = out.find(member.name))
        *present = member.value;
      else
        out.object().push_back(member);
    }
  }
  return out;
}

// $topN and its kin: all rows in order, of which the first or last n give their value.
Array few(const std::string& name, const Value& spec, const Array& rows, const Let& let) {
  const bool ordered = name.starts_with("$top") || name.starts_with("$bottom");
  const bool extreme = name == "$minN" || name == "$maxN";
  const Value* n = spec.find("n");
  std::vector<std::pair<Value, Value>> all;  // the row and its value
  for (const Value& row : rows) {
    const Optional value = evaluated(*spec.find(ordered ? "output" : "input"), row, let);
    if (!extreme || (value && !value->is_null())) all.emplace_back(row, value.value_or(Value()));
  }
  if (ordered) {
    const model::Sort sort = model::Sort::of(*spec.find("sortBy"), "reference");
    std::ranges::stable_sort(all, [&](const auto& a, const auto& b) { return sort.compare(a.first, b.first) < 0; });
  }
  if (extreme) {
    const int direction = name == "$minN" ? 1 : -1;
    std::ranges::stable_sort(
        all, [&](const auto& a, const auto& b) { return direction * model::compare(a.second, b.second) < 0; });
  }
  const std::size_t count = std::min<std::size_t>(n ? static_cast<std::size_t>(n->integer()) : 1, all.size());
  const bool from_end = name.starts_with("$bottom") || name == "$lastN";
  Array out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(all[from_end ? all.size() - count + i : i].second);
  return out;
}

Value gathered(const std::string& name, const std::vector<Optional>& values) {
  const auto count = static_cast<double>(numbers(values).size());
  Array out;
  if (name == "$sum") return sum(values);
  if (name == "$avg") return count == 0 ? Value() : Value(sum(values).number() / count);
  if (name == "$min") return extreme(values, -1);
  if (name == "$max") return extreme(values, 1);
  if (name == "$first") return values.empty() ? Value() : values.front().value_or(Value());
  if (name == "$last") return values.empty() ? Value() : values.back().value_or(Value());
  if (name == "$stdDevPop" || name == "$stdDevSamp") return deviation(values, name == "$stdDevSamp");
  if (name == "$mergeObjects") return merged_objects(values);
  for (const Optional& value : values) {
    const bool again = name == "$addToSet" && value &&
                       std::ranges::any_of(out, [&](const Value& one) { return model::equal(one, *value); });
    if (value && !again) out.push_back(*value);
  }
  if (name == "$push" || name == "$addToSet") return out;
  throw std::logic_error("reference: " + name);
}

// {"$sum": "$a"} over these rows.
Value accumulated(const Value& call, const Array& rows, const Let& let) {
  const auto& [name, spec] = call.object()[0];
  if (name == "$count") return static_cast<std::int64_t>(rows.size());
  const bool is_few = spec.is_object() && (spec.find("n") || spec.find("sortBy"));
  if (is_few) {
    Array values = few(name, spec, rows, let);
    if (name != "$top" && name != "$bottom") return values;
    return values.empty() ? Value() : values[0];
  }
  const bool is_part = name == "$median" || name == "$percentile";
  std::vector<Optional> values;
  for (const Value& row : rows) values.push_back(evaluated(is_part ? *spec.find("input") : spec, row, let));
  if (name == "$median") return part_of(values, 0.5);
  if (!is_part) return gathered(name, values);
  Array out;
  for (const Value& part : spec.find("p")->array()) out.push_back(part_of(values, part.number()));
  return out;
}

Object accumulated_fields(const Value& spec, const Array& rows, const Let& let) {
  Object out;
  for (const Member& field : spec.object())
    if (field.name != "_id") out.push_back({field.name, accumulated(field.value, rows, let)});
  return out;
}

Array grouped(const std::vector<std::pair<Value, Value>>& ids_and_rows, const Value& fields, const Let& let) {
  std::vector<std::pair<Value, Array>> groups;
  for (const auto& [id, row] : ids_and_rows) {
    auto at = std::ranges::find_if(groups, [&](const auto& one) { return model::equal(one.first, id); });
    if (at == groups.end()) at = groups.insert(at, {id, {}});
    at->second.push_back(row);
  }
  Array out;
  for (const auto& [id, members] : groups) {
    Object one = {{"_id", id}};
    for (Member& field : accumulated_fields(fields, members, let)) one.push_back(std::move(field));
    out.push_back(std::move(one));
  }
  return out;
}

// An id of one field has null for missing, of several it leaves the field out.
Value group_id(const Value& spec, const Value& row, const Let& let) {
  Value id = evaluated(spec, row, let).value_or(Value());
  const bool one = spec.is_object() && spec.object().size() == 1 && !spec.object()[0].name.starts_with('$');
  if (one && id.object().empty()) id.object().push_back({spec.object()[0].name, Value()});
  return id;
}

Array group(const Value& spec, const Array& rows, const Let& let) {
  std::vector<std::pair<Value, Value>> all;
  for (const Value& row : rows) all.emplace_back(group_id(*spec.find("_id"), row, let), row);
  return grouped(all, spec, let);
}

Value counting() { return Object{{"count", Object{{"$sum", 1}}}}; }

Array sorted(const Value& spec, Array rows);

Array bucketed(const Value& spec, const Array& rows, const Let& let) {
  const Array& bounds = spec.find("boundaries")->array();
  std::vector<std::pair<Value, Value>> all;
  for (const Value& row : rows) {
    const Value by = evaluated(*spec.find("groupBy"), row, let).value_or(Value());
    Value id = *spec.find("default");
    for (std::size_t i = 0; i + 1 < bounds.size(); ++i)
      if (model::compare(by, bounds[i]) >= 0 && model::compare(by, bounds[i + 1]) < 0) id = bounds[i];
    all.emplace_back(id, row);
  }
  const Value* output = spec.find("output");
  return sorted(Object{{"_id", 1}}, grouped(all, output ? *output : counting(), let));
}

Array bucketed_evenly(const Value& spec, const Array& rows, const Let& let) {
  std::vector<std::pair<Value, Value>> all;
  for (const Value& row : rows) all.emplace_back(evaluated(*spec.find("groupBy"), row, let).value_or(Value()), row);
  std::ranges::stable_sort(all, [](const auto& a, const auto& b) { return model::compare(a.first, b.first) < 0; });
  const auto buckets = static_cast<std::size_t>(spec.find("buckets")->integer());
  const std::size_t share = std::max<std::size_t>((all.size() + buckets / 2) / buckets, 1);
  const Value* output = spec.find("output");
  Array out;
  for (std::size_t begin = 0; begin < all.size();) {
    std::size_t end = out.size() + 1 == buckets ? all.size() : std::min(begin + share, all.size());
    while (end < all.size() && model::equal(all[end].first, all[end - 1].first)) ++end;
    Array members;
    for (std::size_t i = begin; i < end; ++i) members.push_back(all[i].second);
    Object one = {{"_id", Object{{"min", all[begin].first}, {"max", all[end < all.size() ? end : end - 1].first}}}};
    for (Member& field : accumulated_fields(output ? *output : counting(), members, let))
      one.push_back(std::move(field));
    out.push_back(std::move(one));
    begin = end;
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

Array projected(const Value& spec, const Array& rows, const Let& let) {
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
        if (Optional value = evaluated(rule.value, row, let)) one.push_back({rule.name, *value});
    out.push_back(std::move(one));
  }
  return out;
}

Array joined_by_pipeline(const Value& spec, const Array& rows, const Collections& collections, const Let& outer) {
  Array out;
  for (const Value& row : rows) {
    Let let = outer;
    if (const Value* own = spec.find("let"))
      for (const Member& variable : own->object()) let[variable.name] = evaluated(variable.value, row, outer);
    out.push_back(row);
    set(out.back(), spec.find("as")->string(),
        Value(run_with(*spec.find("pipeline"), collections.at(spec.find("from")->string()), collections, let)));
  }
  return out;
}

Array joined(const Value& spec, const Array& rows, const Collections& collections, const Let& let) {
  if (!spec.find("localField")) return joined_by_pipeline(spec, rows, collections, let);
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

Value window_value(const Value& output, const Array& rows, std::size_t i, const Value* sort_by, const Let& let) {
  const std::string& name = output.object()[0].name;
  const auto size = static_cast<std::int64_t>(rows.size()), at = static_cast<std::int64_t>(i);
  if (name == "$documentNumber") return at + 1;
  if (name == "$rank" || name == "$denseRank") {
    const model::Sort sort = model::Sort::of(*sort_by, "reference");
    std::int64_t rank = 1, dense = 1;
    for (std::size_t k = 1; k <= i; ++k) {
      if (sort.compare(rows[k - 1], rows[k]) == 0) continue;
      rank = static_cast<std::int64_t>(k) + 1;
      ++dense;
    }
    return name == "$rank" ? rank : dense;
  }
  if (name == "$shift") {
    const Value& spec = output.object()[0].value;
    const std::int64_t from = at + spec.find("by")->integer();
    Optional value;
    if (from >= 0 && from < size) value = evaluated(*spec.find("output"), rows[static_cast<std::size_t>(from)], let);
    return value.value_or(*spec.find("default"));
  }
  std::int64_t begin = 0, end = size;
  if (const Value* window = output.find("window")) {
    const Array& bounds = window->find("documents")->array();
    if (bounds[0].is_integer()) begin = std::clamp<std::int64_t>(at + bounds[0].integer(), 0, size);
    if (bounds[1].is_integer()) end = std::clamp<std::int64_t>(at + bounds[1].integer() + 1, 0, size);
  }
  const Array inside = begin < end ? Array(rows.begin() + begin, rows.begin() + end) : Array();
  return accumulated(Object{output.object()[0]}, inside, let);
}

Array windowed(const Value& spec, const Array& rows, const Let& let) {
  const Value* partition_by = spec.find("partitionBy");
  const Value* sort_by = spec.find("sortBy");
  std::vector<std::pair<Value, Array>> partitions;
  for (const Value& row : sort_by ? sorted(*sort_by, rows) : rows) {
    const Value key = partition_by ? evaluated(*partition_by, row, let).value_or(Value()) : Value();
    if (key.is_array()) fail(ErrorCode::invalid, "reference: partition by an array");
    auto at = std::ranges::find_if(partitions, [&](const auto& one) { return model::equal(one.first, key); });
    if (at == partitions.end()) at = partitions.insert(at, {key, {}});
    at->second.push_back(row);
  }
  std::ranges::sort(partitions, [](const auto& a, const auto& b) { return model::compare(a.first, b.first) < 0; });
  Array out;
  for (const auto& [key, members] : partitions)
    for (std::size_t i = 0; i < members.size(); ++i) {
      out.push_back(members[i]);
      for (const Member& output : spec.find("output")->object())
        set(out.back(), output.name, window_value(output.value, members, i, sort_by, let));
    }
  return out;
}

// All that is reached, each document at its least depth, in the order of depth and then of the collection.
Array reached(const Value& spec, const Array& rows, const Collections& collections, const Let& let) {
  const auto at = [&](const Value& row, const char* field) { return row.find(spec.find(field)->string()); };
  const Value* depth_max = spec.find("maxDepth");
  const Value* restrict = spec.find("restrictSearchWithMatch");
  const auto elements = [](const Value& value) { return value.is_array() ? value.array() : Array{value}; };
  Array out;
  for (const Value& row : rows) {
    const Optional start = evaluated(*spec.find("startWith"), row, let);
    Array frontier = start ? elements(*start) : Array(), found;
    for (std::int64_t depth = 0; !frontier.empty() && (!depth_max || depth <= depth_max->integer()); ++depth) {
      Array next;
      for (const Value& other : collections.at(spec.find("from")->string())) {
        const Value* to = at(other, "connectToField");
        if (!to || (restrict && !model::Filter::of(*restrict, "reference").matches(other))) continue;
        Array keys = to->is_array() ? to->array() : Array();
        keys.push_back(*to);
        const auto is_sought = [&](const Value& key) {
          return std::ranges::any_of(frontier, [&](const Value& one) { return model::equal(one, key); });
        };
        const auto same = [&](const Value& one) { return model::equal(*one.find("_id"), *other.find("_id")); };
        if (!std::ranges::any_of(keys, is_sought) || std::ranges::any_of(found, same)) continue;
        found.push_back(other);
        if (const Value* field = spec.find("depthField")) set(found.back(), field->string(), Value(depth));
        const Value* from = at(other, "connectFromField");
        if (from)
          for (const Value& element : elements(*from)) next.push_back(element);
      }
      frontier = std::move(next);
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

Array stage(const std::string& name, const Value& spec, Array rows, const Collections& collections, const Let& let) {
  if (name == "$match") {
    model::Filter filter = model::Filter::of(spec, "reference", model::FilterOf::document, names(let));
    filter.set_variables(given(let));
    std::erase_if(rows, [&](const Value& row) { return !filter.matches(row); });
    return rows;
  }
  if (name == "$project") return projected(spec, rows, let);
  if (name == "$set" || name == "$addFields")
    return changed(rows, [&](const Value& before, Value& row) {
      for (const Member& member : spec.object()) set(row, member.name, evaluated(member.value, before, let));
    });
  if (name == "$unset") return changed(rows, [&](const Value&, Value& row) { set(row, spec.string(), std::nullopt); });
  if (name == "$replaceWith" || name == "$replaceRoot") {
    const Value& root = name == "$replaceRoot" ? *spec.find("newRoot") : spec;
    return changed(rows, [&](const Value& before, Value& row) { row = *evaluated(root, before, let); });
  }
  if (name == "$bucket") return bucketed(spec, rows, let);
  if (name == "$bucketAuto") return bucketed_evenly(spec, rows, let);
  if (name == "$setWindowFields") return windowed(spec, rows, let);
  if (name == "$graphLookup") return reached(spec, rows, collections, let);
  if (name == "$group") return group(spec, rows, let);
  if (name == "$sortByCount")
    return sorted(Object{{"count", -1}}, group(Object{{"_id", spec}, {"count", Object{{"$sum", 1}}}}, rows, let));
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
  if (name == "$lookup") return joined(spec, rows, collections, let);
  if (name == "$unionWith") {
    const Array more = run_with(*spec.find("pipeline"), collections.at(spec.find("coll")->string()), collections, let);
    rows.insert(rows.end(), more.begin(), more.end());
    return rows;
  }
  if (name == "$facet") {
    Object out;
    for (const Member& part : spec.object()) out.push_back({part.name, run_with(part.value, rows, collections, let)});
    return {Value(out)};
  }
  throw std::logic_error("reference: " + name);
}

Array run_with(const Value& pipeline, Array rows, const Collections& collections, const Let& let) {
  for (const Value& one : pipeline.array())
    rows = stage(one.object()[0].name, one.object()[0].value, std::move(rows), collections, let);
  return rows;
}

}  // namespace

Array reference_run(const Value& pipeline, Array rows, const Collections& collections) {
  return run_with(pipeline, std::move(rows), collections, {});
}

}  // namespace stele::pipeline
