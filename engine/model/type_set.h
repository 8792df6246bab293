// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// MongoDB's types of values, as $type, bsonType and JSON Schema's `type` name them. An integer that fits 32 bits is an
// "int", others are "long"; "number" stands for "int", "long", "double" and "decimal".
#pragma once

#include "engine/model/value.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace stele::model {

/// "int", "objectId".
std::string_view type_name(const Value& value);

class TypeSet {
 public:
  /// Of a name, a number (2 is "string"), or an array of them. Types that MongoDB has and documents here cannot hold
  /// ("decimal") are in no value. `what` says where it stands ("filter, path \"a\": $type").
  static TypeSet parse(const Value& spec, std::string_view what);
  /// Of JSON Schema's names for `type`: "object", "boolean".
  static TypeSet parse_json_types(const Value& spec, std::string_view what);

  bool has(const Value& value) const;
  /// "string, int".
  std::string names() const;

 private:
  explicit TypeSet(std::uint32_t bits) : bits_(bits) {}
  std::uint32_t bits_;  // by MongoDB's number of the type
};

}  // namespace stele::model
