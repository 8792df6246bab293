// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// An update that is a pipeline, [{"$set": {"total": {"$add": ["$a", "$b"]}}}, {"$unset": "draft"}]. Each stage reads
// the document as the one before left it. Stages: $set and $addFields, $unset, $project that only leaves out,
// $replaceWith and $replaceRoot. As in MongoDB, and unlike in {"$set": …}: a path through an array goes to all its
// elements, an object in $set is merged into what is there, and what computes to missing is removed.
#pragma once

#include "engine/base/json.h"
#include "engine/model/expression.h"
#include "engine/model/field_tree.h"
#include "engine/model/value.h"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace stele::model {

class PipelineUpdate {
 public:
  /// Of an array already read. `invalid` for what is no stage of an update, `unsupported` for a $project that computes.
  static PipelineUpdate of(const Value& stages);

  /// The document may be changed when this throws.
  void apply(Value& document, Date now, const json::Limits& limits) const;

 private:
  struct Compute {
    FieldTree fields;
  };
  struct Exclude {
    FieldTree fields;
  };
  struct Replace {
    Expression expression;
    std::string what;
  };
  using Stage = std::variant<Compute, Exclude, Replace>;

  static Stage parse_stage(const Value& value, std::size_t number);
  static void apply_stage(const Stage& stage, Value& document, Date now);

  std::vector<Stage> stages_;
};

}  // namespace stele::model
