// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Sort orders, {"published": -1, "title": 1}. A document becomes one string of bytes, and the order of the strings is
// the order of the documents. Missing is null. Of an array the element counts that comes first in this order; an
// empty array comes before null. Where paths lead through one array, each of its elements gives a tuple of all
// fields, and the first tuple counts; two different arrays in one order are refused, as in MongoDB.
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
  /// Empty text or {}: no order. `invalid` for directions other than 1 and -1, `unsupported` for $meta.
  static Sort parse(std::string_view json, const json::Limits& limits = {});
  static Sort of(const Value& object, std::string_view what);

  bool empty() const { return fields_.empty(); }
  const std::vector<SortField>& fields() const { return fields_; }

  /// `invalid` when two fields lead into different arrays of the document.
  void append_key(std::string& out, const Value& document) const;
  int compare(const Value& a, const Value& b) const;

 private:
  std::vector<SortField> fields_;
};

}  // namespace stele::model
