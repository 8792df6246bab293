// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The keys of a bounded cache on disk, from the least to the most recently used. In memory only: after a reopening it
// begins with the order of the keys. It follows commits; what other transactions have written and not committed counts
// when they commit, so the bounds may be passed by as much as is being written at once.
#pragma once

#include "engine/cache/memory_cache.h"
#include "engine/transaction/reader.h"

#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace stele::cache {

/// What one transaction has written to the cache and not committed: it counts, and does not go to make room.
struct OwnUse {
  std::unordered_map<std::string, std::optional<std::uint64_t>> kept;  // bytes; none: removed
  bool flushed = false;                                                // before all that stands in `kept`
  std::int64_t keys = 0;                                               // more than are committed
  std::int64_t bytes = 0;
};

class UseOrder {  // any thread
 public:
  explicit UseOrder(const Bounds& bounds) : bounds_(bounds) {}

  /// Reads the keys that are there; the first time only. Before the first write of this process, so it misses none.
  void load(transaction::Reader& reader, const std::string& prefix);
  void touch(std::string_view key);
  /// A commit has written the key with a value of so many bytes, or (nullopt) removed it.
  void note(std::string_view key, std::optional<std::uint64_t> value_bytes);
  void clear();

  /// The same of a transaction's writes; no key: it removes all.
  void note(OwnUse& own, const std::optional<std::string>& key, std::optional<std::uint64_t> value_bytes);

  bool fits(std::string_view key, std::size_t value_bytes) const;
  /// Which committed keys have to go for `key` to come in, or, without one, as things are; those of `own` stay. They
  /// count as used now, so that writers at the same time take different ones.
  std::vector<std::string> victims(std::optional<std::string_view> key, std::size_t value_bytes, const OwnUse& own);

 private:
  struct Item {
    std::string key;
    std::uint64_t bytes;
  };
  using Order = std::list<Item>;

  /// Bytes that a key takes, as the transaction sees it; none: it is not there.
  std::optional<std::uint64_t> kept(const OwnUse& own, const std::string& key) const;
  void put(std::string_view key, std::uint64_t value_bytes);
  void remove(Order::iterator item);

  const Bounds bounds_;
  std::mutex mutex_;
  bool loaded_ = false;
  Order order_;
  std::unordered_map<std::string_view, Order::iterator> items_;  // by the item's own key
  std::uint64_t bytes_ = 0;
};

}  // namespace stele::cache
