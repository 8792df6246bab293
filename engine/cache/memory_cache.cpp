// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/cache/memory_cache.h"

#include "engine/base/bytes.h"
#include "engine/base/checksum.h"
#include "engine/base/error.h"

#include <algorithm>
#include <utility>

namespace stele::cache {

namespace {
constexpr std::uint64_t around = 160;  // bytes of an item beside key and value
constexpr std::size_t slots = 4096;    // of all shards

std::uint64_t share(std::uint64_t whole, std::size_t shards) {
  return whole == UINT64_MAX ? whole : std::max<std::uint64_t>(whole / shards, 1);
}
}  // namespace

MemoryCache::MemoryCache(const StoreClock& clock, const Bounds& bounds)
    : clock_(clock),
      shard_count_(bounds.keys_max < 100'000 || bounds.bytes_max < (16u << 20) ? 1 : shards_.size()),
      shard_bytes_max_(share(bounds.bytes_max, shard_count_)),
      shard_keys_max_(share(bounds.keys_max, shard_count_)) {
  for (std::size_t i = 0; i < shard_count_; ++i) shards_[i].slots.resize(slots / shard_count_);
}

std::uint64_t MemoryCache::cost(const Item& item) { return item.key.size() + item.entry.value.size() + around; }

MemoryCache::Shard& MemoryCache::shard_of(std::string_view key) {
  return shard_count_ == 1 ? shards_[0] : shards_[(checksum(key) >> 40) % shard_count_];
}

MemoryCache::Slot& MemoryCache::Shard::slot_of(std::string_view key) { return slots[checksum(key) % slots.size()]; }

std::unique_lock<std::mutex> MemoryCache::lock_to_write(Shard& shard, std::string_view key) {
  std::unique_lock lock(shard.mutex);
  const Slot& slot = shard.slot_of(key);
  if (slot.held > 0 && slot.holder == std::this_thread::get_id())
    fail(
        ErrorCode::busy,
        "busy: this thread's Database::write runs alone and has read this key of a memory cache; write the key through "
        "its transaction",
        {{"reason", "same_thread"}});
  shard.let_go.wait(lock, [&] { return slot.held == 0; });
  return lock;
}

void MemoryCache::hold(std::string_view key) {
  Shard& shard = shard_of(key);
  std::lock_guard guard(shard.mutex);
  Slot& slot = shard.slot_of(key);
  ++slot.held;
  slot.holder = std::this_thread::get_id();
}

void MemoryCache::let_go(std::string_view key) {
  Shard& shard = shard_of(key);
  std::lock_guard guard(shard.mutex);
  if (--shard.slot_of(key).held == 0) shard.let_go.notify_all();
}

bool MemoryCache::read(std::string_view key, Entry& entry) {
  std::uint64_t version;
  return read(key, entry, version);
}

bool MemoryCache::read(std::string_view key, Entry& entry, std::uint64_t& version) {
  Shard& shard = shard_of(key);
  std::lock_guard guard(shard.mutex);
  const auto found = shard.items.find(key);
  if (found == shard.items.end()) {
    version = shard.slot_of(key).forgotten;
    return false;
  }
  const Item& item = *found->second;
  version = item.version;
  if (item.entry.expires != never && !item.entry.live(clock_.now_us())) return false;
  shard.order.splice(shard.order.end(), shard.order, found->second);
  entry.value.assign(item.entry.value);
  entry.expires = item.entry.expires;
  return true;
}

std::uint64_t MemoryCache::version(std::string_view key) {
  Shard& shard = shard_of(key);
  std::lock_guard guard(shard.mutex);
  const auto found = shard.items.find(key);
  return found == shard.items.end() ? shard.slot_of(key).forgotten : found->second->version;
}

void MemoryCache::update(std::string_view key, Change change) {
  Shard& shard = shard_of(key);
  const auto lock = lock_to_write(shard, key);
  std::optional<Entry> entry;
  const auto found = shard.items.find(key);
  // Copied: a change that throws, or changes nothing, leaves all as it was.
  if (found != shard.items.end() && found->second->entry.live(clock_.now_us())) entry = found->second->entry;
  if (change(entry)) put(shard, key, std::move(entry));
}

void MemoryCache::write(std::string_view key, std::optional<Entry> entry) {
  Shard& shard = shard_of(key);
  const auto lock = lock_to_write(shard, key);
  put(shard, key, std::move(entry));
}

void MemoryCache::apply(std::string_view key, std::optional<Entry> entry) {
  Shard& shard = shard_of(key);
  std::lock_guard guard(shard.mutex);
  put(shard, key, std::move(entry));
}

void MemoryCache::put(Shard& shard, std::string_view key, std::optional<Entry> entry) {
  const std::uint64_t version = ++shard.changes;
  const auto found = shard.items.find(key);
  if (!entry) {
    if (found != shard.items.end()) remove(shard, found->second);
    return;
  }
  Order::iterator item;
  if (found != shard.items.end()) {
    item = found->second;
    shard.bytes -= cost(*item);
    item->entry = std::move(*entry);
    item->version = version;
    shard.order.splice(shard.order.end(), shard.order, item);
  } else {
    shard.order.push_back({std::string(key), std::move(*entry), version});
    item = std::prev(shard.order.end());
    shard.items.emplace(item->key, item);
  }
  shard.bytes += cost(*item);
  while ((shard.bytes > shard_bytes_max_ || shard.items.size() > shard_keys_max_) && !shard.order.empty())
    remove(shard, shard.order.begin());
}

void MemoryCache::remove(Shard& shard, Order::iterator item) {
  shard.slot_of(item->key).forgotten = ++shard.changes;
  shard.bytes -= cost(*item);
  shard.items.erase(item->key);
  shard.order.erase(item);
}

/// A shard at a time: its number is the cursor.
std::string MemoryCache::scan(std::string_view cursor, std::size_t count, std::vector<std::string>& keys) {
  std::uint32_t at = 0;
  ByteReader(cursor).fixed(at);
  for (; at < shard_count_ && keys.size() < count; ++at) {
    Shard& shard = shards_[at];
    std::lock_guard guard(shard.mutex);
    const std::int64_t now = clock_.now_us();
    for (const Item& item : shard.order)
      if (item.entry.live(now)) keys.push_back(item.key);
  }
  std::string next;
  if (at < shard_count_) append_fixed(next, at);
  return next;
}

void MemoryCache::flush() {
  for (Shard& shard : shards_) {
    std::lock_guard guard(shard.mutex);
    ++shard.changes;
    for (Slot& slot : shard.slots) slot.forgotten = shard.changes;
    shard.items.clear();
    shard.order.clear();
    shard.bytes = 0;
  }
}

void MemoryCache::sweep() {
  for (Shard& shard : shards_) {
    std::lock_guard guard(shard.mutex);
    const std::int64_t now = clock_.now_us();
    for (auto item = shard.order.begin(); item != shard.order.end();) {
      const auto next = std::next(item);
      if (!item->entry.live(now)) remove(shard, item);
      item = next;
    }
  }
}

std::uint64_t MemoryCache::keys() {
  std::uint64_t keys = 0;
  for (Shard& shard : shards_) {
    std::lock_guard guard(shard.mutex);
    keys += shard.items.size();
  }
  return keys;
}

}  // namespace stele::cache
