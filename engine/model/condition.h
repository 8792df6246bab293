// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A compiled filter is a tree of conditions. MongoDB's operators become few kinds:
//   $and, several operators on a path   all_of        $or                  any_of
//   $nor, $not, $ne, $nin, no $exists   none_of       $all                 all_of eq (or elem_match_…)
// Comparisons hold only between values of one type (null equals missing); any other condition than size and
// elem_match_… on an array holds when it does for an element or for the array itself.
#pragma once

#include "engine/model/expression.h"
#include "engine/model/json_schema.h"
#include "engine/model/path.h"
#include "engine/model/regex.h"
#include "engine/model/type_set.h"
#include "engine/model/value.h"

#include <optional>
#include <variant>
#include <vector>

namespace stele::model {

/// $mod: the value, without its fraction, leaves this remainder (of the dividend's sign).
struct Mod {
  std::int64_t divisor = 1;
  std::int64_t remainder = 0;
};

/// $bitsAllSet and its kin, on integers (also whole doubles) and binaries.
struct Bits {
  enum class Rule : std::uint8_t { all_set, all_clear, any_set, any_clear };
  Rule rule = Rule::all_set;
  std::vector<std::uint32_t> positions;  // of binaries
  std::uint64_t mask = 0;                // of integers; positions from 63 up are the sign
};

struct Condition {
  enum class Kind : std::uint8_t {
    // Of `children`, whose paths begin where this one's do.
    all_of,  // without children: always
    any_of,  // without children: never
    none_of,
    // Of `path` and `operand`.
    eq,
    gt,
    gte,
    lt,
    lte,
    size,  // an array of so many elements: an integer
    // Of `path`.
    in,      // and `operands`: sorted, each once
    exists,  // a value is there; null, too
    type,    // and `test`: a TypeSet
    regex,   // a Regex: a string that it matches, or the same regular expression as a value
    mod,     // a Mod
    bits,    // a Bits
    // Of `path` and one child that holds for an element of the array there.
    elem_match_object,  // elements that are objects; the child's paths begin at the element
    elem_match_value,   // the child's paths are empty: the element itself, which is not entered if it is an array
    // Of the document.
    expr,         // `test`: an Expression; `given`: what it may read beside the document
    json_schema,  // a Schema
  };
  using Test = std::variant<std::monostate, TypeSet, Regex, Mod, Bits, Expression, Schema>;

  Kind kind = Kind::all_of;
  Path path;
  Value operand;
  std::vector<Value> operands;
  std::vector<Condition> children;
  Test test;
  std::shared_ptr<const Variables> given;  // null: nothing

  /// Paths begin at `root`.
  bool holds(const Value& root) const;
  /// For this value, whatever the path says, and not for its elements. Null: missing.
  bool holds_for(const Value* value) const;
};

}  // namespace stele::model
