// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

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

/// The documents of a source that have one of some values at a path. They are looked up one by one where the source can
/// do that, else read once into a table, as long as that fits the memory.
class Foreign {
 public:
  /// `filter`: further conditions, an object.
  Foreign(Execution& execution, const SourceName& source, const model::Path& field, Value filter, std::string what);

  /// Each document once, in the source's order. Calls visit(Value&& document).
  template <class Visit>
  void find(const Array& values, Visit&& visit) {
    if (mode_ == Mode::unread) read();
    if (mode_ == Mode::table) {
      for (const std::uint32_t i : candidates(values)) {
        execution_.tick(texts_[i].size());
        visit(parser_.parse(texts_[i]));
      }
      return;
    }
    const Request request = request_for(values);
    const RowsPtr rows = open(request);
    Value row;
    while (rows->next(row)) visit(std::move(row));
  }

 private:
  enum class Mode : std::uint8_t { unread, table, lookups };
  void read();
  std::vector<std::uint32_t> candidates(const Array& values) const;
  Request request_for(const Array& values) const;
  RowsPtr open(const Request& request) const;

  Execution& execution_;
  const SourceName& source_;
  const model::Path& field_;
  const Value filter_;
  const std::string what_;
  Mode mode_;
  std::vector<std::string> texts_;
  std::unordered_map<std::string, std::vector<std::uint32_t>> by_value_;
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
  std::size_t bytes_ = 0;
  Array values_;
};

}  // namespace stele::pipeline
