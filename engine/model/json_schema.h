// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// JSON Schema as MongoDB's $jsonSchema knows it (draft 4 with bsonType): it stands in filters and validates
// collections. A keyword binds only values of the types that it speaks of: `minimum` says nothing about a string.
// Objects in `enum` and `uniqueItems` are equal whatever the order of their members.
#pragma once

#include "engine/model/value.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace stele::model {

class Schema {
 public:
  /// `invalid` with detail "keyword" and "path" for an unknown keyword or a wrong operand, `unsupported` for keywords
  /// that MongoDB has and this does not. `what` names it in messages ("collection \"orders\", schema").
  static Schema parse(const Value& schema, std::string_view what);

  bool accepts(const Value& value) const;
  /// Where the value breaks which rule, the first: `address.zip: must be of type string (bsonType), is int`.
  std::optional<std::string> violation(const Value& value) const;

  struct Node;

 private:
  explicit Schema(std::shared_ptr<const Node> node) : node_(std::move(node)) {}
  std::shared_ptr<const Node> node_;  // immutable, shared by copies; any thread
};

}  // namespace stele::model
