// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/crash/workload.h"

#include "engine/base/error.h"
#include "tests/crash/threads.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>

namespace stele::crash {

Acknowledgements::Acknowledgements(const std::string& path) : file_(open_file(path, O_WRONLY | O_CREAT | O_APPEND)) {}

void Acknowledgements::add(char kind, std::uint64_t a, std::uint64_t b) {
  const std::string line = text(std::string(1, kind), " ", a, " ", b, "\n");
  if (::write(file_.fd(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::abort();
}

namespace {

/// One thread's work on the store.
class Worker {
 public:
  Worker(transaction::Store& store, Acknowledgements& acknowledgements, const Workload& workload, std::uint64_t thread)
      : store_(store),
        acknowledgements_(acknowledgements),
        threads_(workload.threads),
        thread_(thread),
        random_(workload.seed * 1009 + workload.session * 101 + thread),
        next_id_(workload.session * 10'000'000 + thread * 1'000'000 + 1) {
    const auto at = store_.snapshot({});
    documents_ = read_count(*at, thread_).n;
    sql_ = static_cast<std::uint64_t>(
        number(*at, "SELECT n FROM sql_latest WHERE thread = ?", {static_cast<std::int64_t>(thread_)}).value_or(0));
  }

  void document_commit(bool relaxed = false) {
    Count count{documents_ + 1, below(threads_), 0, 0};
    write(relaxed, [&](transaction::Transaction& tx) {
      count.sql_n = seen(tx, "SELECT n FROM sql_latest WHERE thread = ?", count.sql_thread);
      count.cross_id = seen(tx, "SELECT version FROM item WHERE k = ?", 1 + below(item_count));
      put(tx, count_key(thread_), encode(count, 200 + below(800)));
    });
    documents_ = count.n;
    if (!relaxed) acknowledgements_.add('d', thread_, documents_);
  }

  void sql_commit() {
    write(false, [&](transaction::Transaction& tx) {
      const auto thread = static_cast<std::int64_t>(thread_);
      const auto n = static_cast<std::int64_t>(sql_ + 1);
      sql(tx, "INSERT OR REPLACE INTO sql_latest VALUES(?, ?)", {thread, n});
      const std::uint64_t other = below(threads_);
      sql(tx, "INSERT INTO sql_log VALUES(?, ?, ?, ?)", {thread, n, signed_(other), signed_(read_count(tx, other).n)});
    });
    acknowledgements_.add('s', thread_, ++sql_);
  }

  void cross_commit(std::size_t bytes, bool relaxed = false) {
    std::uint64_t id = 0;
    write(relaxed, [&](transaction::Transaction& tx) {
      id = next_id_++;
      const std::uint64_t k = 1 + below(item_count);
      sql(tx, "INSERT OR REPLACE INTO item VALUES(?, ?)", {signed_(k), signed_(id)});
      const std::uint64_t other = below(threads_);
      sql(tx, "INSERT INTO cross_log VALUES(?, ?, ?, ?)",
          {signed_(id), signed_(k), signed_(other), signed_(read_count(tx, other).n)});
      put(tx, item_key(k), encode_item(id, bytes));
      append_event(tx, id);
    });
    if (!relaxed) acknowledgements_.add('c', id, 0);
  }

  /// SQLite ends this transaction in the middle; nothing of it may go on, least of all commit.
  void dead_transaction() {
    const std::uint64_t id = next_id_++;
    const auto tx = store_.begin({});
    put(*tx, dead_key(id), "before");
    sql(*tx, "INSERT INTO dead_log VALUES(?)", {signed_(id)});
    must_throw(ErrorCode::constraint, "a statement with ON CONFLICT ROLLBACK",
               [&] { sql(*tx, "INSERT INTO guard VALUES(1)"); });
    must_throw(ErrorCode::aborted, "put", [&] { put(*tx, dead_key(id), "after"); });
    must_throw(ErrorCode::aborted, "INSERT", [&] { sql(*tx, "INSERT INTO dead_log VALUES(?)", {signed_(id)}); });
    must_throw(ErrorCode::aborted, "SELECT", [&] { sql(*tx, "SELECT count(*) FROM dead_log"); });
    must_throw(ErrorCode::aborted, "savepoint", [&] { tx->savepoint("s"); });
    must_throw(ErrorCode::aborted, "commit", [&] { tx->commit(); });
  }

  void any_commit(Mix mix) {
    if (mix == Mix::sql && below(10) != 0) return sql_commit();
    if (mix == Mix::documents && below(10) != 0) return document_commit();
    switch (below(20)) {
      case 0: return dead_transaction();
      case 1: return document_commit(/*relaxed=*/true);
      case 2: return cross_commit(400, /*relaxed=*/true);
      case 3: return cross_commit((20u << 10) + below(40u << 10));  // travels as a file
      case 4:
      case 5:
      case 6:
      case 7:
      case 8: return sql_commit();
      case 9:
      case 10:
      case 11:
      case 12:
      case 13: return document_commit();
      default: return cross_commit(100 + below(900));
    }
  }

 private:
  static std::int64_t signed_(std::uint64_t value) { return static_cast<std::int64_t>(value); }
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  std::uint64_t seen(transaction::Transaction& tx, std::string_view query, std::uint64_t argument) {
    return static_cast<std::uint64_t>(number(tx, query, {signed_(argument)}).value_or(0));
  }

  void write(bool relaxed, const std::function<void(transaction::Transaction&)>& body) {
    WriteOptions options;
    options.durability = relaxed ? Durability::relaxed : Durability::sync;
    // Everybody reads what everybody writes: validated, most attempts would be retries.
    options.isolation = below(8) == 0 ? Isolation::serializable : Isolation::snapshot;
    std::atomic<int> lock_first{0};
    store_.write(options, lock_first, [&](const TransactionPtr& tx) { body(*tx); });
  }

  static void must_throw(ErrorCode code, const std::string& what, const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& error) {
      if (error.code() == code) return;
      violated(text("dead transaction: ", what, " should throw ", name(code), ", threw ", error.what()));
    }
    violated(text("dead transaction: ", what, " should throw ", name(code), " and went on"));
  }

  transaction::Store& store_;
  Acknowledgements& acknowledgements_;
  std::uint64_t threads_;
  std::uint64_t thread_;
  std::mt19937_64 random_;
  std::uint64_t next_id_;
  std::uint64_t documents_ = 0;
  std::uint64_t sql_ = 0;
};

}  // namespace

void run(const Workload& workload) {
  const auto store = open_store(workload.directory);
  Acknowledgements acknowledgements(workload.acknowledgements);
  std::atomic<std::uint64_t> started{0};
  Threads threads(workload.seconds);
  threads.run(workload.threads, [&](std::size_t thread) {
    Worker worker(*store, acknowledgements, workload, thread);
    for (std::uint64_t i = 0; i < workload.documents_first && !threads.failed(); ++i) worker.document_commit();
    while (threads.more()) {
      if (workload.transactions != 0 && started.fetch_add(1) >= workload.transactions) return;
      worker.any_commit(workload.mix);
    }
  });
  store->close();
}

namespace {

/// Failures as they come to a caller while I/O errors are injected.
class FaultWatch {
 public:
  explicit FaultWatch(std::string directory) : directory_(std::move(directory)) {}

  /// True when `call` succeeded.
  bool attempt(const std::string& what, const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& error) {
      check(what, error);
      return false;
    }
    if (poisoned_) violated(text(what, ": committed after the store was poisoned"));
    return true;
  }

 private:
  void check(const std::string& what, const Error& error) {
    const bool names_file = error.detail().contains("file") || error.message().find(directory_) != std::string::npos;
    const bool names_cause = error.detail().contains("cause");
    switch (error.code()) {
      case ErrorCode::io:
      case ErrorCode::full:
        if (!names_file) violated(text(what, ": the error names no file: ", error.what()));
        return;
      case ErrorCode::poisoned:
      case ErrorCode::unknown_outcome:
        if (!names_cause) violated(text(what, ": the error names no cause: ", error.what()));
        poisoned_ = true;
        return;
      case ErrorCode::aborted:  // SQLite ended the transaction after the failed call
        if (!names_cause) violated(text(what, ": the error names no cause: ", error.what()));
        return;
      default: violated(text(what, ": not an I/O error: ", name(error.code()), ": ", error.what()));
    }
  }

  std::string directory_;
  bool poisoned_ = false;
};

}  // namespace

void run_faulted(const Workload& workload) {
  FaultWatch watch(workload.directory);
  std::shared_ptr<transaction::Store> store;
  if (!watch.attempt("open", [&] { store = open_store(workload.directory); })) return;
  Acknowledgements acknowledgements(workload.acknowledgements);
  std::optional<Worker> worker;
  if (watch.attempt("read", [&] { worker.emplace(*store, acknowledgements, workload, 0); })) {
    for (std::uint64_t i = 0; i < workload.transactions; ++i) {
      watch.attempt("SQL-only commit", [&] { worker->sql_commit(); });
      watch.attempt("document commit", [&] { worker->document_commit(); });
      watch.attempt("cross commit", [&] { worker->cross_commit(i % 8 == 7 ? 20u << 10 : 500); });
    }
  }
  worker.reset();
  watch.attempt("close", [&] {
    const bool poisoned = store->health().poisoned();
    store->close();
    store.reset();
    if (poisoned) fail(ErrorCode::poisoned, "closed after a failure", {{"cause", "an earlier one"}});
  });
}

}  // namespace stele::crash
