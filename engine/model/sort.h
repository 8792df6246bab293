// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Sort orders, {"published": -1, "title": 1}. A document becomes one string of bytes, and the
// order of the strings is the order of the documents. Of an array the smallest element counts when
// ascending, the greatest when descending; an empty array comes before null, missing is null.
#pragma once

#include "engine/base/json.h"
#include "engine/model/path.h"
#include "engine/model/value.h"

#include <string>
#include <string_view>
#include <vector>

namespace stele::model {

struct SortField {
  Path path;
  bool descending = false;
};

class Sort {
 public:
  /// Empty text or {}: no order. `invalid` for directions other than 1 and -1.
  static Sort parse(std::string_view json, const json::Limits& limits = {});

  bool empty() const { return fields_.empty(); }
  const std::vector<SortField>& fields() const { return fields_; }

  void append_key(std::string& out, const Value& document) const;
  int compare(const Value& a, const Value& b) const;

 private:
  std::vector<SortField> fields_;
};

}  // namespace stele::model
