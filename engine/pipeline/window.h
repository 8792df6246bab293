// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/field_tree.h"
#include "engine/pipeline/accumulators.h"

#include <optional>
#include <string>
#include <vector>

namespace stele::pipeline {

/// Which rows around a row count: positions, or distances of the sort field's value, which is a number or, with a unit,
/// a date. An empty bound: none.
struct Window {
  enum class By : std::uint8_t { position, number, date } by = By::position;
  std::optional<double> lower, upper;  // of dates in milliseconds
};

/// One field that $setWindowFields sets.
struct WindowOutput {
  enum class Kind : std::uint8_t { accumulate, rank, dense_rank, document_number, shift };
  Kind kind = Kind::accumulate;
  std::optional<Accumulator> accumulator;
  Window window;
  std::optional<Expression> shifted, shift_default;
  std::int64_t shift_by = 0;
};

struct WindowSpec {
  std::string what;
  std::optional<Expression> partition_by;
  model::Sort sort;
  model::FieldTree fields;  // where the outputs go, in their order
  std::vector<WindowOutput> outputs;
};

/// The rows of one partition, in order, and the bytes of their sort keys.
struct Partition {
  std::vector<Value> rows;
  std::vector<std::string> keys;
};

/// An output over a partition, asked for one row after the other. One thread.
class OutputValues {
 public:
  /// `bytes`: what the windows of all outputs hold; `too_large` beyond Execution::stage_bytes.
  OutputValues(Execution& execution, Evaluator& evaluate, const WindowSpec& spec, const WindowOutput& output,
               const Partition& partition, std::size_t& bytes);

  /// Of row i; asked for i = 0, 1, 2, …
  Value at(std::size_t i);

 private:
  std::size_t size() const { return partition_.rows.size(); }
  Value rank(std::size_t i);
  Value shifted(std::size_t i);
  Value accumulated(std::size_t i);
  void forget();
  std::pair<std::size_t, std::size_t> bounds(std::size_t i);
  double sort_value(std::size_t i) const;

  Execution& execution_;
  Evaluator& evaluate_;
  const WindowSpec& spec_;
  const WindowOutput& output_;
  const Partition& partition_;
  std::int64_t rank_ = 0, dense_rank_ = 0;
  // What is gathered is that of the rows [from_, to_), and the last result, if it still stands, too.
  Gathered gathered_;
  std::size_t from_ = 0, to_ = 0;
  std::optional<Value> result_;
  std::size_t own_bytes_ = 0;
  std::size_t& bytes_;           // with those of the other outputs
  std::vector<double> numbers_;  // the sort field's values, for windows by range
};

/// {"r": {"$sum": "$n", "window": {…}}}: the path and what to set there.
WindowOutput parse_window_output(const std::string& path, const Value& spec, const Place& outer,
                                 const model::Sort& sort);

}  // namespace stele::pipeline
