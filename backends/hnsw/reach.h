// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backends/hnsw/graph_view.h"

#include <vector>

namespace stele::hnsw {

/// Which rows below `rows` the links of the lowest level lead to; twins count with their node.
class Reach {
 public:
  Reach(const GraphView& graph, Row rows) : graph_(graph), rows_(rows), reached_(rows) {}

  void explore(Row from) {
    mark(from);
    while (!open_.empty()) {
      const Row row = open_.back();
      open_.pop_back();
      const Links<Reading::locked> links(graph_, row, 0);
      for (const Row link : links)
        if (link < rows_ && !reached_[link]) mark(link);
    }
  }

  bool test(Row row) const { return reached_[row]; }
  Row count() const { return count_; }

 private:
  void mark(Row node) {
    graph_.any_twin(node, rows_, [this](Row row) {
      count_ += !reached_[row];
      reached_[row] = true;
      return false;
    });
    open_.push_back(node);
  }

  const GraphView& graph_;
  const Row rows_;
  std::vector<bool> reached_;
  std::vector<Row> open_;
  Row count_ = 0;
};

}  // namespace stele::hnsw
