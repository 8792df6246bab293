// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Walking the graph towards a record: greedily down the levels, then with a beam on one of them. The beam is
// searchBaseLayer of the paper with one sorted array in place of two heaps, and with links gathered and asked for from
// memory before their distances are computed; both together are worth a third of hnswlib's time.
#pragma once

#include "backends/hnsw/graph_view.h"
#include "engine/distance/codec.h"
#include "engine/storage/nearest.h"
#include "engine/storage/row_scan.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace stele::hnsw {

using storage::Nearest;

/// The rows a walk has seen. One a thread: forgetting costs nothing.
class Seen {
 public:
  void forget(std::size_t rows) {
    if (marks_.size() < rows) {
      marks_.assign(rows + rows / 4, 0);
      mark_ = 0;
    }
    if (++mark_ == 0) {
      std::fill(marks_.begin(), marks_.end(), std::uint16_t{0});
      mark_ = 1;
    }
  }
  bool test(Row row) const { return marks_[row] == mark_; }
  void set(Row row) { marks_[row] = mark_; }
  /// Whether it was not there.
  bool add(Row row) {
    const bool fresh = marks_[row] != mark_;
    marks_[row] = mark_;
    return fresh;
  }
  void prefetch(Row row) const { __builtin_prefetch(marks_.data() + row); }

 private:
  std::vector<std::uint16_t> marks_;
  std::uint16_t mark_ = 0;
};

/// Where a walk begins.
struct Entry {
  Row row = 0;
  int level = -1;  // -1: the graph is empty
};

struct Walk {
  const GraphView& graph;
  const distance::Codec& codec;
  const char* target;  // a record
  Row limit;           // rows from here on are not there yet
  Seen& seen;
  std::uint64_t visited = 0;

  float distance(Row row) {
    ++visited;
    return codec.distance(target, graph.record(row));
  }
  void prefetch(Row row) const { storage::prefetch(graph.record(row), codec.record_bytes()); }

  /// The distances of rows[0, count), each with its record asked for some rows ahead.
  template <class Take>
  void measure(const Row* rows, std::size_t count, const Take& take) {
    constexpr std::size_t ahead = 3;
    for (std::size_t i = 0; i < std::min(count, ahead); ++i) prefetch(rows[i]);
    for (std::size_t i = 0; i < count; ++i) {
      if (i + ahead < count) prefetch(rows[i + ahead]);
      take(distance(rows[i]), rows[i]);
    }
  }

  /// The nearest row that going from neighbour to nearer neighbour reaches on the levels above `level`.
  template <Reading reading>
  Nearest::Entry descend(Entry entry, int level) {
    Nearest::Entry best{distance(entry.row), entry.row};
    for (int at = entry.level; at > level; --at) {
      for (bool nearer = true; nearer;) {
        nearer = false;
        const Links<reading> links(graph, best.row, at);
        for (const Row row : links)
          if (row < limit) prefetch(row);
        for (const Row row : links) {
          if (row >= limit) continue;
          const float d = distance(row);
          if (d >= best.distance) continue;
          best = {d, row};
          nearer = true;
        }
      }
    }
    return best;
  }

  /// Links of `row` that were not seen yet, which now are.
  template <Reading reading>
  std::size_t unseen(Row row, int level, Row* out) {
    const Links<reading> links(graph, row, level);
    for (const Row link : links)
      if (link < limit) seen.prefetch(link);
    std::size_t count = 0;
    for (const Row link : links) {
      out[count] = link;
      count += link < limit && seen.add(link);
    }
    return count;
  }

  /// Fills `beam`, whose capacity is ef, with the rows nearest to the target on that level.
  template <Reading reading>
  void widen(Nearest::Entry start, int level, Nearest& beam) {
    seen.set(start.row);
    beam.insert(start.distance, start.row);
    Row fresh[links_max + 1];
    for (std::size_t at = 0; at < beam.size();) {
      if (beam[at].row & expanded) {
        ++at;
        continue;
      }
      const Row row = beam[at].row;
      beam[at].row |= expanded;
      std::size_t first = beam.size();  // the nearest place that was taken by a new row
      measure(fresh, unseen<reading>(row, level, fresh), [&](float d, Row candidate) {
        if (!beam.takes(d)) return;
        __builtin_prefetch(graph.lowest + candidate * graph.node_bytes);
        first = std::min(first, beam.insert(d, candidate));
      });
      at = first <= at ? first : at + 1;
    }
    for (std::size_t i = 0; i < beam.size(); ++i) beam[i].row &= ~expanded;
  }

 private:
  static constexpr Row expanded = 0x8000'0000;  // rows are fewer than 2^31
};

}  // namespace stele::hnsw
