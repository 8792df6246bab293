// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A cache in memory: hash tables by a part of the keys' hash, each with its lock and its list from the least to the
// most recently used. One table when its bounds are small, so that then the order of use is exact.
#pragma once

#include "engine/base/clock.h"
#include "engine/cache/table.h"

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace stele::cache {

struct Bounds {
  std::uint64_t bytes_max = UINT64_MAX;
  std::uint64_t keys_max = UINT64_MAX;
};

class MemoryCache final : public Table {
 public:
  MemoryCache(const StoreClock& clock, const Bounds& bounds);

  // Any thread.
  std::int64_t now() override { return clock_.now_us(); }
  bool read(std::string_view key, Entry& entry) override;
  void update(std::string_view key, Change change) override;
  void write(std::string_view key, std::optional<Entry> entry) override;
  std::string scan(std::string_view cursor, std::size_t count, std::vector<std::string>& keys) override;
  void flush() override;

  /// The same as read, with the number of the key's last change (0: never, or long ago) for write().
  bool read(std::string_view key, Entry& entry, std::uint64_t& version);
  std::uint64_t version(std::string_view key);

  /// Gives the space of expired keys back.
  void sweep();
  std::uint64_t keys();

 private:
  struct Item {
    std::string key;
    Entry entry;
    std::uint64_t version;
  };
  using Order = std::list<Item>;  // least recently used first
  struct Shard {
    std::mutex mutex;
    Order order;
    std::unordered_map<std::string_view, Order::iterator> items;  // by the item's own key
    std::uint64_t bytes = 0;
    std::uint64_t changes = 0;    // counts
    std::uint64_t forgotten = 0;  // the version of keys that are not there
  };

  static std::uint64_t cost(const Item& item);
  Shard& shard_of(std::string_view key);
  void put(Shard& shard, std::string_view key, std::optional<Entry> entry);
  void remove(Shard& shard, Order::iterator item);

  const StoreClock& clock_;
  const std::size_t shard_count_;
  const std::uint64_t shard_bytes_max_;
  const std::uint64_t shard_keys_max_;
  std::array<Shard, 32> shards_;
};

}  // namespace stele::cache
