// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Accumulators: what $group and its kin make of the values of many rows, $setWindowFields of those in a window.
#pragma once

#include "engine/model/expression_numbers.h"
#include "engine/model/sort.h"
#include "engine/pipeline/stage.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <variant>
#include <vector>

namespace stele::pipeline {

struct Place;

/// What an accumulator has gathered so far. Which alternative: by the accumulator's kind.
struct Total {  // $sum, $avg, $count
  model::Sum sum;
  std::int64_t count = 0;
  std::int64_t doubles = 0;  // of these; for windows
};
struct Moments {  // $stdDevPop, $stdDevSamp
  std::int64_t count = 0;
  double mean = 0, squares = 0;
};
struct One {  // $min, $max, $first, $last, $mergeObjects
  Value value;
  bool there = false;
};
struct Many {  // $push, $firstN, $lastN
  Array values;
  std::size_t first = 0;  // of $lastN, when full: a ring
};
struct Different {  // $addToSet
  std::unordered_set<std::string> seen;
  Array values;
};
struct Ranked {  // $top, $bottom, $topN, $bottomN, $minN, $maxN: a heap of at most n, in front the one to go next
  struct Entry {
    std::string key;
    std::uint64_t number;  // in the order they came, which decides between equal keys
    Value value;
  };
  std::vector<Entry> heap;
  std::uint64_t next = 0;  // number
};
struct Numbers {  // $median, $percentile
  std::vector<double> values;
};
using Gathered = std::variant<Total, Moments, One, Many, Different, Ranked, Numbers>;

/// One accumulator of a stage: {"total": {"$sum": "$price"}}. Immutable; any thread.
class Accumulator {
 public:
  static Accumulator parse(const std::string& field, const Value& spec, const Place& place);
  /// {"$sum": 1}
  static Accumulator counting(std::string field);

  const std::string& field() const { return field_; }
  void trace_needs(Needs& needs) const;

  Gathered begin() const;
  /// Takes the row in; returns by how many bytes it grew.
  std::size_t add(Gathered& gathered, Evaluator& evaluate, const Value& row) const;
  /// Takes in what was gathered of later rows.
  std::size_t merge(Gathered& gathered, Gathered&& later) const;
  Value result(Gathered&& gathered) const;

  /// As a value, for a spill file, and back.
  Value saved(Gathered&& gathered) const;
  Gathered restored(Value&& saved) const;

  /// The result is the same to the last digit in whatever order the rows come; only which of equal numbers (2, 2.0) a
  /// $min or $max spells is that met first.
  bool takes_any_order() const;

  // Windows that move: what was added first is taken out again.
  bool is_removable() const { return kind_ == Kind::sum || kind_ == Kind::avg || kind_ == Kind::count; }
  void remove(Gathered& gathered, Evaluator& evaluate, const Value& row) const;

 private:
  enum class Kind : std::uint8_t {
    sum,
    avg,
    min,
    max,
    first,
    last,
    push,
    add_to_set,
    count,
    std_dev_pop,
    std_dev_samp,
    merge_objects,
    top,
    bottom,
    top_n,
    bottom_n,
    first_n,
    last_n,
    min_n,
    max_n,
    median,
    percentile
  };
  struct Named;
  static const Named* find(std::string_view name);

  void parse_n(const Value& n, const Place& place);
  void parse_parts(const Value& parts, const Place& place);
  std::size_t add_value(Gathered& gathered, const Value* value) const;
  std::size_t add_one(One& one, const Value* value) const;
  std::size_t add_many(Many& many, const Value& value) const;
  std::size_t add_different(Different& set, const Value& value) const;
  std::size_t add_ranked(Ranked& ranked, Ranked::Entry entry) const;
  void merge_object(One& one, const Value& object) const;
  Value finite(double number) const;

  Kind kind_ = Kind::sum;
  std::string field_;
  std::string what_;
  std::optional<Expression> input_;
  model::Sort sort_;  // of $top and its kin
  std::size_t n_ = 1;
  std::vector<double> parts_;  // of $percentile
};

}  // namespace stele::pipeline
