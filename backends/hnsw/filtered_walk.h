// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Beams that keep allowed rows only. Both give up, returning false, once they have computed more distances than there
// are allowed rows: reading all of those is then the cheaper way, and a sure one. (Lucene stops its graph searches so,
// too.)
#pragma once

#include "backends/hnsw/walk.h"

#include <algorithm>
#include <vector>

namespace stele::hnsw {

/// Which rows may be found.
struct Allowed {
  const std::uint64_t* bits = nullptr;             // null: all
  const storage::RowVersions* versions = nullptr;  // null: all are seen
  storage::Sequence at = 0;
  std::uint64_t count = 0;  // about

  bool operator()(Row row) const {
    return (!bits || (bits[row / 64] >> row % 64 & 1)) && (!versions || versions->visible(row, at));
  }
};

template <Reading reading>
class FilteredWalk {
 public:
  FilteredWalk(Walk& walk, const Allowed& allowed, Nearest& beam) : walk_(walk), allowed_(allowed), beam_(beam) {}

  /// Through disallowed rows, too.
  bool in_traversal(Nearest::Entry start) {
    begin(start);
    Row fresh[links_max + 1];
    for (Nearest::Entry next; pop(next);) {
      walk_.measure(fresh, walk_.unseen<reading>(next.row, 0, fresh), [&](float d, Row row) {
        if (!beam_.takes(d)) return;
        push(d, row);
        if (admits(row)) beam_.insert(d, row);
      });
      if (walk_.visited > allowed_.count) return false;
    }
    return true;
  }

  /// From allowed row to allowed row, where the links of a disallowed one count as links of its neighbour: ACORN-1
  /// (arXiv 2403.04871), with what one row contributes bounded.
  bool two_hop(Nearest::Entry start) {
    begin(start);
    for (Nearest::Entry next; pop(next);) {
      gather(next.row);
      walk_.measure(rows_.data(), rows_.size(), [&](float d, Row row) {
        if (!beam_.takes(d)) return;
        push(d, row);
        beam_.insert(d, row);
      });
      if (walk_.visited > allowed_.count) return false;
    }
    return true;
  }

 private:
  static constexpr std::size_t gathered_max = 64;

  bool admits(Row node) const { return walk_.graph.any_twin(node, walk_.limit, allowed_); }

  static bool farther(const Nearest::Entry& a, const Nearest::Entry& b) { return a.distance > b.distance; }

  void begin(Nearest::Entry start) {
    open_.assign(1, start);
    walk_.seen.set(start.row);
    if (admits(start.row)) beam_.insert(start.distance, start.row);
  }
  void push(float distance, Row row) {
    open_.push_back({distance, row});
    std::push_heap(open_.begin(), open_.end(), farther);
    __builtin_prefetch(walk_.graph.lowest + row * walk_.graph.node_bytes);
  }
  /// False when what is open is farther than all that was found.
  bool pop(Nearest::Entry& next) {
    if (open_.empty() || !beam_.takes(open_.front().distance)) return false;
    next = open_.front();
    std::pop_heap(open_.begin(), open_.end(), farther);
    open_.pop_back();
    return true;
  }

  void gather(Row row) {
    rows_.clear();
    Row fresh[links_max + 1];
    const std::size_t count = walk_.unseen<reading>(row, 0, fresh);
    std::size_t closed = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (admits(fresh[i])) {
        rows_.push_back(fresh[i]);
      } else {
        __builtin_prefetch(walk_.graph.lowest + fresh[i] * walk_.graph.node_bytes);
        fresh[closed++] = fresh[i];
      }
    }
    for (std::size_t i = 0; i < closed && rows_.size() < gathered_max; ++i) {
      const Links<reading> links(walk_.graph, fresh[i], 0);
      for (const Row link : links)
        if (link < walk_.limit && admits(link) && walk_.seen.add(link)) rows_.push_back(link);
    }
  }

  Walk& walk_;
  const Allowed& allowed_;
  Nearest& beam_;
  std::vector<Nearest::Entry> open_;  // a heap, the nearest first
  std::vector<Row> rows_;
};

}  // namespace stele::hnsw
