// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace stele::rocks {

/// Values of single keys in memory, each right at the moment it was read or written at and at every later one: whoever
/// writes a key says so before the write can be seen (writing), and again when it can be (written). In between, and for
/// readers at earlier moments, there is nothing. Moments are RocksDB's sequence numbers. Any thread; one writes at a
/// time.
///
/// Rows stand one after the other in segments. Of the oldest segment, when room is needed, the rows that were read
/// since they came stay, up to half of it.
class RowCache {
 public:
  /// Holds at most `bytes_max`; too little for a few rows is none.
  explicit RowCache(std::size_t bytes_max);
  ~RowCache();
  RowCache(const RowCache&) = delete;

  static constexpr std::uint64_t now = ~std::uint64_t{0} - 1;  // later than every moment

  /// Appends the value to `out`.
  bool get(std::string_view key, std::uint64_t moment, std::string& out);
  /// What get() at this moment has read from the store.
  void put(std::string_view key, std::string_view value, std::uint64_t moment);

  /// `value` empty: the key is erased. Of several writes of a key in a batch the last one counts.
  void writing(std::string_view key, std::optional<std::string_view> value);
  void written(std::string_view key, std::uint64_t moment);
  /// Of all keys; none of them stays.
  void writing_all();
  void written_all(std::uint64_t moment);

  std::size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  class Shard;
  struct Place;
  Place place(std::string_view key) const;

  const std::uint64_t seed_;
  std::atomic<std::size_t> bytes_{0};
  std::unique_ptr<Shard[]> shards_;  // null: holds nothing
};

}  // namespace stele::rocks
