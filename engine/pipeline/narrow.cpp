// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/pipeline/narrow.h"

#include "engine/model/member_scan.h"
#include "engine/model/path.h"

#include <algorithm>

namespace stele::pipeline {

using model::Value;

NarrowReader::NarrowReader(const Needs& needs) : all_(needs.is_all()) {
  for (const std::string& text : needs.paths()) {
    const model::Path path(text);
    Node* node = &root_;
    for (const model::Step& step : path.steps()) {
      auto child = std::ranges::find(node->children, step.name, &Node::name);
      if (child == node->children.end()) child = node->children.insert(child, Node{step.name, {}});
      node = &*child;
    }
  }
}

void NarrowReader::read(std::string_view minified, Value& row) {
  if (!row.is_object()) row = model::Object();
  if (all_ || !read_members(minified, root_, row.object())) row = parser_.parse(minified);
}

// False: the text has to be parsed. Members that were there before are written over: rows are mostly alike.
bool NarrowReader::read_members(std::string_view object, const Node& node, model::Object& out) {
  model::MemberScan scan(object);
  std::size_t missing = node.children.size(), used = 0;
  const auto member = [&](const std::string& name) -> Value& {
    if (used == out.size()) out.emplace_back();
    model::Member& next = out[used++];
    if (next.name != name) next.name = name;
    return next.value;
  };
  bool first = &node == &root_;
  while ((missing > 0 || first) && scan.next()) {
    const auto child = std::ranges::find(node.children, scan.name(), &Node::name);
    if (child != node.children.end()) {
      --missing;
      read_value(scan.value(), *child, member(child->name));
    } else if (first && scan.name() == "_id") {
      member(id_) = model::read_exact(scan.value(), parser_);  // for messages
    }
    first = false;
  }
  out.resize(used);
  return !scan.stopped();
}

void NarrowReader::read_value(std::string_view text, const Node& node, Value& out) {
  // {"$…" is Extended JSON: no object, and holds no members.
  if (node.children.empty() || text[0] != '{' || text.starts_with("{\"$")) {
    out = model::read_exact(text, parser_);
    return;
  }
  if (!out.is_object()) out = model::Object();
  if (!read_members(text, node, out.object())) out = parser_.parse(text);
}

}  // namespace stele::pipeline
