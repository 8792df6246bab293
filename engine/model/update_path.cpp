// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/update_path.h"

#include "engine/base/error.h"

#include <algorithm>
#include <set>

namespace stele::model {
namespace {

// MongoDB's bound on the nulls that setting an element far behind the end puts before it.
constexpr std::size_t padding_max = 1'500'000;

[[noreturn]] void refuse_path(const Path& path, std::string_view rule) {
  refuse_update("InvalidPath", text("the path \"", path.text(), "\" ", rule));
}

int order_steps(const Step& a, const Step& b) {
  if (a.index && b.index) return *a.index < *b.index ? -1 : *a.index > *b.index;
  if (a.index || b.index) return a.index ? -1 : 1;
  return a.name.compare(b.name);
}

bool begins_with(const Path& path, const Path& prefix) {
  if (prefix.steps().size() > path.steps().size()) return false;
  return std::equal(prefix.steps().begin(), prefix.steps().end(), path.steps().begin(),
                    [](const Step& a, const Step& b) { return a.name == b.name; });
}

[[noreturn]] void refuse_conflict(const Path& a, const Path& b) {
  refuse_update("ConflictingPaths",
                text("\"", a.text(), "\" and \"", b.text(), "\" change the same value; keep one of them"));
}

// Calls visit(text before step i, i) for each step but the first.
template <class Visit>
void each_prefix(const Path& path, Visit&& visit) {
  std::size_t end = path.steps()[0].name.size();
  for (std::size_t i = 1; i < path.steps().size(); ++i) {
    visit(std::string_view(path.text()).substr(0, end), i);
    end += 1 + path.steps()[i].name.size();
  }
}

void refuse_mixed_steps(const std::vector<const Path*>& paths) {
  std::set<std::string_view> chosen;  // arrays whose elements are chosen by $[]
  for (const Path* path : paths)
    each_prefix(*path, [&](std::string_view prefix, std::size_t i) {
      if (is_many(path->steps()[i])) chosen.insert(prefix);
    });
  if (chosen.empty()) return;
  for (const Path* path : paths)
    each_prefix(*path, [&](std::string_view prefix, std::size_t i) {
      if (!is_many(path->steps()[i]) && chosen.contains(prefix))
        refuse_update("ConflictingPaths", text("\"", path->text(), "\" names an element of \"", prefix,
                                               "\", another path all or chosen ones ($[…]) of it; use two updates"));
    });
}

}  // namespace

void refuse_update(std::string_view reason, std::string_view rule) {
  fail(ErrorCode::invalid, text("update: ", rule), {{"reason", std::string(reason)}});
}

StepKind kind_of(const Step& step) {
  if (step.name.empty() || step.name[0] != '$') return StepKind::plain;
  if (step.name == "$") return StepKind::matched;
  if (step.name == "$[]") return StepKind::all;
  return step.name.starts_with("$[") && step.name.ends_with(']') ? StepKind::filtered : StepKind::plain;
}

std::string_view identifier_of(const Step& step) { return std::string_view(step.name).substr(2, step.name.size() - 3); }

bool is_positional(const Path& path) {
  return std::ranges::any_of(path.steps(), [](const Step& step) { return kind_of(step) != StepKind::plain; });
}

void check_update_path(const Path& path) {
  std::size_t matched = 0;
  for (const Step& step : path.steps()) {
    if (step.name.empty()) refuse_path(path, "has an empty step; name a member");
    const StepKind kind = kind_of(step);
    if (kind == StepKind::matched) ++matched;
    if (kind == StepKind::plain && step.name[0] == '$')
      refuse_path(path, text("has the step \"", step.name, "\"; a member's name does not begin with '$'"));
    if (step.name.find('\0') != std::string::npos) refuse_path(path, "has a step that holds NUL; rename it");
  }
  if (kind_of(path.steps()[0]) != StepKind::plain)
    refuse_path(path, text("begins with ", path.steps()[0].name, ", which must follow the name of an array"));
  if (matched > 1) refuse_path(path, "has $ more than once; use $[] or $[name] with an array filter for the others");
}

bool path_before(const Path& a, const Path& b) {
  return std::lexicographical_compare(a.steps().begin(), a.steps().end(), b.steps().begin(), b.steps().end(),
                                      [](const Step& x, const Step& y) { return order_steps(x, y) < 0; });
}

void refuse_conflicts(std::vector<const Path*> paths) {
  std::ranges::sort(paths, [](const Path* a, const Path* b) { return path_before(*a, *b); });
  // In this order a path's extensions follow it directly.
  for (std::size_t i = 1; i < paths.size(); ++i)
    if (begins_with(*paths[i], *paths[i - 1])) refuse_conflict(*paths[i - 1], *paths[i]);
  refuse_mixed_steps(paths);
}

Place find_place(Value& document, const Path& path) {
  Place place{&document, nullptr, nullptr, 0};
  for (const Step& step : path.steps()) {
    Value& parent = *place.value;
    Value* next = nullptr;
    if (parent.is_object())
      next = parent.find(step.name);
    else if (parent.is_array() && step.index && *step.index < parent.array().size())
      next = &parent.array()[*step.index];
    else if (!parent.is_array() || !step.index)
      return {nullptr, nullptr, &parent, place.reached};
    if (!next) return {};
    place = {next, &parent, nullptr, place.reached + 1};
  }
  return place;
}

Value* find_value(Value& document, const Path& path, std::string_view operation) {
  const Place place = find_place(document, path);
  if (place.obstacle)
    refuse_update("WrongType",
                  text(operation, " of \"", path.text(), "\": there can be no \"", path.steps()[place.reached].name,
                       "\" inside a value of type ", name(place.obstacle->type()), "; $set the whole value instead"));
  return place.value;
}

Value& Creator::element_at(Array& array, const Path& path, std::uint32_t index) {
  if (index < array.size()) return array[index];
  const std::size_t nulls = index - array.size();
  if (nulls > padding_max || nulls > nulls_left_)
    fail(ErrorCode::too_large,
         text("update: \"", path.text(), "\" lies ", nulls, " elements behind the array's end, at most ", padding_max,
              " nulls are put between, and no more than the document may hold; use $push"),
         {{"reason", "TooFar"},
          {"size", std::to_string(nulls)},
          {"limit", std::to_string(std::min(padding_max, nulls_left_))}});
  nulls_left_ -= nulls;
  array.resize(index + std::size_t{1});
  return array[index];
}

Creator::Created Creator::operator()(Value& document, const Path& path) {
  Value* at = &document;
  bool fresh = false;
  for (const Step& step : path.steps()) {
    if (fresh) *at = Object();
    if (at->is_array()) {
      if (!step.index)
        refuse_update("WrongType", text("\"", path.text(), "\": the step \"", step.name,
                                        "\" is no index below 2^32, and an array is there"));
      fresh = *step.index >= at->array().size();
      at = &element_at(at->array(), path, *step.index);
    } else if (at->is_object()) {
      Value* next = at->find(step.name);
      fresh = next == nullptr;
      if (fresh) {
        at->object().push_back({step.name, {}});
        next = &at->object().back().value;
      }
      at = next;
    } else {
      refuse_update("WrongType",
                    text("\"", path.text(), "\": cannot create \"", step.name, "\" inside a value of type ",
                         name(at->type()), "; $set the whole value instead"));
    }
  }
  return {*at, fresh};
}

}  // namespace stele::model
