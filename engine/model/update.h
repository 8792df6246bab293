// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Updates with MongoDB's meaning: $set $unset $inc $push (a value, or $each) $pull (a value or a
// condition). All of an update is applied or, when any part is refused, nothing: the document given
// stays as it was. The `_id` never changes. What an update does not touch keeps its bytes.
#pragma once

#include "engine/base/json.h"
#include "engine/model/filter.h"
#include "engine/model/path.h"
#include "engine/model/value.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::model {

class Update {
 public:
  /// `invalid` for unknown operators, operands of the wrong kind, and paths of which one is, or
  /// begins, another; `unsupported` for what MongoDB has and this does not.
  static Update parse(std::string_view json, const json::Limits& limits = {});

  /// Changes the document; false when it already was as the update wants it. Throws with the
  /// document unchanged: `invalid` for a member of the wrong type or a change of `_id`,
  /// `out_of_range` when $inc leaves the numbers, `too_large` beyond the limits.
  bool apply(Value& document, const json::Limits& limits = {}) const;

  /// The changed text of a stored document; empty when nothing changes.
  std::optional<std::string> apply_json(std::string_view minified, const json::Limits& limits = {}) const;

  /// The document an upsert inserts when nothing matches: the filter's equalities, then the update.
  /// With `_id` first, made when neither gives one.
  Value upsert_document(const Filter& filter, const json::Limits& limits = {}) const;

 private:
  enum class Kind : std::uint8_t { set, unset, inc, push, pull };
  struct Change {
    Kind kind;
    Path path;
    Value operand;                       // push: an array of what to append
    std::optional<Condition> condition;  // pull: what an element must meet; empty: equal the operand
    bool objects_only = false;           // pull: the condition is on members, so on objects
  };

  static Kind kind_of(const std::string& name);
  static Change parse_change(Kind kind, const Member& member);
  static void parse_push(Change& change);
  static void parse_pull(Change& change);
  bool apply_all(Value& document, const json::Limits& limits) const;
  static bool apply_one(Value& document, const Change& change);
  static bool pull_from(Value* target, const Change& change);

  std::vector<Change> changes_;  // ordered by path, numbers by value: new members appear in this order
};

}  // namespace stele::model
