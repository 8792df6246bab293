// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Updates with MongoDB's meaning: an object of operators,
//   $set $setOnInsert $unset $rename $inc $mul $min $max $bit $currentDate
//   $push ($each $position $sort $slice) $addToSet ($each) $pop $pull $pullAll
// with paths that may hold $, $[] and $[name] (update_path.h), or a pipeline (pipeline_update.h).
// All of an update is applied or, when any part is refused, nothing: the document given stays as it was. The `_id`
// never changes. What an update does not touch keeps its bytes.
#pragma once

#include "engine/base/json.h"
#include "engine/model/array_filters.h"
#include "engine/model/change.h"
#include "engine/model/filter.h"
#include "engine/model/pipeline_update.h"
#include "engine/model/value.h"

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::model {

/// What an application of an update knows beside the document.
struct UpdateContext {
  const Filter* filter = nullptr;  // that found the document: for the positional $, and for what an upsert inserts
  Date now = {};                   // the transaction's time, for $currentDate and $$NOW
  bool inserting = false;          // then $setOnInsert applies
  json::Limits limits = {};
};

class Update {
 public:
  /// `array_filters` is empty or a JSON array. `invalid` for unknown operators, operands of the wrong kind, paths of
  /// which one is, or begins, another, and array filters that are unused or missing; `unsupported` for what MongoDB has
  /// and this does not.
  static Update parse(std::string_view json, std::string_view array_filters = {}, const json::Limits& limits = {});

  /// Changes the document; false when it already was as the update wants it. Throws with the
  /// document unchanged: `invalid` for a member of the wrong type, a change of `_id`, or a $ that matched no element,
  /// `out_of_range` when numbers leave their range, `too_large` beyond the limits.
  bool apply(Value& document, const UpdateContext& context = {}) const;

  /// The changed text of a stored document; empty when nothing changes.
  std::optional<std::string> apply_json(std::string_view minified, const UpdateContext& context = {}) const;

  /// The document an upsert inserts when nothing matches: the filter's equalities, then the update.
  /// With `_id` first, made when neither gives one. Needs the context's filter.
  Value upsert_document(const UpdateContext& context) const;

 private:
  struct Target {
    const Change* change;
    const Path* path;  // plain
  };

  void parse_changes(const Value& spec);
  void check_identifiers() const;
  bool apply_all(Value& document, const UpdateContext& context) const;
  bool apply_changes(Value& document, const UpdateContext& context) const;
  bool apply_pipeline(Value& document, const UpdateContext& context) const;
  std::vector<Target> targets(const Value& document, const UpdateContext& context, std::deque<Path>& expanded) const;

  std::vector<Change> changes_;  // ordered by path: new members appear in this order
  std::vector<std::string> members_;  // that their paths lead into
  ArrayFilters array_filters_;
  std::optional<PipelineUpdate> pipeline_;  // then no changes
  bool positional_ = false;                 // some path is
};

}  // namespace stele::model
