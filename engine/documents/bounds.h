// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What a filter says of single paths, as ranges of index elements (engine/base/key_codec.h). Bounds hold what every match
// must have at the path; they may hold more, so a document found through them is still to be matched.
#pragma once

#include "engine/model/filter.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::documents {

/// Elements e with low <= e < high, as bytes; a point when only one value's element is in it.
struct Interval {
  std::string low;
  std::string high;
  bool point = false;
};

struct Bounds {
  std::vector<Interval> intervals;              // in order, not overlapping
  bool missing = false;                         // a match may have nothing at the path
  bool every = false;                           // all of a match's elements are within; otherwise one of them is
  const model::Condition* element = nullptr;    // the $elemMatch of one of whose array's elements they speak

  bool is_point() const { return intervals.size() == 1 && intervals.front().point; }
  bool all_points() const;
};

/// The bounds that the conditions of a conjunction set on `path`, each by itself, in the filter's order.
std::vector<Bounds> bounds_of(const model::Condition& conjunction, std::string_view path);

Bounds intersection(const Bounds& a, const Bounds& b);
/// Of several bounds on one path, those that hold together for one index entry: all of them when the path leads through no
/// array; otherwise those of one condition, which may be met by another element than the next, and all that hold for
/// every element. Empty for none.
std::optional<Bounds> joined(const std::vector<Bounds>& found, bool through_array);

/// Whatever meets the conjunction meets `other`, too. Conservative: false where that is not plain to see.
bool implies(const model::Condition& conjunction, const model::Condition& other);

/// The interval of the descending elements.
Interval descending(const Interval& interval);

}  // namespace stele::documents
