// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// When each row of a vector index is seen: from sequence number `begin` on, and from `end` on no more. Rows are never
// changed or used again; a replaced vector is an ended row and a new one. One thread at a time writes, any number read.
// A reader at a sequence number finds it right once everything up to that number was entered.
#pragma once

#include "engine/storage/segments.h"

#include <atomic>
#include <cstdint>
#include <limits>

namespace stele::storage {

using Row = std::uint32_t;
using Sequence = std::uint64_t;
inline constexpr Sequence newest = std::numeric_limits<Sequence>::max() - 1;  // every row that has not ended

class RowVersions {
 public:
  RowVersions() : segments_(sizeof(Span)) {}

  /// The next row, seen from `begin` on. Throws `full`.
  Row add(Sequence begin) {
    const Row row = count_.load(std::memory_order_relaxed);
    segments_.reserve(std::uint64_t{row} + 1);
    span(row).begin.store(begin, std::memory_order_relaxed);
    span(row).end.store(never, std::memory_order_relaxed);
    if (begin > newest_begin_.load(std::memory_order_relaxed)) newest_begin_.store(begin, std::memory_order_relaxed);
    count_.store(row + 1, std::memory_order_release);
    return row;
  }

  /// Not seen from `end` on. Ending it a second time keeps the earlier end.
  void end(Row row, Sequence end) {
    if (span(row).end.load(std::memory_order_relaxed) == never) ended_.fetch_add(1, std::memory_order_relaxed);
    if (end < span(row).end.load(std::memory_order_relaxed)) span(row).end.store(end, std::memory_order_release);
  }

  bool visible(Row row, Sequence at) const {
    const Span& s = span(row);
    return s.begin.load(std::memory_order_relaxed) <= at && at < s.end.load(std::memory_order_acquire);
  }
  /// True only when every row is seen at that number; cheap.
  bool all_visible(Sequence at) const {
    return ended_.load(std::memory_order_acquire) == 0 && newest_begin_.load(std::memory_order_relaxed) <= at;
  }

  std::uint32_t count() const { return count_.load(std::memory_order_acquire); }
  std::uint32_t ended() const { return ended_.load(std::memory_order_relaxed); }
  Sequence begin_of(Row row) const { return span(row).begin.load(std::memory_order_relaxed); }
  Sequence end_of(Row row) const { return span(row).end.load(std::memory_order_acquire); }

  static constexpr Sequence never = std::numeric_limits<Sequence>::max();  // the end of a row that has none

 private:
  struct Span {
    std::atomic<Sequence> begin;
    std::atomic<Sequence> end;
  };
  Span& span(Row row) const { return *reinterpret_cast<Span*>(segments_.row(row)); }

  Segments segments_;
  std::atomic<std::uint32_t> count_{0};
  std::atomic<std::uint32_t> ended_{0};
  std::atomic<Sequence> newest_begin_{0};
};

}  // namespace stele::storage
