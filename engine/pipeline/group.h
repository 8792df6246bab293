// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/pipeline/group_table.h"

#include <memory>
#include <span>
#include <vector>

namespace stele::pipeline {

/// $group, and what $count, $sortByCount and $bucket become.
class Group final : public Stage {
 public:
  explicit Group(GroupSpec spec) : Stage(spec.what), spec_(std::move(spec)) {}

  RowsPtr open(Execution& execution, RowsPtr input) const override;
  void trace_needs(Needs& needs) const override;
  std::size_t gathers() const override { return 1; }
  /// What becomes of rows is the same in whatever order they come; that of the groups is by nobody's promise.
  bool takes_any_order() const;

  /// Over several inputs, each of which goes through `stages` (row_wise ones) and into groups of its own in a thread of
  /// its own; the groups are then merged in the order of the inputs, so that $first and $push see rows in that order.
  RowsPtr open_parallel(Execution& execution, std::span<const StagePtr> stages, std::vector<RowsPtr> inputs) const;

 private:
  GroupSpec spec_;
};

/// An accumulator for each member of `fields`.
std::vector<Accumulator> parse_accumulators(const Value& fields, const Place& place);

}  // namespace stele::pipeline
