// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/events/segments.h"
#include "engine/model/filter.h"
#include "engine/transaction/transaction.h"

#include <stele/events.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stele::events {

/// A query, with its filter compiled and its defaults filled in.
struct Wanted {
  std::uint64_t from = 0;
  std::optional<std::uint64_t> to;
  std::optional<std::int64_t> from_time;
  std::optional<std::int64_t> to_time;
  std::optional<std::string> key;
  std::optional<model::Filter> filter;
  bool backward = false;
  bool in_any_order = false;  // as they are read fastest; forward, without key, limit and places
  bool data = true;  // false: events come without, where that saves reading it; for reads by offset without filter
  std::uint64_t limit = UINT64_MAX;
  /// By hash of their keys, from where on events are wanted; nullopt: none of them. Empty: all. For reads by offset.
  std::vector<std::optional<std::uint64_t>> places;
  std::uint64_t gseq_max = UINT64_MAX;  // ends before the first event of a later commit; for reads by offset, forward

  bool admits_time(std::int64_t time) const {
    return (!from_time || time >= *from_time) && (!to_time || time < *to_time);
  }
  bool admits(const Segment& segment) const;
  bool admits_place(std::uint64_t offset, std::string_view event_key) const;
};

/// Events that are wanted, in their order. The reader must live as long.
class Cursor {
 public:
  virtual ~Cursor() = default;
  /// Valid until the next call; null after the last.
  virtual const Event* next() = 0;
};

/// `own`: the transaction whose own appends are read, too, as far as they were made before this statement.
/// `scanned` (of reads by offset, forward) is kept at the offset behind the last event looked at, wanted or not.
std::unique_ptr<Cursor> open_cursor(transaction::Reader& reader, const transaction::Transaction* own, Extent extent,
                                    Wanted wanted, std::uint64_t* scanned = nullptr);

}  // namespace stele::events
