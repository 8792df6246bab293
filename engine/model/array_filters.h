// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The array filters of an update, [{"x": {"$gte": 5}}, {"y.kind": "note"}]: which elements `$[x]` and `$[y]` stand for.
#pragma once

#include "engine/model/filter.h"
#include "engine/model/value.h"

#include <string>
#include <string_view>
#include <vector>

namespace stele::model {

class ArrayFilters {
 public:
  /// Of a list already read. `invalid`: a filter with no name, or several, or the name of another filter.
  static ArrayFilters of(const Value& list);

  bool empty() const { return filters_.empty(); }
  bool has(std::string_view name) const { return find(name) != nullptr; }
  const std::string& name(std::size_t i) const { return filters_[i].name; }
  std::size_t size() const { return filters_.size(); }
  /// `name` is known.
  bool matches(std::string_view name, const Value& element) const;

 private:
  struct Named {
    std::string name;
    Filter filter;
  };
  const Named* find(std::string_view name) const;

  std::vector<Named> filters_;
};

}  // namespace stele::model
