// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The distinct values at a path, in the order of their first appearance. As in MongoDB arrays on the way are passed
// through and an array at the end counts by its elements, not by elements' elements; behind an array a number is an index
// and no member's name; a document without the path adds nothing.
#pragma once

#include "engine/model/path.h"
#include "engine/model/value.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>

namespace stele::model {

class Distinct {
 public:
  /// `invalid` for a path with an empty step or one that begins with '$'.
  explicit Distinct(std::string_view path, std::size_t bytes_max = std::size_t{16} << 20);

  /// `too_large` when the values together exceed the limit.
  void add(const Value& document);
  const Path& path() const { return path_; }
  const Array& values() const { return values_; }

 private:
  void add_from(const Value& holder, std::size_t step);
  void add_value(const Value& value);

  Path path_;
  std::size_t bytes_ = 0, bytes_max_;
  std::unordered_set<std::string> seen_;  // sort elements: 1 and 1.0 are the same
  Array values_;
};

}  // namespace stele::model
