// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// One change of an update: an operator, a path, an operand. `parse` checks everything that needs no document.
#pragma once

#include "engine/model/filter.h"
#include "engine/model/path.h"
#include "engine/model/update_path.h"
#include "engine/model/value.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace stele::model {

/// $push: where new elements go, then how all are ordered, then how many stay.
struct PushRule {
  struct Key {
    Path path;  // no steps: the element itself
    bool descending = false;
  };
  std::optional<std::int64_t> position;  // negative: counted from the end
  std::vector<Key> sort;                 // empty: not sorted
  std::optional<std::int64_t> slice;     // the first so many, or, negative, the last
};

struct Change {
  enum class Operator : std::uint8_t {
    set,
    set_on_insert,
    unset,
    rename,
    inc,
    mul,
    min,
    max,
    bit,
    current_date,  // on a value
    push,
    add_to_set,
    pop,
    pull,
    pull_all  // on an array
  };

  Operator op;
  Path path;
  Value operand;  // push, add_to_set, pull_all: an array of elements
  Path source;    // rename: from here to `path`
  PushRule push = {};
  std::optional<Condition> condition = {};  // pull: what an element must meet; empty: equal the operand
  bool objects_only = false;                // pull: the condition is on members, so on objects
  std::size_t bytes = 0;                    // of the operand as JSON: what one application may add

  /// `name` is the operator's, `member` the path and its operand.
  static Change parse(Operator op, std::string_view name, const Member& member);
};

/// `invalid` for unknown names.
Change::Operator operator_named(std::string_view name);
std::string_view name(Change::Operator op);

/// Makes the change at a plain path (its own, or one it was expanded to); false when nothing changed.
/// `now` is for $currentDate. $setOnInsert is made, too.
bool make_change(Value& document, const Change& change, const Path& path, Date now, Creator& creator);
/// The same for operators on arrays.
bool change_array(Value& document, const Change& change, const Path& path, Creator& creator);

[[noreturn]] void refuse_type(std::string_view operation, const Path& path, std::string_view needed,
                              const Value& found);

}  // namespace stele::model
