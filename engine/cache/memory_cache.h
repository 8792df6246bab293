// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A cache in memory: hash tables by a part of the keys' hash, each with its lock and its list from the least to the
// most recently used. One table when its bounds are small, so that then the order of use is exact.
//
// Every change of a key has a number, its version; so a transaction that commits can tell whether what it read is still
// there. Versions of keys that are not there are kept by a part of their hash, so one may seem changed that is not.
// From that look to the end of the commit the key is held: who writes it outside a transaction waits.
#pragma once

#include "engine/base/clock.h"
#include "engine/cache/table.h"

#include <array>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
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

  // Any thread. Writes wait while the key is held, but for apply() and flush().
  std::int64_t now() override { return clock_.now_us(); }
  bool read(std::string_view key, Entry& entry) override;
  void update(std::string_view key, Change change) override;
  void write(std::string_view key, std::optional<Entry> entry) override;
  std::string scan(std::string_view cursor, std::size_t count, std::vector<std::string>& keys) override;
  void flush() override;

  /// The same as read, with the key's version.
  bool read(std::string_view key, Entry& entry, std::uint64_t& version);
  std::uint64_t version(std::string_view key);
  /// A commit's write.
  void apply(std::string_view key, std::optional<Entry> entry);
  void hold(std::string_view key);
  void let_go(std::string_view key);  // as often as it was held

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
  struct Slot {                   // of keys by a part of their hash
    std::uint64_t forgotten = 0;  // the version of those that are not there
    std::uint32_t held = 0;
    std::thread::id holder;  // the last
  };
  struct Shard {
    std::mutex mutex;
    std::condition_variable let_go;
    std::vector<Slot> slots;
    Order order;
    std::unordered_map<std::string_view, Order::iterator> items;  // by the item's own key
    std::uint64_t bytes = 0;
    std::uint64_t changes = 0;  // counts

    Slot& slot_of(std::string_view key);
  };

  static std::uint64_t cost(const Item& item);
  Shard& shard_of(std::string_view key);
  std::unique_lock<std::mutex> lock_to_write(Shard& shard, std::string_view key);
  void put(Shard& shard, std::string_view key, std::optional<Entry> entry);
  void remove(Shard& shard, Order::iterator item);

  const StoreClock& clock_;
  const std::size_t shard_count_;
  const std::uint64_t shard_bytes_max_;
  const std::uint64_t shard_keys_max_;
  std::array<Shard, 32> shards_;
};

}  // namespace stele::cache
