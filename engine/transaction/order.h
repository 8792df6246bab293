// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The one total order of commits: the state that a commit changes while it holds the order lock,
// and the few numbers that readers follow without it.
//
// Lock order: WriterLock (SQL writers) before CommitOrder::lock before everything inside a
// backend. Nobody holds `lock` while waiting for a sync of a commit group.
#pragma once

#include "engine/storage/batch.h"
#include "engine/transaction/outbox.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace stele::transaction {

/// The newest values of keys that only late writes write, in memory. Keys begin with the keyspace's byte.
class LateStates {
 public:
  static constexpr std::size_t bytes_max = 16u << 20;

  const std::string* find(std::string_view key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? nullptr : &found->second;
  }
  void clear() {
    values_.clear();
    bytes_ = 0;
  }
  void set(std::string key, std::string value) {
    if (bytes_ > bytes_max) clear();  // what is still in use comes back
    const auto [entry, fresh] = values_.try_emplace(std::move(key));
    bytes_ += value.size() + (fresh ? entry->first.size() + 64 : 0) - entry->second.size();
    entry->second = std::move(value);
  }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, std::string, Hash, std::equal_to<>> values_;
  std::size_t bytes_ = 0;
};

/// A key-value commit that is neither durable in the key-value log nor carried by an SQL commit.
struct TailEntry {
  std::uint64_t gseq;
  std::uint64_t previous_sql;        // the last SQL commit before it
  std::uint64_t previous_key_value;  // the last commit with a key-value batch before it
  storage::Batch batch;              // with its marker
};

struct CommitOrder {
  static constexpr std::size_t ring_slots = 256;  // 1..256; slot 0 is for rows without entries

  Origin origin{};  // the store's, set at open; in every outbox row

  std::mutex lock;

  // Guarded by `lock`.
  std::uint64_t gseq = 0;            // last number given
  std::uint64_t last_key_value = 0;  // last commit with a key-value batch
  std::uint64_t last_sql = 0;        // last commit in SQLite's log
  std::deque<TailEntry> tail;
  std::uint64_t ring_next = 0;       // rows with entries written so far; its slot is next % ring_slots + 1
  std::array<std::uint64_t, ring_slots + 1> ring_last{};  // per slot: gseq of its row's last entry
  /// Values of keys that only late writes write, as of the last commit: those used of late, each once read or written.
  LateStates late_states;

  // Seqlock: odd while a commit is becoming visible in its tiers.
  std::atomic<std::uint64_t> publication{0};
  // Written inside a publication (odd), so exact when read under an unchanged even value.
  std::atomic<std::uint64_t> published{0};      // last commit visible
  std::atomic<std::uint64_t> published_sql{0};  // last one that wrote SQL
  std::atomic<std::uint64_t> meta_changed{0};   // last one that changed keyspace meta
  std::atomic<bool> torn{false};                // a commit failed in the middle: the tiers do not fit together any more

  // Set after COMMIT and before the key-value write, so that the append barrier sees it: bytes of
  // a commit <= sql_logged may be on their way to the key-value files.
  std::atomic<std::uint64_t> sql_logged{0};
  std::atomic<std::size_t> tail_bytes{0};

  /// Drops the tail's entries that the key-value log holds durably. Under `lock`.
  void trim_tail(std::uint64_t durable) {
    while (!tail.empty() && tail.front().gseq <= durable) {
      tail_bytes -= tail.front().batch.bytes();
      tail.pop_front();
    }
  }

  /// Next ring slot, and the gseq that the key-value log must hold durably before it is overwritten.
  std::size_t next_slot() const { return static_cast<std::size_t>(ring_next % ring_slots) + 1; }
};

/// Makes a commit visible as a whole: readers retry while it is open. Holder of the order lock only.
class Publication {
 public:
  explicit Publication(CommitOrder& order) : order_(order) { order_.publication.fetch_add(1); }
  ~Publication() { order_.publication.fetch_add(1); }
  Publication(const Publication&) = delete;
  Publication& operator=(const Publication&) = delete;

 private:
  CommitOrder& order_;
};

}  // namespace stele::transaction
