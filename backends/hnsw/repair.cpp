// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/hnsw/graph.h"
#include "backends/hnsw/reach.h"

#include <utility>

namespace stele::hnsw {

namespace {

std::uint16_t count_of(const char* links) {
  std::uint16_t count;
  std::memcpy(&count, links, sizeof count);
  return count;
}
Row* list_of(char* links) { return reinterpret_cast<Row*>(links + sizeof(Row)); }

/// Appends, or puts in the place of the last, which it then returns; otherwise the row itself.
Row link(const GraphView& graph, Row from, Row to, std::size_t links_at_most) {
  const std::lock_guard lock(graph.locks[from]);
  char* const links = graph.links(from, 0);
  const std::uint16_t count = count_of(links);
  if (count < links_at_most) {
    list_of(links)[count] = to;
    const std::uint16_t more = count + 1;
    std::memcpy(links, &more, sizeof more);
    return to;
  }
  return std::exchange(list_of(links)[count - 1], to);
}

/// A reached row near to `row`.
Row near(const GraphView& graph, const distance::Codec& codec, Entry entry, Row row, const Reach& reach, Row rows) {
  thread_local Seen seen;
  thread_local Nearest beam;
  seen.forget(rows);
  beam.reset(64);
  Walk walk{graph, codec, graph.record(row), rows, seen};
  walk.widen<Reading::alone>(walk.descend<Reading::alone>(entry, 0), 0, beam);
  for (const auto& candidate : beam)
    if (reach.test(candidate.row)) return candidate.row;
  return entry.row;
}

}  // namespace

Row Graph::repair(Row rows) {
  if (entry().level < 0) return 0;
  Reach reach(view_, rows);
  reach.explore(entry().row);
  Row repaired = 0;
  for (Row row = 0; row < rows && reach.count() < rows; ++row) {
    if (reach.test(row)) continue;
    // What the row takes the place of stays reachable through it; nothing that was reached hung on its own links.
    const Row from = near(view_, codec_, entry(), row, reach, rows);
    const Row displaced = link(view_, from, row, lowest_links_);
    if (displaced != row) link(view_, row, displaced, lowest_links_);
    reach.explore(row);
    ++repaired;
  }
  return repaired;
}

}  // namespace stele::hnsw
