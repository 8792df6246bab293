// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/array_filters.h"
#include "engine/model/update_path.h"
#include "engine/model/value.h"

#include <cstddef>
#include <deque>
#include <optional>

namespace stele::model {

/// What positional steps stand for in one document.
class Expansion {
 public:
  /// `matched`: the index for `$`; empty: the filter matched no element.
  Expansion(const Value& document, const ArrayFilters& filters, std::optional<std::size_t> matched)
      : document_(document), filters_(filters), matched_(matched) {}

  /// Adds the plain paths. Refuses $ without a match, and $[] where no array is.
  void expand(const Path& path, std::deque<Path>& out) const { expand_from(path, 0, &document_, {}, out); }

 private:
  void expand_from(const Path& path, std::size_t i, const Value* at, const std::string& taken,
                   std::deque<Path>& out) const;
  void expand_elements(const Path& path, std::size_t i, const Value* at, const std::string& taken,
                       std::deque<Path>& out) const;

  const Value& document_;
  const ArrayFilters& filters_;
  std::optional<std::size_t> matched_;
};

}  // namespace stele::model
