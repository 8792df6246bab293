// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// One fdatasync for all who wait. A waiter names the log that must be synced for it: an SQL commit is
// durable only through SQLite's log; a key-value commit through RocksDB's log, or through SQLite's once a
// later SQL commit has carried it. The first waiter leads and syncs for everybody.
#pragma once

#include "engine/storage/key_value.h"
#include "engine/storage/relational.h"
#include "engine/transaction/health.h"
#include "engine/transaction/order.h"
#include "engine/transaction/watches.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>

namespace stele::transaction {

enum class Log : std::uint8_t {
  sql,
  either,
  key_value,  // the batch must be in the key-value log itself: to free an outbox slot, or the tail
};

class SyncGroup {
 public:
  SyncGroup(CommitOrder& order, storage::RelationalStore& relational, Health& health, Watches& watches)
      : order_(order), relational_(relational), health_(health), watches_(watches) {}

  void attach(storage::KeyValueStore& key_value) { key_value_ = &key_value; }

  /// After recovery: everything up to `gseq` is durable; the last key-value batch is `key_value`.
  void start_at(std::uint64_t gseq, std::uint64_t key_value);

  /// Returns when the commit is durable. A failed sync poisons the store and throws unknown_outcome.
  void wait(std::uint64_t gseq, Log log);

  /// Returns when every key-value batch made so far is durable in the key-value log itself. Throws `poisoned`.
  void sync_key_value();
  /// The same for SQLite's log.
  void sync_sql();

  /// The append barrier: called by the key-value store before bytes reach any of its files. False: they
  /// must not (the SQL log could not be synced). Any thread, no engine lock needed.
  bool before_append() noexcept;

  std::uint64_t sql_durable() const { return sql_synced_.load(); }
  std::uint64_t key_value_durable() const { return key_value_synced_.load(); }
  /// The last key-value batch known to be in the synced key-value log. Unlike key_value_durable(), which may be the
  /// number of a later commit without such a batch, this is a number that recovery will find there.
  std::uint64_t key_value_floor() const { return key_value_floor_.load(); }
  /// A commit up to which, itself included, all are durable; recovery will find it.
  std::uint64_t durable() const;

  std::uint64_t syncs() const { return syncs_.load(std::memory_order_relaxed); }
  std::uint64_t barrier_syncs() const { return barrier_syncs_.load(std::memory_order_relaxed); }

 private:
  struct Waiter {
    std::uint64_t gseq;
    Log log;
    bool woken = false;
    std::condition_variable wake;
  };

  bool covered(std::uint64_t gseq, Log log) const;
  bool sync_until(std::uint64_t gseq, Log log);
  void lead(std::unique_lock<std::mutex>& guard, Log log);
  void wake_waiters();
  void sync_once();
  void tell_watches() noexcept;
  void sync_sql_log();
  void flush_and_sync_key_value();

  CommitOrder& order_;
  storage::RelationalStore& relational_;
  Health& health_;
  Watches& watches_;
  storage::KeyValueStore* key_value_ = nullptr;

  std::mutex mutex_;
  bool leading_ = false;
  std::list<Waiter*> waiters_;  // oldest first

  std::atomic<std::uint64_t> sql_synced_{0};
  std::atomic<std::uint64_t> key_value_synced_{0};
  std::atomic<std::uint64_t> key_value_floor_{0};
  std::atomic<std::uint64_t> syncs_{0};
  std::atomic<std::uint64_t> barrier_syncs_{0};
};

}  // namespace stele::transaction
