// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Rows of a fixed size that never move: row r lives in segment s of 1024 * 2^s rows. Zeros until written, and memory is
// taken only by pages that were touched. One thread at a time grows; readers need nothing but to have heard of the
// row from whoever wrote it.
#pragma once

#include "engine/base/files.h"

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>

namespace stele::storage {

class Segments {
 public:
  /// In memory.
  explicit Segments(std::size_t row_bytes) : row_bytes_(row_bytes) {}
  /// Over a file, row r at r * row_bytes; made when absent. The file is as long as its segments, so mostly a hole at
  /// its end. `row_bytes` is a multiple of 4.
  Segments(std::size_t row_bytes, const std::string& path);
  Segments(const Segments&) = delete;
  ~Segments();

  std::size_t row_bytes() const { return row_bytes_; }

  /// Makes room for rows below `count`. Throws `full` or `io`, and then has the room it had.
  void reserve(std::uint64_t count);
  std::uint64_t capacity() const {
    return (std::uint64_t{1} << (first_bits + made_)) - (std::uint64_t{1} << first_bits);
  }

  char* row(std::uint32_t row) const {
    const std::uint64_t shifted = std::uint64_t{row} + (1u << first_bits);
    const int segment = std::bit_width(shifted) - 1 - first_bits;
    return segments_[segment].load(std::memory_order_relaxed) +
           (shifted - (std::uint64_t{1} << (segment + first_bits))) * row_bytes_;
  }

  /// Puts row_bytes bytes there. Into a file by a write, not through the mapping: a full disk is then an error and not
  /// a signal.
  void write(std::uint32_t row, const void* bytes);

  /// Makes what was written into the file durable. No-op in memory.
  void sync();

 private:
  static constexpr int first_bits = 10;
  static constexpr int segments_max = 23;  // 2^33 rows

  std::size_t bytes_of(int segment) const { return row_bytes_ << (segment + first_bits); }

  const std::size_t row_bytes_;
  std::string path_;
  File file_;
  std::array<std::atomic<char*>, segments_max> segments_{};
  int made_ = 0;
};

}  // namespace stele::storage
