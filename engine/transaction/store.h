// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// An open store: the two engines, the commit order and everything that works on it, tied together. The tiers
// and the facade see this class and Transaction.
#pragma once

#include "engine/base/clock.h"
#include "engine/storage/key_value.h"
#include "engine/storage/relational.h"
#include "engine/transaction/background.h"
#include "engine/transaction/committer.h"
#include "engine/transaction/directory.h"
#include "engine/transaction/durable_floor.h"
#include "engine/transaction/follower.h"
#include "engine/transaction/health.h"
#include "engine/transaction/order.h"
#include "engine/transaction/reader.h"
#include "engine/transaction/recent_commits.h"
#include "engine/transaction/recovery.h"
#include "engine/transaction/snapshot_gate.h"
#include "engine/transaction/sql_cursor.h"
#include "engine/transaction/sync_group.h"
#include "engine/transaction/transaction.h"
#include "engine/transaction/use.h"
#include "engine/transaction/writer_lock.h"

#include <stele/options.h>

#include <functional>
#include <list>
#include <memory>
#include <set>
#include <string>

namespace stele::transaction {

/// Settings that only tests change.
struct Tuning {
  std::size_t write_buffer_bytes = 0;       // of the key-value store; 0: its default
  std::size_t log_buffer_bytes = 0;
  std::uint64_t checkpoint_bytes = 4u << 20;  // SQLite's log is checkpointed each time it grows by so much
  std::uint64_t restart_bytes = 8u << 20;   // beyond it, the checkpoint is finished with writers held off
  std::size_t large_bytes = 256u << 10;
  bool in_memory = false;  // the directory is in memory and goes with the store: no durable log is asked for
  int alone_after = 8;  // attempts of db.write before it runs alone
};

class Store : public std::enable_shared_from_this<Store> {
 public:
  /// Opens or creates; recovery included. See recovery.h and directory.h for what is refused.
  static std::shared_ptr<Store> open(const std::string& directory, const Options& options, const Tuning& tuning = {});
  ~Store();

  std::shared_ptr<Transaction> begin(const WriteOptions& options);
  std::shared_ptr<Transaction> snapshot(const ReadOptions& options);

  /// Begins, runs `body`, commits; after a conflict again. `lock_first` is the caller's memory of whether this body
  /// should take the SQL writer lock at begin (> 0: for so many more runs).
  void write(const WriteOptions& options, std::atomic<int>& lock_first,
             const std::function<void(const std::shared_ptr<Transaction>&)>& body);

  /// One statement, its own transaction. A SELECT reads SQLite alone and takes no snapshot of the other tiers.
  std::shared_ptr<SqlCursor> sql(std::string_view text, const Parameters& parameters, const WriteOptions& options = {});

  /// Reads the newest state of the key-value tier: each call by itself, or all calls at one moment.
  std::unique_ptr<Reader> latest(bool one_moment = false, const Interrupt& interrupt = Interrupt());

  void sync_now();
  void wait_durable(std::uint64_t gseq);
  void compact();
  /// `busy` while transactions are open. After it, and in a forked child, every call throws `closed`.
  void close();
  void check_open() const;
  Gatekeeper& gatekeeper() { return gatekeeper_; }
  /// For ReadPin: it goes.
  void pin_ended(ReadPin& pin) noexcept;
  /// In a forked child: nothing may be touched, not even to free it.
  bool forked() const;

  const Options& options() const { return options_; }
  const Directory& directory() const { return *directory_; }
  storage::KeyValueStore& key_value() { return *key_value_; }
  storage::RelationalStore& relational() { return *relational_; }
  const Recovered& recovered() const { return recovered_; }
  const StoreClock& clock() const { return *clock_; }
  Health& health() { return health_; }
  CommitOrder& order() { return order_; }
  SyncGroup& sync_group() { return *sync_; }
  SnapshotGate& gate() { return *gate_; }
  Committer& committer() { return *committer_; }
  RecentCommits& recent() { return recent_; }
  Watches& watches() { return watches_; }
  /// Of vectors; set once, before the first transaction. Null: nobody keeps anything derived from them.
  void set_follower(std::shared_ptr<Follower> follower) { follower_ = std::move(follower); }
  const std::shared_ptr<Follower>& follower() const { return follower_; }
  std::uint64_t foreign_commits() const { return foreign_commits_.load(std::memory_order_relaxed); }


 private:
  friend class Transaction;
  friend class Background;

  Store(const Options& options, const Tuning& tuning) : options_(options), tuning_(tuning) {}
  void open_tiers();
  void create_tiers();
  storage::KeyValueOptions key_value_options(bool create);
  storage::RelationalOptions relational_options(bool create) const;
  void start();
  void shut_down();
  void move_log();

  // For Transaction.
  std::uint64_t enter();                       // registers an open transaction at the present moment
  void move(std::uint64_t& registered, std::uint64_t gseq);
  void leave(std::uint64_t registered) noexcept;
  std::shared_ptr<ReadPin> read_pin();
  void register_pin(ReadPin& pin);
  void note_foreign_commit();                  // the write transaction has just begun
  void after_commit(const Committer::Committed& committed);

  /// A connection for a SELECT outside a transaction. It stays in its read transaction between such SELECTs, so that
  /// a run of them does not pay SQLite's file locks each time; it is pinned anew after any commit that wrote SQL,
  /// and after `warm_for` (commits by other programs), and given up at checkpoints.
  std::shared_ptr<ReadPin> warm_reader();
  void give_back_warm(ReadPin& pin);
  void release_warm_readers();

  /// `full` when SQLite's log is at twice its bound, because another program's reader keeps it.
  void check_log_bound(const Interrupt& interrupt);

  bool lock_alone(const Transaction::Begin& begin, bool wrote_sql);

  // For Background.
  void expire_oldest_snapshot();

  Options options_;
  Tuning tuning_;
  std::unique_ptr<Directory> directory_;
  std::unique_ptr<storage::RelationalStore> relational_;
  std::unique_ptr<storage::KeyValueStore> key_value_;
  Health health_;
  CommitOrder order_;
  Watches watches_;
  std::shared_ptr<Follower> follower_;
  RecentCommits recent_;
  WriterLock writer_lock_;
  std::unique_ptr<SyncGroup> sync_;
  std::unique_ptr<SnapshotGate> gate_;
  std::unique_ptr<LargeFiles> large_;
  std::unique_ptr<Committer> committer_;
  std::unique_ptr<DurableFloor> floor_;
  std::unique_ptr<StoreClock> clock_;
  Recovered recovered_;

  std::mutex open_mutex_;
  std::multiset<std::uint64_t> open_;          // moments of open transactions
  std::mutex pins_mutex_;
  std::vector<ReadPin*> pins_;  // oldest first; each takes itself out
  struct WarmReader {
    std::shared_ptr<storage::Connection> connection;
    std::uint64_t sql_gseq = 0;
    std::chrono::steady_clock::time_point pinned_at;
  };
  std::mutex warm_mutex_;
  std::vector<WarmReader> warm_;
  std::uint64_t data_version_ = 0;             // guarded by the writer lock
  std::atomic<std::uint64_t> foreign_commits_{0};


  Gatekeeper gatekeeper_;
  unsigned fork_generation_ = 0;
  std::unique_ptr<Background> background_;     // last: its threads use all of the above
};

}  // namespace stele::transaction
