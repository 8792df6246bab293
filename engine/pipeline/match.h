// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/filter.h"
#include "engine/pipeline/stage.h"

namespace stele::pipeline {

/// $match: a filter, and expressions that may read the variables of $lookup.
class Match final : public Stage {
 public:
  Match(std::string what, Value text, std::vector<Expression> expressions);

  RowsPtr open(Execution& execution, RowsPtr input) const override;
  void trace_needs(Needs& needs) const override;
  bool keeps(const model::Path&) const override { return true; }
  bool row_wise() const override { return true; }

  const Value& text() const { return text_; }  // of the filter
  const model::Filter& filter() const { return filter_; }
  const std::vector<Expression>& expressions() const { return expressions_; }
  /// What it reads; empty: whole documents.
  const std::optional<std::vector<std::string>>& paths() const { return paths_; }
  /// Both.
  StagePtr combined(const Match& other) const;
  /// What is left when a source has the filter; null: nothing.
  StagePtr only_expressions() const;

 private:
  Value text_;
  model::Filter filter_;
  std::vector<Expression> expressions_;
  std::optional<std::vector<std::string>> paths_;
};

}  // namespace stele::pipeline
