// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Dotted paths into documents, "author.name", "tags.0". A step that is a decimal number without
// leading zeros names an object's member or an array's element, whichever is there.
#pragma once

#include "engine/model/value.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::model {

struct Step {
  std::string name;
  std::optional<std::uint32_t> index;
};

class Path {
 public:
  Path() = default;  // no steps: the value itself
  explicit Path(std::string_view dotted);

  const std::string& text() const { return text_; }
  const std::vector<Step>& steps() const { return steps_; }

 private:
  std::string text_;
  std::vector<Step> steps_;
};

/// Calls `visit(const Value*, bool elements_visited)` with everything the path reaches, until a call
/// returns true; returns whether one did. As in MongoDB: arrays on the way are passed through to the objects in them and
/// to the element a numeric step names; an array at the end yields its elements and then itself,
/// (`elements_visited`), unless the last step was its index. Null stands for missing; an array on the way that holds
/// nothing to go on with yields nothing at all, not even a missing.
template <class Visit>
bool reach(const Value& root, const Path& path, Visit&& visit);

/// The same, but an array at the end yields only itself.
template <class Visit>
bool reach_whole(const Value& root, const Path& path, Visit&& visit);

namespace detail {

enum class ArrayAtEnd : bool { elements_and_itself, itself };

template <ArrayAtEnd at_end, class Visit>
bool reach_from(const Value* value, const std::vector<Step>& steps, std::size_t i, Visit& visit);

template <ArrayAtEnd at_end, class Visit>
bool reach_through_array(const Array& array, const std::vector<Step>& steps, std::size_t i, Visit& visit) {
  for (std::size_t k = 0; k < array.size(); ++k) {
    const Value& element = array[k];
    if (element.is_object() && reach_from<at_end>(&element, steps, i, visit)) return true;
    if (steps[i].index != k) continue;
    if (i + 1 == steps.size()) {
      if (visit(&element, false)) return true;
    } else if (element.is_object() || element.is_array()) {
      if (reach_from<at_end>(&element, steps, i + 1, visit)) return true;
    }
  }
  return false;
}

template <ArrayAtEnd at_end, class Visit>
bool reach_from(const Value* value, const std::vector<Step>& steps, std::size_t i, Visit& visit) {
  if (i == steps.size()) {
    const bool is_array = at_end == ArrayAtEnd::elements_and_itself && value && value->is_array();
    if (is_array) {
      for (const Value& element : value->array())
        if (visit(&element, false)) return true;
    }
    return visit(value, is_array);
  }
  if (!value) return visit(nullptr, false);
  if (value->is_object()) return reach_from<at_end>(value->find(steps[i].name), steps, i + 1, visit);
  if (value->is_array()) return reach_through_array<at_end>(value->array(), steps, i, visit);
  return visit(nullptr, false);
}

}  // namespace detail

template <class Visit>
bool reach(const Value& root, const Path& path, Visit&& visit) {
  return detail::reach_from<detail::ArrayAtEnd::elements_and_itself>(&root, path.steps(), 0, visit);
}

template <class Visit>
bool reach_whole(const Value& root, const Path& path, Visit&& visit) {
  return detail::reach_from<detail::ArrayAtEnd::itself>(&root, path.steps(), 0, visit);
}

}  // namespace stele::model
