// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Sums and rounding for expressions.
#pragma once

#include "engine/model/expression_node.h"

#include <optional>
#include <vector>

namespace stele::model {

/// A sum of integers, exact, and of doubles, with the low half of each addition kept: the order of
/// the operands does not show.
class Sum {
 public:
  void add(std::int64_t number) { integers_ += number; }
  void subtract(std::int64_t number) { integers_ -= number; }
  void add(const Value& number);
  void subtract(const Value& number);

  void add(const Sum& other);

  /// All doubles that were added have been subtracted again: nothing is left of them.
  void forget_doubles() { high_ = low_ = 0, has_doubles_ = false; }

  bool has_doubles() const { return has_doubles_; }
  /// An integer when only integers went in and they fit, else a double; `out_of_range` beyond that.
  Result result(const Call& call) const;
  double number() const;
  /// As result(), but beyond the range of a double it is an infinity.
  Value value() const;
  /// All of it as a value, and back: for a sum that goes on later.
  Value saved() const;
  static Sum restored(const Value& saved);
  /// To the nearest integer; empty beyond 64 bits.
  std::optional<std::int64_t> rounded() const;

 private:
  void add_double(double number);

  __extension__ typedef __int128 Wide;  // a document has fewer than 2^64 integers to add

  Wide integers_ = 0;
  double high_ = 0, low_ = 0;
  bool has_doubles_ = false;
};

/// The least of the sorted numbers that so great a part of them does not exceed; null when there is none.
Value percentile_of(const std::vector<double>& sorted, double part);

/// `place` digits behind the point, or zeros before it when negative; halves go to the even neighbour. Of
/// a double the exact decimal digits count. Empty when an integer leaves 64 bits.
std::optional<std::int64_t> round_half_even(std::int64_t value, int place);
double round_half_even(double value, int place);
std::int64_t truncate(std::int64_t value, int place);
double truncate(double value, int place);

}  // namespace stele::model
