// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/condition.h"
#include "engine/model/expression.h"

#include <string>
#include <string_view>
#include <vector>

namespace stele::pipeline {

/// The paths of a document that are read further down; or all of it.
class Needs {
 public:
  static Needs all() { return Needs(true); }
  static Needs nothing() { return Needs(false); }

  bool is_all() const { return all_; }
  /// None is, or begins, another.
  const std::vector<std::string>& paths() const { return paths_; }

  void add_all();
  void add(std::string_view path);
  void add(const model::Expression& expression);
  void add(const model::Condition& condition);

 private:
  explicit Needs(bool all) : all_(all) {}

  bool all_;
  std::vector<std::string> paths_;
};

/// `path` is `prefix`, or goes on from it.
bool begins_path(std::string_view prefix, std::string_view path);
/// One of them is, or begins, the other.
bool paths_overlap(std::string_view a, std::string_view b);

}  // namespace stele::pipeline
