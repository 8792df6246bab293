// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/events/cursor.h"

#include <vector>

namespace stele::events {

/// Events as their data lie: by segment, key and time. One scan a segment, where the order of offsets costs a lookup an
/// event.
class StoredCursor final : public Cursor {
 public:
  /// `wanted` is without key, filter, limit and places.
  StoredCursor(transaction::Reader& reader, Extent extent, Wanted wanted);

  const Event* next() override;

 private:
  bool begin_segment();
  bool read_key(std::string_view data_key);

  transaction::Reader& reader_;
  const Extent extent_;
  const Wanted wanted_;
  std::vector<Segment> ahead_;  // taken from the back
  std::unique_ptr<transaction::Scan> scan_;
  std::size_t prefix_bytes_ = 0;  // of a data key, before the event's key
  std::string name_;              // the event's key as it stands there
  std::int64_t time_ = 0;
  std::uint64_t offset_ = 0;
  Event event_;
};

}  // namespace stele::events
