// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/storage/key_value.h"

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace stele::transaction {

using storage::Keyspace;

/// Whether a read is checked at commit.
enum class Record : std::uint8_t {
  plain,    // at Isolation::serializable
  binding,  // at every isolation level: catalog, existence of an _id, unique entries, group offsets
  none,     // never (statistics, reads at a snapshot that commits nothing)
};

/// A table name as it stands in read sets and commit records. A collision is a false conflict.
using TableHash = std::uint64_t;

/// What a transaction has read: single keys, key ranges, SQL tables. Too many keys are coarsened to one
/// range a keyspace, which can only add conflicts.
class ReadSet {
 public:
  static constexpr std::size_t points_max = 64 * 1024;
  static constexpr std::size_t bytes_max = 4u << 20;

  struct Range {
    Keyspace keyspace;
    std::string begin;
    std::string end;  // exclusive; empty: no upper bound
    bool binding;
  };

  void add_point(Keyspace keyspace, std::string_view key, Record record);
  /// Adds an empty range at `begin` and returns its index, for extend().
  std::size_t add_range(Keyspace keyspace, std::string_view begin, Record record);
  /// Adds an empty range below `end` (empty: no upper bound) and returns its index, for extend_down().
  std::size_t add_range_down(Keyspace keyspace, std::string_view end, Record record);
  /// The range now reaches down to `key`.
  void extend_down(std::size_t range, std::string_view key);
  /// The range now reaches up to and including `key`.
  void extend(std::size_t range, std::string_view key);
  /// The range now reaches up to `end` (exclusive; empty: no upper bound).
  void extend_to_end(std::size_t range, std::string_view end);
  void add_table(TableHash table) { tables_.insert(table); }

  bool empty() const { return binding_.empty() && plain_.empty() && ranges_.empty() && tables_.empty(); }

  /// True when a write of that key (or range, or table) by somebody else makes what was read stale.
  /// `all` false: only binding reads count.
  bool reads_key(Keyspace keyspace, std::string_view key, bool all) const;
  bool reads_within(Keyspace keyspace, std::string_view begin, std::string_view end, bool all) const;
  bool reads_table(TableHash table) const { return tables_.contains(table); }
  bool reads_tables() const { return !tables_.empty(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
  };
  using Points = std::unordered_set<std::string, Hash, std::equal_to<>>;  // keyspace byte + key

  void coarsen();
  static std::string point(Keyspace keyspace, std::string_view key);

  Points plain_;
  Points binding_;
  std::vector<Range> ranges_;
  std::unordered_set<TableHash> tables_;
  std::size_t bytes_ = 0;
};

}  // namespace stele::transaction
