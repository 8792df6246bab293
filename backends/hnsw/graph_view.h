// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Where hnswlib keeps a graph's parts, for walking it without hnswlib. A node on the lowest level is
//
//   uint16 links, 2 bytes unused | uint32 link[2m] | record | uint32 twin, 4 bytes unused
//
// and on each level above, in memory of its own, count and link[m] alike. A row whose record a node has already is no
// node of its own but that node's twin: thousands of equal vectors would link to each other only, and hide what is
// around them. `twin` is 1 + the next row of that chain, 0 at its end.
#pragma once

#include "engine/storage/row_versions.h"

#include <atomic>
#include <cstdint>
#include <cstring>
#include <mutex>

namespace stele::hnsw {

using storage::Row;

inline constexpr std::size_t links_max = 128;  // 2 * the largest m
inline constexpr int level_max = 15;

struct GraphView {
  char* lowest = nullptr;
  std::size_t node_bytes = 0;
  std::size_t record_offset = 0;
  std::size_t twin_offset = 0;
  char* const* upper = nullptr;
  std::size_t upper_bytes = 0;  // a level
  std::mutex* locks = nullptr;  // one a node, for its links

  const char* record(Row row) const { return lowest + row * node_bytes + record_offset; }
  char* links(Row row, int level) const {
    return level == 0 ? lowest + row * node_bytes : upper[row] + static_cast<std::size_t>(level - 1) * upper_bytes;
  }
  std::atomic_ref<Row> twin(Row row) const {
    return std::atomic_ref<Row>(*reinterpret_cast<Row*>(lowest + row * node_bytes + twin_offset));
  }

  /// Calls `visit` for the node and its twins, those below `limit`, until it returns true; whether it did.
  template <class Visit>
  bool any_twin(Row node, Row limit, const Visit& visit) const {
    for (Row next = node + 1; next != 0; next = twin(next - 1).load(std::memory_order_acquire))
      if (next - 1 < limit && visit(next - 1)) return true;
    return false;
  }
};

/// How a list of links is read.
enum class Reading : std::uint8_t {
  alone,   // nobody changes any list, or only this thread
  locked,  // under the node's lock, which an insert holds for some microseconds
};

/// A node's links, in place or copied from under its lock. An inserting thread holds the lock of its new node for all
/// of the insert; searches do not meet that node, whose row they take for one that is not there yet.
template <Reading reading>
class Links {
 public:
  Links(const GraphView& graph, Row row, int level) {
    if constexpr (reading == Reading::alone) {
      look(graph.links(row, level));
    } else {
      const std::lock_guard lock(graph.locks[row]);
      look(graph.links(row, level));
      std::memcpy(copied_, in_place_, count_ * sizeof(Row));
    }
  }

  const Row* begin() const { return reading == Reading::alone ? in_place_ : copied_; }
  const Row* end() const { return begin() + count_; }

 private:
  void look(const char* list) {
    std::uint16_t count;
    std::memcpy(&count, list, sizeof count);
    count_ = count;
    in_place_ = reinterpret_cast<const Row*>(list + sizeof(Row));
  }

  std::size_t count_ = 0;
  const Row* in_place_ = nullptr;
  Row copied_[reading == Reading::alone ? 1 : links_max];
};

}  // namespace stele::hnsw
