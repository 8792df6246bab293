// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/events/layout.h"
#include "engine/transaction/reader.h"

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace stele::events {

/// A stream's extent at a reader's moment.
struct Extent {
  std::uint64_t stream = 0;
  std::uint64_t earliest = 0;
  State state;
  std::shared_ptr<const std::vector<Segment>> closed;  // in order; may begin below `earliest` and end above `state`

  std::uint64_t end() const { return state.next; }
  bool empty() const { return earliest >= state.next; }

  /// Calls `visit(const Segment&)` for those with retained events, in the order of offsets.
  template <class Visit>
  void for_each_segment(Visit&& visit) const {
    for (const Segment& segment : *closed) {
      if (segment.first >= state.open.first) break;
      if (segment.end > earliest) visit(segment);
    }
    if (state.open.end > state.open.first && state.open.end > earliest) visit(state.open);
  }
};

/// The closed segments of all streams, which never change, in memory. Any thread.
class Segments {
 public:
  /// Records nothing of the read: events do not change, and retention does not conflict with readers. Who depends on
  /// the end notes the state's key.
  Extent extent(transaction::Reader& reader, std::uint64_t stream);

 private:
  using Known = std::shared_ptr<const std::vector<Segment>>;

  std::mutex mutex_;
  std::unordered_map<std::uint64_t, Known> known_;
};

}  // namespace stele::events
