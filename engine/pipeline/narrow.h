// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/value.h"
#include "engine/pipeline/needs.h"

#include <string>
#include <string_view>
#include <vector>

namespace stele::pipeline {

/// Reads of a stored document only what is needed of it: the members on the needed paths, in their order, and _id where
/// it stands first. Objects on the way keep only what is needed; arrays on the way are read whole. One thread.
class NarrowReader {
 public:
  explicit NarrowReader(const Needs& needs);

  void read(std::string_view minified, model::Value& row);

 private:
  struct Node {
    std::string name;
    std::vector<Node> children;  // none: the whole value
  };
  bool read_members(std::string_view object, const Node& node, model::Object& out);
  void read_value(std::string_view text, const Node& node, model::Value& out);

  bool all_;
  const std::string id_ = "_id";
  Node root_;
  model::Parser parser_;
};

}  // namespace stele::pipeline
