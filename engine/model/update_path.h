// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The paths of updates. Beside names and indexes they may have the steps of positional operators:
//   $      the element that the filter matched
//   $[]    every element
//   $[x]   the elements that the array filter "x" matches
// For one document they are expanded to plain paths, which are then found or created.
#pragma once

#include "engine/base/json.h"
#include "engine/model/path.h"
#include "engine/model/value.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stele::model {

enum class StepKind : std::uint8_t { plain, matched, all, filtered };
StepKind kind_of(const Step& step);
inline bool is_many(const Step& step) { return kind_of(step) >= StepKind::all; }
/// The `x` of `$[x]`.
std::string_view identifier_of(const Step& step);
bool is_positional(const Path& path);

/// Refuses empty steps, names that must not be stored, and positional operators where they cannot stand.
void check_update_path(const Path& path);

/// The order in which changes are made, so that new members appear as in MongoDB: step by step, indexes by
/// value and before names.
bool path_before(const Path& a, const Path& b);

/// Refuses paths of which one is, or begins, another, or of which one goes to chosen elements of an array ($[])
/// and another into the same array by index.
void refuse_conflicts(std::vector<const Path*> paths);

/// Where a plain path leads, without creating anything.
struct Place {
  Value* value = nullptr;   // null: nothing there
  Value* parent = nullptr;  // of value
  const Value* obstacle =
      nullptr;              // on the way, and can never hold the next step: a scalar, or an array without that index
  std::size_t reached = 0;  // steps taken before the obstacle
};
Place find_place(Value& document, const Path& path);
/// The value, or null. Refuses an obstacle.
Value* find_value(Value& document, const Path& path, std::string_view operation);

/// Creates what is missing, and counts the nulls put before new elements: one update may not make more of them
/// than a document can hold.
class Creator {
 public:
  explicit Creator(const json::Limits& limits) : nulls_left_(limits.bytes_max / sizeof("null")) {}

  struct Created {
    Value& value;
    bool fresh;  // null, and to be given a value
  };
  /// Where the path ends; what is missing on the way becomes objects. Refuses paths through scalars.
  Created operator()(Value& document, const Path& path);

 private:
  Value& element_at(Array& array, const Path& path, std::uint32_t index);
  std::size_t nulls_left_;
};

/// An update is refused: `what` is added to "update: ".
[[noreturn]] void refuse_update(std::string_view reason, std::string_view rule);

}  // namespace stele::model
