// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What a filter says of single paths, as ranges of index elements. Bounds hold what every match must have at the path;
// they may hold more, so a document found through them is still to be matched.
#pragma once

#include "engine/model/filter.h"

#include <optional>
#include <string>
#include <vector>

namespace stele::documents {

/// Elements e with low <= e < high, as bytes; a point when only one value's element is in it.
struct Interval {
  std::string low;
  std::string high;
  bool point = false;
};

/// Intervals in order, not overlapping.
struct Bounds {
  std::vector<Interval> intervals;
  bool null = false;  // null, and so missing, is within

  bool is_point() const { return intervals.size() == 1 && intervals.front().point; }
  bool all_points() const;
};

/// The bounds that the conditions of a conjunction set on `path`, each by itself, in the filter's order.
std::vector<Bounds> bounds_of(const model::Condition& conjunction, const std::string& path);

Bounds intersection(const Bounds& a, const Bounds& b);
/// Every element in `inner` is in `outer`.
bool within(const Bounds& inner, const Bounds& outer);
/// The interval of the descending elements.
Interval descending(const Interval& interval);

}  // namespace stele::documents
