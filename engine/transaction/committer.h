// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The commit. Committer::commit is one function that reads from top to bottom; at each step it says what a
// crash there leaves behind.
#pragma once

#include "engine/storage/key_value.h"
#include "engine/storage/relational.h"
#include "engine/transaction/attached.h"
#include "engine/transaction/health.h"
#include "engine/transaction/large_files.h"
#include "engine/transaction/order.h"
#include "engine/transaction/recent_commits.h"
#include "engine/transaction/sync_group.h"
#include "engine/transaction/watches.h"

#include <stele/options.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <thread>

namespace stele::transaction {

/// What a transaction hands over to be committed.
struct Proposal {
  const ReadSet* reads = nullptr;
  const WriteSet* writes = nullptr;
  std::vector<Attached*> attached = {};  // released by the caller, also after an error
  std::uint64_t snapshot = 0;  // validated against what committed after it
  bool pinned = false;         // false: nothing was read, nothing to validate
  Isolation isolation = Isolation::serializable;
  bool alone = false;  // the thread holds Committer::run_alone()

  // SQL: the caller holds the writer lock and the write connection is inside its transaction.
  bool sql = false;
  bool holds_writer_lock = false;  // without having written SQL: what it read of SQL cannot have changed
  std::vector<TableHash> tables_written;
  bool schema_changed = false;
};

class Committer {
 public:
  struct Limits {
    std::size_t transaction_bytes_max = 64u << 20;
    std::size_t large_bytes = 256u << 10;      // beyond it, beside SQL, a batch travels as a file
    std::size_t tail_carry_bytes_max = 1u << 20;
    std::size_t tail_flush_bytes = 128u << 10;  // the flusher is woken beyond it
  };

  Committer(CommitOrder& order, RecentCommits& recent, SyncGroup& sync, Health& health, LargeFiles& large,
            storage::RelationalStore& relational, storage::KeyValueStore& key_value, Watches& watches, Limits limits)
      : order_(order), recent_(recent), sync_(sync), health_(health), large_(large), relational_(relational),
        key_value_(key_value), watches_(watches), limits_(limits) {}

  struct Committed {
    std::uint64_t gseq = 0;
    Log log = Log::either;  // which log makes it durable
    bool logged = true;     // false: nothing of it is in a log
    bool urgent = false;    // the flusher should free outbox slots or the tail now
  };

  /// Commits and makes it visible; the caller then releases the writer lock and calls acknowledge(). On
  /// an error nothing of it is visible; the caller rolls SQL back. Only unknown_outcome leaves the outcome open.
  Committed commit(const Proposal& proposal);

  /// Waits for the commit's own log, unless relaxed.
  void acknowledge(const Committed& committed, Durability durability);

  /// Waits until the key-value store is not about to stall, and makes room in its buffers: before any lock is taken.
  void admit(std::size_t bytes, const Interrupt* interrupt);

  /// Excludes all other commits while the result lives. The caller holds the writer lock, so that
  /// only key-value commits need to be kept out.
  class Alone;

  std::uint64_t commits() const { return commits_.load(std::memory_order_relaxed); }
  std::uint64_t conflicts() const { return conflicts_.load(std::memory_order_relaxed); }
  void count_conflict() { conflicts_.fetch_add(1, std::memory_order_relaxed); }

 private:
  struct Prepared;
  class Resolution;
  void prepare(const Proposal& proposal, Prepared& prepared);
  void resolve_late_operations(const WriteSet& writes, std::uint64_t gseq, Prepared& prepared);
  void put_outbox_row(const Prepared& prepared, std::uint64_t gseq);
  void commit_sql(const Prepared& prepared, std::uint64_t gseq);
  void publish(const Proposal& proposal, Prepared& prepared, std::uint64_t gseq);
  void admit_batch(std::size_t bytes);
  bool carries(const Prepared& prepared) const;
  bool urgent() const;
  [[noreturn]] void unknown_outcome(std::uint64_t gseq, const std::exception& error);

  CommitOrder& order_;
  RecentCommits& recent_;
  SyncGroup& sync_;
  Health& health_;
  LargeFiles& large_;
  storage::RelationalStore& relational_;
  storage::KeyValueStore& key_value_;
  Watches& watches_;
  Limits limits_;

  std::mutex turnstile_;          // held while somebody runs alone
  std::atomic<std::thread::id> alone_thread_{};
  std::shared_mutex admission_;  // shared by every key-value commit
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> conflicts_{0};
};

class Committer::Alone {
 public:
  explicit Alone(Committer& committer)
      : committer_(committer), turnstile_(committer.turnstile_), admission_(committer.admission_) {
    committer_.alone_thread_.store(std::this_thread::get_id());
  }
  ~Alone() { committer_.alone_thread_.store({}); }

 private:
  Committer& committer_;
  std::lock_guard<std::mutex> turnstile_;  // first, so that a stream of commits cannot starve us
  std::unique_lock<std::shared_mutex> admission_;
};

}  // namespace stele::transaction
