// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The inside of a Schema: one node for each schema object in it. What a node does not say is empty.
#pragma once

#include "engine/model/json_schema.h"
#include "engine/model/regex.h"
#include "engine/model/type_set.h"
#include "engine/model/value.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stele::model {

struct Schema::Node {
  struct Property;
  struct PatternProperty;
  struct Dependency;
  using Child = std::shared_ptr<const Node>;

  std::optional<TypeSet> types;
  bool json_types = false;  // `types` came from `type`, not from `bsonType`
  Array enumeration;        // in canonical order

  std::optional<Value> minimum, maximum;
  bool exclusive_minimum = false, exclusive_maximum = false;
  std::optional<std::int64_t> multiple_of;

  std::optional<std::uint64_t> min_length, max_length;  // in code points
  std::optional<Regex> pattern;

  std::optional<std::uint64_t> min_items, max_items;
  bool unique_items = false;
  Child items;  // of every element
  bool items_are_listed = false;
  std::vector<Child> item_list;  // of the element at the same place
  bool additional_items = true;  // beyond item_list
  Child additional_item;

  std::optional<std::uint64_t> min_properties, max_properties;
  std::vector<std::string> required;
  std::vector<Property> properties;
  std::vector<PatternProperty> pattern_properties;
  bool additional_properties = true;  // neither in properties nor in pattern_properties
  Child additional_property;
  std::vector<Dependency> dependencies;

  std::vector<Child> all_of, any_of, one_of;
  Child negation;
};

struct Schema::Node::Property {
  std::string name;
  Child schema;
};

struct Schema::Node::PatternProperty {
  Regex pattern;
  Child schema;
};

/// Where the member `name` is, the members `required` are, or the object accepts `schema`.
struct Schema::Node::Dependency {
  std::string name;
  std::vector<std::string> required;
  Child schema;
};

/// The same value with the members of its objects sorted by name, at every depth: equal ones in any order compare
/// equal.
Value canonical(const Value& value);

}  // namespace stele::model
