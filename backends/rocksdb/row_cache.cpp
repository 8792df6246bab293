// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A shard, by the key's hash, has
//   segments  rows one after the other, each a Row, the key and the value, padded to 8 bytes
//   slots     a hash table of the rows' places, linear probing; a row is in it, or dead
//   written   by the key's hash: the moment of the last write, or on_its_way. What was read before
//             it is not let in, so that a slow reader cannot bring back what a write has replaced.
#include "backends/rocksdb/row_cache.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <mutex>
#include <random>
#include <vector>

namespace stele::rocks {

namespace {

constexpr std::size_t shard_count = 16;
constexpr std::size_t segment_bytes = 64u << 10;
constexpr std::size_t row_bytes_max = segment_bytes / 8;
constexpr std::size_t bytes_a_slot = 256;  // of rows; with shorter ones the table is full before the segments are
constexpr std::size_t write_groups = 256;
constexpr std::uint64_t on_its_way = RowCache::now + 1;

std::size_t power_of_two_from(std::size_t n) {
  std::size_t power = 64;
  while (power < n) power *= 2;
  return power;
}

}  // namespace

struct RowCache::Place {
  Shard& shard;
  std::uint32_t tag;
  std::uint32_t group;
};

class RowCache::Shard {
  struct Row {
    std::uint64_t moment;  // or on_its_way: nobody may see it yet
    std::uint32_t tag;
    std::uint32_t value_size;
    std::uint16_t key_size;
    bool live;
    bool hit;

    std::size_t bytes() const { return (sizeof(Row) + key_size + value_size + 7) / 8 * 8; }
    const char* begin() const { return reinterpret_cast<const char*>(this + 1); }
    std::string_view key() const { return {begin(), key_size}; }
    std::string_view value() const { return {begin() + key_size, value_size}; }
  };
  static_assert(sizeof(Row) % 8 == 0);

  struct Slot {
    std::uint32_t tag = 0;
    std::uint32_t place = 0;  // in units of 8 bytes over all segments, from 1; 0: free
  };

 public:
  void prepare(std::size_t bytes, std::atomic<std::size_t>& all) {
    all_bytes_ = &all;
    slots_max_ = power_of_two_from(bytes / bytes_a_slot);
    segments_max_ = (bytes - slots_max_ * sizeof(Slot)) / segment_bytes;
  }

  bool get(std::uint32_t tag, std::string_view key, std::uint64_t moment, std::string& out) {
    std::lock_guard guard(mutex_);
    const std::size_t at = find(tag, key);
    if (at == none) return false;
    Row& found = row(slots_[at].place);
    if (moment < found.moment) return false;
    found.hit = true;
    out.append(found.value());
    return true;
  }

  void put(const Place& where, std::string_view key, std::string_view value, std::uint64_t moment) {
    std::lock_guard guard(mutex_);
    if (written_[where.group] > moment || find(where.tag, key) != none) return;
    insert(where.tag, key, value, moment);
  }

  void writing(const Place& where, std::string_view key, std::optional<std::string_view> value) {
    std::lock_guard guard(mutex_);
    written_[where.group] = on_its_way;
    erase(where.tag, key);
    if (value) insert(where.tag, key, *value, on_its_way);
  }

  void written(const Place& where, std::string_view key, std::uint64_t moment) {
    std::lock_guard guard(mutex_);
    written_[where.group] = moment;
    const std::size_t at = find(where.tag, key);
    if (at != none) row(slots_[at].place).moment = moment;
  }

  void writing_all() {
    std::lock_guard guard(mutex_);
    written_.fill(on_its_way);
    std::ranges::fill(slots_, Slot());
    rows_ = 0;
    all_bytes_->fetch_sub(segments_.size() * segment_bytes, std::memory_order_relaxed);
    segments_.clear();
    current_ = used_ = 0;
  }

  void written_all(std::uint64_t moment) {
    std::lock_guard guard(mutex_);
    written_.fill(moment);
  }

 private:
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
  struct Segment {
    std::unique_ptr<std::uint64_t[]> bytes;
    std::size_t used = 0;  // of what is not being filled
  };

  Row& row(std::uint32_t place) {
    const std::size_t at = std::size_t{place - 1} * 8;
    return row(at / segment_bytes, at % segment_bytes);
  }
  Row& row(std::size_t segment, std::size_t at) {
    return *reinterpret_cast<Row*>(segments_[segment].bytes.get() + at / 8);
  }
  static std::uint32_t place_of(std::size_t segment, std::size_t at) {
    return static_cast<std::uint32_t>((segment * segment_bytes + at) / 8 + 1);
  }

  // Slots

  std::size_t next(std::size_t slot) const { return (slot + 1) & (slots_.size() - 1); }
  std::size_t home(std::uint32_t tag) const { return tag & (slots_.size() - 1); }

  std::size_t find(std::uint32_t tag, std::string_view key) {
    if (slots_.empty()) return none;
    for (std::size_t at = home(tag); slots_[at].place != 0; at = next(at))
      if (slots_[at].tag == tag && row(slots_[at].place).key() == key) return at;
    return none;
  }

  std::size_t find(std::uint32_t tag, std::uint32_t place) const {
    std::size_t at = home(tag);
    while (slots_[at].place != place) at = next(at);
    return at;
  }

  /// Closes the gap, so that what stands behind it is found from its home on.
  void free(std::size_t gap) {
    for (std::size_t at = next(gap); slots_[at].place != 0; at = next(at)) {
      const std::size_t from_home = (at - home(slots_[at].tag)) & (slots_.size() - 1);
      if (from_home < ((at - gap) & (slots_.size() - 1))) continue;
      slots_[gap] = slots_[at];
      gap = at;
    }
    slots_[gap] = Slot();
    --rows_;
  }

  void erase(std::uint32_t tag, std::string_view key) {
    const std::size_t at = find(tag, key);
    if (at == none) return;
    row(slots_[at].place).live = false;
    free(at);
  }

  // Rows

  void insert(std::uint32_t tag, std::string_view key, std::string_view value, std::uint64_t moment) {
    if (slots_.empty()) {
      slots_.resize(slots_max_);
      all_bytes_->fetch_add(slots_max_ * sizeof(Slot), std::memory_order_relaxed);
    }
    const Row head{moment, tag,  static_cast<std::uint32_t>(value.size()), static_cast<std::uint16_t>(key.size()),
                   true,   false};
    while (segments_.empty() || used_ + head.bytes() > segment_bytes || rows_ >= slots_.size() / 4 * 3) next_segment();
    Row& added = row(current_, used_);
    added = head;
    char* bytes = reinterpret_cast<char*>(&added + 1);
    std::memcpy(bytes, key.data(), key.size());
    std::memcpy(bytes + key.size(), value.data(), value.size());
    std::size_t at = home(tag);
    while (slots_[at].place != 0) at = next(at);
    slots_[at] = {tag, place_of(current_, used_)};
    ++rows_;
    used_ += head.bytes();
  }

  void next_segment() {
    if (!segments_.empty()) segments_[current_].used = used_;
    if (segments_.size() < segments_max_) {
      segments_.push_back({std::make_unique_for_overwrite<std::uint64_t[]>(segment_bytes / 8)});
      all_bytes_->fetch_add(segment_bytes, std::memory_order_relaxed);
      current_ = segments_.size() - 1;
      used_ = 0;
    } else {
      current_ = (current_ + 1) % segments_.size();
      used_ = keep_hit_rows(current_);
    }
  }

  /// Moves them to the segment's begin and returns where they end.
  std::size_t keep_hit_rows(std::size_t segment) {
    std::size_t kept = 0;
    for (std::size_t at = 0; at < segments_[segment].used;) {
      Row& old = row(segment, at);
      const std::size_t bytes = old.bytes();
      if (old.live) {
        const std::size_t slot = find(old.tag, place_of(segment, at));
        if (old.hit && kept + bytes <= segment_bytes / 2) {
          old.hit = false;
          std::memmove(static_cast<void*>(&row(segment, kept)), &old, bytes);
          slots_[slot].place = place_of(segment, kept);
          kept += bytes;
        } else {
          free(slot);
        }
      }
      at += bytes;
    }
    return kept;
  }

  std::mutex mutex_;
  std::vector<Slot> slots_;  // empty until there is a row
  std::size_t slots_max_ = 0;
  std::size_t rows_ = 0;
  std::vector<Segment> segments_;
  std::size_t segments_max_ = 0;
  std::size_t current_ = 0;  // the segment that is being filled; behind it comes the oldest
  std::size_t used_ = 0;     // of it
  std::array<std::uint64_t, write_groups> written_{};
  std::atomic<std::size_t>* all_bytes_ = nullptr;
};

RowCache::RowCache(std::size_t bytes_max)
    : seed_(std::random_device()()) {  // so that nobody chooses ids that meet in one place
  if (bytes_max / shard_count < 4 * segment_bytes) return;
  shards_ = std::make_unique<Shard[]>(shard_count);
  for (std::size_t i = 0; i < shard_count; ++i) shards_[i].prepare(bytes_max / shard_count, bytes_);
}

RowCache::~RowCache() = default;

RowCache::Place RowCache::place(std::string_view key) const {
  const std::uint64_t hash = XXH3_64bits_withSeed(key.data(), key.size(), seed_);
  return {shards_[hash >> 60], static_cast<std::uint32_t>(hash),
          static_cast<std::uint32_t>((hash >> 32) % write_groups)};
}

bool RowCache::get(std::string_view key, std::uint64_t moment, std::string& out) {
  if (!shards_) return false;
  const Place where = place(key);
  return where.shard.get(where.tag, key, moment, out);
}

void RowCache::put(std::string_view key, std::string_view value, std::uint64_t moment) {
  if (!shards_ || key.size() + value.size() > row_bytes_max) return;
  const Place where = place(key);
  where.shard.put(where, key, value, moment);
}

void RowCache::writing(std::string_view key, std::optional<std::string_view> value) {
  if (!shards_) return;
  if (value && key.size() + value->size() > row_bytes_max) value.reset();
  const Place where = place(key);
  where.shard.writing(where, key, value);
}

void RowCache::written(std::string_view key, std::uint64_t moment) {
  if (!shards_) return;
  const Place where = place(key);
  where.shard.written(where, key, moment);
}

void RowCache::writing_all() {
  for (std::size_t i = 0; shards_ && i < shard_count; ++i) shards_[i].writing_all();
}

void RowCache::written_all(std::uint64_t moment) {
  for (std::size_t i = 0; shards_ && i < shard_count; ++i) shards_[i].written_all(moment);
}

}  // namespace stele::rocks
