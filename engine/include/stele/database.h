// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A database is one directory, open in one process at a time for writing. Database may be used
// from any thread; it must outlive nothing: handles taken from it keep it open, and after close()
// they throw `closed`. So does everything in a forked child; a child ends with exec() or _exit(), because exit() runs
// RocksDB's destructors, which wait for threads that a child does not have.
#pragma once

#include <stele/documents.h>
#include <stele/events.h>
#include <stele/options.h>
#include <stele/rows.h>
#include <stele/transaction.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace stele {

namespace detail {
class DatabaseCore;

/// What db.write remembers about one closure type: whether to take the SQL writer lock at begin.
/// A closure that read SQL before its first SQL write would otherwise conflict with every
/// concurrent writer of the same tables.
struct WriteSite {
  std::atomic<int> lock_first{0};  // > 0: for so many more runs
};
}  // namespace detail

struct Stats {
  std::uint64_t commits = 0;          // since open
  std::uint64_t conflicts = 0;        // commits refused
  std::uint64_t syncs = 0;            // fdatasync calls of commit groups, both logs
  std::uint64_t snapshot_retries = 0;
  std::uint64_t barrier_syncs = 0;    // syncs forced by the append barrier
  std::uint64_t foreign_commits = 0;  // commits that another program made to relational.db
  std::uint64_t gseq = 0;             // last commit
  std::uint64_t durable_gseq = 0;     // last commit known to be on disk
  std::uint64_t wal_bytes = 0;        // SQLite's log
  std::uint64_t tail_bytes = 0;       // commits in neither log durably
  std::uint64_t key_value_memory_bytes = 0;
  std::string poisoned;               // first cause; empty when healthy
  std::string maintenance_error;      // what last kept an index build or the removal of expired documents; empty: nothing
};

class Database {
 public:
  /// Opens the database in `directory`, creating it when absent (one level). Throws `locked` when
  /// another process has it open, `version` when it was made by other backends or a newer format,
  /// `corrupt` when its parts do not fit together; nothing is changed then.
  static Database open(const std::string& directory, const Options& options = {});

  /// A database that is wholly in memory and gone when closed.
  static Database in_memory(Options options = {});

  explicit Database(std::shared_ptr<detail::DatabaseCore> core);
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();  // close(), errors dropped

  /// Runs `body(Transaction&)` and commits. After a `conflict` it runs again, with growing jitter,
  /// and in the end alone, so it always gets through: the body must not have effects outside the
  /// transaction. Any exception from the body rolls back and is passed on. Returns what body returns.
  template <class Body>
  auto write(Body&& body) { return write(WriteOptions{}, std::forward<Body>(body)); }
  template <class Body>
  auto write(const WriteOptions& options, Body&& body) {
    static detail::WriteSite site;
    using Result = std::invoke_result_t<Body&, Transaction&>;
    if constexpr (std::is_void_v<Result>) {
      run_write(options, site, [&](Transaction& tx) { body(tx); });
    } else {
      std::optional<Result> result;
      run_write(options, site, [&](Transaction& tx) { result.emplace(body(tx)); });
      return *std::move(result);
    }
  }

  /// Runs `body(const Snapshot&)` on one moment over all tiers.
  template <class Body>
  auto read(Body&& body) { return read(ReadOptions{}, std::forward<Body>(body)); }
  template <class Body>
  auto read(const ReadOptions& options, Body&& body) {
    using Result = std::invoke_result_t<Body&, const Snapshot&>;
    Snapshot at = snapshot(options);
    if constexpr (std::is_void_v<Result>) {
      body(at);
      wait_durable(options, at);
    } else {
      Result result = body(at);
      wait_durable(options, at);
      return result;
    }
  }

  Transaction begin(const WriteOptions& options = {});
  Snapshot snapshot(const ReadOptions& options = {});

  // One call, one transaction.
  template <class... P>
  Rows sql(std::string_view statement, const P&... parameters) {
    if constexpr (sizeof...(P) == 0) {
      return run_sql(statement, std::span<const Value>());
    } else {
      const Value values[] = {Value(parameters)...};
      return run_sql(statement, std::span<const Value>(values));
    }
  }
  Rows sql(std::string_view statement, std::initializer_list<NamedValue> parameters) {
    return run_sql(statement, std::span<const NamedValue>(parameters.begin(), parameters.size()));
  }
  Rows run_sql(std::string_view statement, std::span<const Value> parameters, const WriteOptions& options = {});
  Rows run_sql(std::string_view statement, std::span<const NamedValue> parameters, const WriteOptions& options = {});
  Documents aggregate(std::string_view source, std::string_view pipeline, const AggregateOptions& options = {},
                      const WriteOptions& call = {});
  std::string explain_aggregate(std::string_view source, std::string_view pipeline,
                                const AggregateOptions& options = {}, const WriteOptions& call = {});
  /// The options are those of each call on the handle: a deadline counts from the call's begin.
  Collection collection(std::string_view name, const WriteOptions& options = {});
  Stream stream(std::string_view name, const WriteOptions& options = {});
  Cache cache(std::string_view name, const WriteOptions& options = {});  // relaxed unless the options say otherwise
  std::vector<std::string> collections();
  std::vector<std::string> streams();
  std::vector<std::string> caches();

  /// Returns when every commit made so far is on disk.
  void sync_now();
  /// Rewrites relational.db without its free space. Needs the writer lock and the space for a copy.
  void compact();
  Stats stats() const;

  /// Syncs, checkpoints and closes. `busy` while transactions or snapshots are open.
  void close();

 private:
  void run_write(const WriteOptions&, detail::WriteSite&, const std::function<void(Transaction&)>&);
  void wait_durable(const ReadOptions&, const Snapshot&);
  const std::shared_ptr<detail::DatabaseCore>& core() const;  // `invalid` when moved from
  std::shared_ptr<detail::DatabaseCore> core_;
};

}  // namespace stele
