// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/pipeline/match.h"
#include "engine/pipeline/plan.h"

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace stele::pipeline {

/// A bit of work inside a stage, with variables of its own; what it opens must not outlive it.
inline Execution inner_execution(const Execution& outer) {
  Execution inner(outer);
  inner.figures = nullptr;
  return inner;
}

/// The runs of the pipelines inside a stage, each over and over: explain finds their figures at the stage's.
class InnerRuns {
 public:
  /// Made before the stage's rows are measured.
  InnerRuns(Execution& outer, std::size_t pipelines) : outer_(outer), stage_(outer.next_figure) {
    if (!outer.figures) return;
    for (std::size_t i = 0; i < pipelines; ++i) figures_.push_back(std::make_shared<std::vector<StageFigures>>());
  }
  /// `inner` runs pipeline i next.
  void begin(Execution& inner, std::size_t i) {
    if (figures_.empty()) return;
    (*outer_.figures)[stage_].inner = figures_;
    inner.figures = figures_[i].get();
    inner.next_figure = 0;
  }
  void note_spilled(std::uint64_t bytes) { outer_.note_spilled(stage_, bytes); }
  template <class Foreign>
  void note_how(const Foreign& foreign) {
    if (outer_.figures) (*outer_.figures)[stage_].how = foreign.how();
  }

 private:
  Execution& outer_;
  const std::size_t stage_;
  std::vector<std::shared_ptr<std::vector<StageFigures>>> figures_;
};

/// What documents that do not have the path are to Foreign: as MongoDB's $lookup and $graphLookup have it.
enum class Missing : bool { is_null, is_nothing };

/// The documents of a source that have one of some values at a path: from a table, into which the source is read once as
/// long as that fits the memory; where the source can seek, or the table does not fit, they are looked up, and the table
/// holds what was found lately for single values.
class Foreign {
 public:
  /// `match`: further conditions, or null.
  Foreign(Execution& execution, const SourceName& source, const model::Path& field, Missing missing, const Match* match,
          std::string what);

  /// Each document once, in the source's order. One at a time: they are read from here.
  RowsPtr find(const Array& values);
  /// For explain: MongoDB's name of the strategy, how often the source was read, and how the last time.
  Value how() const;

 private:
  class TableRows;
  class FoundRows;
  enum class Mode : std::uint8_t { unread, table, lookups };
  Opened open(const Request& request);
  void read();
  /// The documents of a value, for who asks for it again.
  void keep(std::string key, std::vector<std::string> texts, std::size_t bytes);
  void forget();
  std::vector<std::uint32_t> candidates(const Array& values) const;
  Value filter_for(const Array& values) const;

  Execution& execution_;
  const SourceName& source_;
  const model::Path& field_;
  const Missing missing_;
  const Match* match_;
  const std::string what_;
  const bool seeks_;
  Mode mode_;
  std::int64_t reads_ = 0;
  Value last_how_;
  std::vector<std::string> texts_;
  std::unordered_map<std::string, std::vector<std::uint32_t>> by_value_;
  std::size_t bytes_ = 0;  // of the table
  model::Parser parser_;
};

/// The values a document has at a path, for Foreign: an array's elements; null when there are none.
Array values_at(const Value& document, const model::Path& path);

/// An array in the making that becomes part of a document, and may not be larger than one.
class GrowingArray {
 public:
  GrowingArray(const Settings& settings, const std::string& what) : settings_(settings), what_(what) {}
  void add(Value value);
  Array take() { return std::move(values_); }

 private:
  const Settings& settings_;
  const std::string& what_;
  std::size_t bytes_ = 0;  // of the values as JSON: at most, or exactly
  bool exact_ = false;
  Array values_;
};

}  // namespace stele::pipeline
