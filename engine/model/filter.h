// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Filters with MongoDB's meaning: implicit equality, $eq $ne $gt $gte $lt $lte $in $nin $exists $type $regex $options
// $mod $size $all $elemMatch $bitsAllSet $bitsAllClear $bitsAnySet $bitsAnyClear $not on a path; $and $or $nor $expr
// $jsonSchema $comment $alwaysTrue $alwaysFalse above paths. What they mean: condition.h.
#pragma once

#include "engine/base/json.h"
#include "engine/model/condition.h"
#include "engine/model/literal.h"
#include "engine/model/path.h"
#include "engine/model/value.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stele::model {

/// What matches_json reuses from document to document. One thread at a time.
struct Scratch {
  Parser parser;
  Value document;
};

/// What a filter is asked about: $expr can stand only where it is a whole document.
enum class FilterOf : bool { document, element };

class Filter {
 public:
  /// `invalid` for what is no filter or an unknown operator, `unsupported` for operators that
  /// MongoDB has and this does not; both name the path.
  static Filter parse(std::string_view json, const json::Limits& limits = {});
  /// Of an object already read; `what` names it in messages ("$pull tags"). `variables`: the names that $expr may read
  /// beside the document, and set_variables() gives values.
  static Filter of(const Value& object, std::string_view what, FilterOf of = FilterOf::document,
                   std::span<const std::string> variables = {});

  bool matches(const Value& document) const { return root_.holds(document); }
  /// The same for a stored document; reads only the members that the filter names, and no further than it must.
  bool matches_json(std::string_view minified, Scratch& scratch) const;

  bool empty() const { return root_.children.empty(); }
  /// An all_of with none directly in it.
  const Condition& root() const { return root_; }

  /// What $expr may read beside the document, whose place in it is not looked at.
  void set_variables(const Variables& variables);
  /// The same with nothing but $$NOW, the transaction's time: it forgets what else was set.
  void set_now(Date now);

 private:
  /// A member of the outermost object that conditions reach.
  struct Needed {
    std::string name;
    std::vector<std::uint32_t> decides;  // the conditions of root_ that need no other
  };
  void find_needed();
  bool decided_false(const std::vector<std::uint32_t>& conditions, const Value& document) const;

  Condition root_;
  std::vector<Needed> needed_;
  std::vector<std::uint32_t> late_;  // conditions of root_ that need several members, or none
  bool needs_all_ = false;           // some condition reads the whole document
  Literal literal_;
};

/// The id that every matching document must have: then the filter is one lookup, and a check.
std::optional<Value> id_equality(const Filter& filter);

/// The members that an upsert takes over from the filter: its equalities, also inside $and, in the order of their paths.
/// `invalid` when two of them fix the same path.
Value equality_document(const Filter& filter);

/// Conditions on one value, `{"$gt": 5, "$lt": 9}`; the path is that of the value.
Condition parse_conditions(const Path& path, const Value& operators, std::string_view what);
/// Of an element, as $elemMatch and $pull have it: {"$gt": 1} is of its value, {"a": 1} or {"$or": […]} of its members.
bool speaks_of_members(const Value& condition);
/// True when the object's first name is an operator's: `{"$gt": 5}`, not `{"a": 5}`.
bool is_operators(const Value& value);

}  // namespace stele::model
