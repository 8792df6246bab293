// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/pipeline/needs.h"

#include <algorithm>

namespace stele::pipeline {

bool begins_path(std::string_view prefix, std::string_view path) {
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '.');
}

bool paths_overlap(std::string_view a, std::string_view b) { return begins_path(a, b) || begins_path(b, a); }

void Needs::add_all() {
  all_ = true;
  paths_.clear();
}

void Needs::add(std::string_view path) {
  if (all_) return;
  if (path.empty()) return add_all();
  for (const std::string& known : paths_)
    if (begins_path(known, path)) return;
  std::erase_if(paths_, [&](const std::string& known) { return begins_path(path, known); });
  paths_.emplace_back(path);
}

void Needs::add(const model::Expression& expression) {
  std::vector<std::string> paths;
  if (!expression.collect_paths(paths)) return add_all();
  for (const std::string& path : paths) add(path);
}

void Needs::add(const model::Condition& condition) {
  using Kind = model::Condition::Kind;
  if (condition.kind == Kind::json_schema) return add_all();
  if (condition.kind == Kind::expr) return add(std::get<model::Expression>(condition.test));
  if (!condition.path.steps().empty()) return add(condition.path.text());  // paths of children begin there
  for (const model::Condition& child : condition.children) add(child);
}

}  // namespace stele::pipeline
