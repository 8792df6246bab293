// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/filter.h"
#include "engine/pipeline/stage.h"

#include <utility>

namespace stele::pipeline {

/// $match. Its filter's $expr may read the variables of $lookup.
class Match final : public Stage {
 public:
  Match(std::string what, Value text, std::vector<std::string> variables);

  RowsPtr open(Execution& execution, RowsPtr input) const override;
  void trace_needs(Needs& needs) const override;
  bool keeps(const model::Path&) const override { return true; }
  bool row_wise() const override { return true; }

  const Value& text() const { return text_; }
  const model::Filter& filter() const { return filter_; }
  const std::vector<std::string>& variables() const { return variables_; }
  /// The rows that it lets through are the same before the stage as behind it.
  bool may_precede(const Stage& stage) const;
  /// Those of its conditions that may precede the stage, and the others; null: there are none.
  std::pair<StagePtr, StagePtr> split(const Stage& stage) const;
  /// Both.
  StagePtr combined(const Match& other) const;

 private:
  Value text_;
  std::vector<std::string> variables_;
  model::Filter filter_;
  std::optional<std::vector<std::string>> paths_;  // what it reads; empty: whole documents
};

}  // namespace stele::pipeline
