// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The paths of a $set or $unset stage, as a tree of names. A path through an array goes to all its elements; what
// computes to missing is removed.
#pragma once

#include "engine/model/expression.h"
#include "engine/model/path.h"
#include "engine/model/value.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stele::model {

class FieldTree {
 public:
  /// {"total": expression, "author": {"name": expression}}. `what` names the stage in messages.
  static FieldTree of_set(const Value& spec, std::string_view what, std::span<const std::string> variables = {});
  /// {"draft": 0, "author.email": 0}
  static FieldTree of_exclusion(const Value& spec, std::string_view what);
  /// "draft", or several in an array.
  static FieldTree of_unset(const Value& spec, std::string_view what);

  /// Paths whose values come from elsewhere.
  static FieldTree of_paths(std::span<const std::string> paths, std::string_view what);

  /// Of of_paths(): a value for each path, in their order; empty: what is there is removed.
  void put_in(Value& document, std::vector<std::optional<Value>> values) const;
  /// Of a $set: all expressions read the document as it is before. `variables` without their root.
  void set_in(Value& document, Variables variables) const;
  /// Of an $unset.
  void exclude_from(Value& document) const;

  /// Adds the paths that the expressions read; false when one reads the whole document.
  bool collect_paths(std::vector<std::string>& paths) const;
  /// What is at this path is not touched.
  bool keeps(const Path& path) const;
  /// The tree's paths, dotted.
  std::vector<std::string> paths() const;

 private:
  struct Node {
    std::string name;
    bool is_end = false;         // a path of the stage ends here
    std::size_t expression = 0;  // of $set, where one ends
    std::vector<Node> children;  // in the order of the stage
  };
  struct Computed;

  Node& add(std::string_view dotted, std::string_view what);
  static void assign(const Node& tree, Computed& computed, Value& object);
  static void assign_inside(const Node& tree, Computed& computed, Value& value);
  static void exclude(const Node& tree, Value& value);
  static void collect(const Node& tree, const std::string& prefix, std::vector<std::string>& paths);

  Node root_;
  std::vector<Expression> expressions_;
};

}  // namespace stele::model
