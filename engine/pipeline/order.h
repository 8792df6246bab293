// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/sort.h"
#include "engine/pipeline/stage.h"

namespace stele::pipeline {

/// $sort; with a limit, which the plan moves into it, only so many rows are kept.
class SortStage final : public Stage {
 public:
  SortStage(std::string what, model::Sort sort, Value text)
      : Stage(std::move(what)), sort_(std::move(sort)), text_(std::move(text)) {}

  /// What waits to be sorted: rows, or the documents that the rows' keys are read from (Rows::document), as they stand.
  enum class Content : bool { rows, documents };

  RowsPtr open(Execution& execution, RowsPtr input) const override {
    return open(execution, std::move(input), Content::rows);
  }
  RowsPtr open(Execution& execution, RowsPtr input, Content content) const;
  void trace_needs(Needs& needs) const override;
  bool keeps(const model::Path&) const override { return true; }
  bool gives_row_by_row() const override { return true; }
  std::size_t gathers() const override { return 1; }
  Value notes() const override;

  const model::Sort& sort() const { return sort_; }
  const Value& text() const { return text_; }
  std::shared_ptr<const SortStage> limited(std::uint64_t most) const;

 private:
  model::Sort sort_;
  Value text_;
  std::optional<std::uint64_t> limit_;
};

/// $limit
class Limit final : public Stage {
 public:
  Limit(std::string what, std::uint64_t most) : Stage(std::move(what)), most_(most) {}
  RowsPtr open(Execution& execution, RowsPtr input) const override;
  void trace_needs(Needs&) const override {}
  std::uint64_t most() const { return most_; }

 private:
  std::uint64_t most_;
};

/// $skip
class Skip final : public Stage {
 public:
  Skip(std::string what, std::uint64_t count) : Stage(std::move(what)), count_(count) {}
  RowsPtr open(Execution& execution, RowsPtr input) const override;
  void trace_needs(Needs&) const override {}
  std::uint64_t count() const { return count_; }

 private:
  std::uint64_t count_;
};

}  // namespace stele::pipeline
