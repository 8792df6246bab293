// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Transactions over the real stores: all or nothing in every tier, whatever ends them.
#include "engine/base/step.h"
#include "tests/transaction/store_fixture.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <thread>

namespace stele::transaction {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class Transactions : public StoreTest {
 protected:
  /// Both tiers hold what they held after SetUp().
  void expect_untouched() {
    EXPECT_EQ(get("k"), "-");
    EXPECT_EQ(count("SELECT sum(v) FROM t"), 0);
    EXPECT_EQ(count("SELECT count(*) FROM other"), 0);
  }
  /// Nothing but aborted comes out of a dead transaction, and nothing of it is there.
  void expect_dead(const Tx& tx) {
    EXPECT_EQ(thrown([&] { get(tx, "k"); }), ErrorCode::aborted);
    EXPECT_EQ(thrown([&] { put(tx, "k", "v"); }), ErrorCode::aborted);
    EXPECT_EQ(thrown([&] { run(tx, "INSERT INTO other VALUES(9, 9)"); }), ErrorCode::aborted);
    EXPECT_EQ(thrown([&] { tx->savepoint("s"); }), ErrorCode::aborted);
    EXPECT_EQ(thrown([&] { tx->commit(); }), ErrorCode::aborted);
    expect_untouched();
    set_row_alone();
    reopen();
    EXPECT_EQ(get("k"), "-");
    EXPECT_EQ(count("SELECT count(*) FROM other"), 0);
  }
  void set_row_alone() { sql("UPDATE t SET v = 1 WHERE k = 4"); }  // the writer lock is free again
};

TEST_F(Transactions, rows_and_keys_commit_together_and_survive_reopening) {
  const Tx tx = begin();
  set_row(tx, 1, 5);
  put(tx, "k", "v");
  EXPECT_GT(tx->commit(), 0u);
  reopen();
  EXPECT_EQ(count("SELECT v FROM t WHERE k = 1"), 5);
  EXPECT_EQ(get("k"), "v");
}

TEST_F(Transactions, a_dropped_transaction_leaves_nothing) {
  {
    const Tx tx = begin();
    set_row(tx, 1, 5);
    put(tx, "k", "v");
  }
  expect_untouched();
  set_row_alone();
}

TEST_F(Transactions, an_ended_transaction_is_invalid) {
  const Tx tx = begin();
  put(tx, "k", "v");
  tx->commit();
  EXPECT_EQ(thrown([&] { get(tx, "k"); }), ErrorCode::invalid);
  EXPECT_EQ(thrown([&] { tx->commit(); }), ErrorCode::invalid);
}

TEST_F(Transactions, a_failed_statement_undoes_itself_in_every_tier_and_no_more) {
  const Tx tx = begin();
  put(tx, "k", "1");
  EXPECT_EQ(thrown([&] {
              tx->statement([&] {
                tx->writes().put(Keyspace::documents, "k", "2");
                tx->sql("INSERT INTO other VALUES(1, -1)", Parameters{});
              });
            }),
            ErrorCode::constraint);
  EXPECT_EQ(get(tx, "k"), "1");
  run(tx, "INSERT INTO other VALUES(1, 1)");
  tx->commit();
  EXPECT_EQ(get("k"), "1");
  EXPECT_EQ(count("SELECT count(*) FROM other"), 1);
}

TEST_F(Transactions, or_fail_leaves_no_half_statement) {
  const Tx tx = begin();
  EXPECT_EQ(thrown([&] { run(tx, "INSERT OR FAIL INTO other VALUES(1, 1), (2, 2), (1, 1)"); }), ErrorCode::constraint);
  run(tx, "INSERT INTO other VALUES(7, 7)");
  tx->commit();
  EXPECT_EQ(count("SELECT sum(k) FROM other"), 7);
}

TEST_F(Transactions, savepoints_cover_all_tiers) {
  const Tx tx = begin();
  set_row(tx, 1, 1);
  put(tx, "k", "1");
  tx->savepoint("outer");
  set_row(tx, 1, 2);
  put(tx, "k", "2");
  tx->savepoint("inner");
  set_row(tx, 1, 3);
  put(tx, "k", "3");
  tx->rollback_to("inner");
  EXPECT_EQ(row(tx, 1), 2);
  EXPECT_EQ(get(tx, "k"), "2");
  tx->rollback_to("outer");
  EXPECT_EQ(row(tx, 1), 1);
  EXPECT_EQ(get(tx, "k"), "1");
  EXPECT_EQ(thrown([&] { tx->rollback_to("inner"); }), ErrorCode::not_found);
  tx->rollback_to("outer");
  tx->release("outer");
  EXPECT_EQ(thrown([&] { tx->release("outer"); }), ErrorCode::not_found);
  tx->commit();
  EXPECT_EQ(count("SELECT v FROM t WHERE k = 1"), 1);
  EXPECT_EQ(get("k"), "1");
}

TEST_F(Transactions, a_savepoint_before_the_first_sql_write_takes_it_back_too) {
  const Tx tx = begin();
  tx->savepoint("start");
  put(tx, "k", "1");
  set_row(tx, 1, 1);
  tx->rollback_to("start");
  EXPECT_EQ(row(tx, 1), 0);
  put(tx, "l", "1");
  tx->commit();
  expect_untouched();
  EXPECT_EQ(get("l"), "1");
}

TEST_F(Transactions, on_conflict_rollback_kills_the_whole_transaction) {
  const Tx tx = begin();
  put(tx, "k", "v");
  run(tx, "INSERT INTO other VALUES(1, 1)");
  EXPECT_EQ(thrown([&] { run(tx, "INSERT OR ROLLBACK INTO other VALUES(1, 2)"); }), ErrorCode::constraint);
  expect_dead(tx);
}

TEST_F(Transactions, raise_rollback_kills_the_whole_transaction) {
  sql("CREATE TRIGGER guard BEFORE UPDATE ON t WHEN new.v > 100 BEGIN SELECT RAISE(ROLLBACK, 'too much'); END");
  const Tx tx = begin();
  put(tx, "k", "v");
  set_row(tx, 1, 1);
  EXPECT_EQ(thrown([&] { set_row(tx, 2, 101); }), ErrorCode::constraint);
  expect_dead(tx);
}

TEST_F(Transactions, an_interrupted_write_kills_the_whole_transaction) {
  std::stop_source stop;
  WriteOptions options;
  options.cancel = stop.get_token();
  const Tx tx = store_->begin(options);
  put(tx, "k", "v");
  set_row(tx, 1, 1);
  std::thread cancels([&] {
    std::this_thread::sleep_for(50ms);
    stop.request_stop();
  });
  EXPECT_EQ(
      thrown([&] {
        run(tx,
            "INSERT INTO other WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 100000000) "
            "SELECT i, i FROM c");
      }),
      ErrorCode::interrupted);
  cancels.join();
  expect_dead(tx);
}

TEST_F(Transactions, an_interrupted_read_kills_nothing) {
  WriteOptions options;
  options.deadline = 150ms;
  const Tx tx = store_->begin(options);
  put(tx, "k", "v");
  EXPECT_EQ(thrown([&] {
              run(tx,
                  "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 1000000000) SELECT sum(i) "
                  "FROM c");
            }),
            ErrorCode::interrupted);
  EXPECT_TRUE(tx->active());
}

TEST_F(Transactions, a_constraint_at_commit_commits_nothing) {
  sql("CREATE TABLE child(k INTEGER REFERENCES t(k) DEFERRABLE INITIALLY DEFERRED)");
  const Tx tx = begin();
  run(tx, "INSERT INTO child VALUES(99)");
  put(tx, "k", "v");
  EXPECT_EQ(thrown([&] { tx->commit(); }), ErrorCode::constraint);
  expect_untouched();
  put("k", "later");
  reopen();
  EXPECT_EQ(get("k"), "later");
  EXPECT_EQ(count("SELECT count(*) FROM child"), 0);
}

TEST_F(Transactions, writing_inside_the_body_of_a_write_is_invalid) {
  write([&](const Tx& tx) {
    put(tx, "k", "v");
    EXPECT_EQ(thrown([&] { write([](const Tx&) {}); }), ErrorCode::invalid);
    EXPECT_EQ(thrown([&] { sql("UPDATE t SET v = 1"); }), ErrorCode::invalid);
  });
  EXPECT_EQ(get("k"), "v");
}

TEST_F(Transactions, a_second_sql_writer_of_one_thread_is_busy_at_once) {
  const Tx one = begin();
  set_row(one, 1, 1);
  const Tx two = begin();
  const auto start = Clock::now();
  EXPECT_EQ(thrown([&] { set_row(two, 2, 1); }), ErrorCode::busy);
  EXPECT_LT(Clock::now() - start, 2s);
  one->commit();
}

TEST_F(Transactions, an_exception_in_the_body_rolls_back_and_is_passed_on) {
  int runs = 0;
  EXPECT_THROW(write([&](const Tx& tx) {
                 ++runs;
                 put(tx, "k", "v");
                 set_row(tx, 1, 1);
                 throw std::runtime_error("mine");
               }),
               std::runtime_error);
  EXPECT_EQ(runs, 1);
  expect_untouched();
  set_row_alone();
}

TEST_F(Transactions, two_threads_in_one_transaction_are_refused) {
  const Tx tx = begin();
  tx->statement(
      [&] { std::thread([&] { EXPECT_EQ(thrown([&] { put(tx, "k", "v"); }), ErrorCode::invalid); }).join(); });
  put(tx, "k", "v");
  tx->commit();
  EXPECT_EQ(get("k"), "v");
}

TEST_F(Transactions, a_cursor_stays_at_its_moment_while_its_transaction_writes) {
  const Tx tx = begin();
  set_row(tx, 1, 1);
  const auto rows = run(tx, "SELECT k FROM t ORDER BY k");
  ASSERT_TRUE(rows->next());
  run(tx, "DELETE FROM t WHERE k > 1");
  run(tx, "INSERT INTO t VALUES(50, 0)");
  int seen = 1;
  while (rows->next()) ++seen;
  EXPECT_EQ(seen, 4);
  const auto left = run(tx, "SELECT k FROM t");
  tx->commit();
  EXPECT_EQ(thrown([&] { left->next(); }), ErrorCode::closed);
}

class Retries : public Transactions {
 protected:
  void SetUp() override {
    tuning_.alone_after = 2;
    Transactions::SetUp();
  }
};

TEST_F(Retries, a_write_that_always_conflicts_gets_through_alone) {
  put("hot", "0");
  int attempts = 0;
  write([&](const Tx& tx) {
    ++attempts;
    get(tx, "hot");
    // Somebody else is always faster, until he is kept out.
    if (attempts <= 2) std::thread([&] { put("hot", "x"); }).join();
    put(tx, "hot", "mine");
  });
  EXPECT_EQ(attempts, 3);
  EXPECT_EQ(get("hot"), "mine");
}

TEST_F(Retries, who_runs_alone_keeps_other_commits_out) {
  put("hot", "0");
  int attempts = 0;
  std::thread other;
  write([&](const Tx& tx) {
    ++attempts;
    get(tx, "hot");
    if (attempts <= 2) {
      std::thread([&] { put("hot", "x"); }).join();
    } else {
      other = std::thread([&] { write([&](const Tx& mine) { put(mine, "hot", "after"); }); });
      std::this_thread::sleep_for(50ms);
    }
    put(tx, "hot", "mine");
  });
  other.join();
  EXPECT_EQ(attempts, 3);
  EXPECT_EQ(get("hot"), "after") << "it waited, and came next";
}

TEST_F(Retries, counters_of_many_threads_lose_nothing) {
  put("hot", "0");
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int k = 0; k < 25; ++k)
        write([&](const Tx& tx) {
          put(tx, "hot", std::to_string(std::stoi(get(tx, "hot")) + 1));
          set_row(tx, 1, static_cast<int>(row(tx, 1)) + 1);
        });
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(get("hot"), "200");
  EXPECT_EQ(count("SELECT v FROM t WHERE k = 1"), 200);
}

TEST_F(Transactions, relaxed_commits_reach_the_disk_by_themselves) {
  WriteOptions options;
  options.durability = Durability::relaxed;
  for (const bool with_sql : {false, true}) {
    const Tx tx = store_->begin(options);
    put(tx, "k", "v");
    if (with_sql) set_row(tx, 1, 1);
    const std::uint64_t gseq = tx->commit();
    const auto until = Clock::now() + 10s;  // 100 ms on an idle machine
    while (store_->sync_group().durable() < gseq && Clock::now() < until) std::this_thread::sleep_for(5ms);
    EXPECT_GE(store_->sync_group().durable(), gseq);
  }
}

TEST_F(Transactions, sync_now_makes_relaxed_commits_durable) {
  WriteOptions options;
  options.durability = Durability::relaxed;
  const Tx tx = store_->begin(options);
  put(tx, "k", "v");
  const std::uint64_t gseq = tx->commit();
  store_->sync_now();
  EXPECT_GE(store_->sync_group().durable(), gseq);
}

TEST_F(Transactions, a_large_transaction_beside_sql_travels_in_a_file_that_goes_again) {
  const std::string big(400'000, 'b');
  const Tx tx = begin();
  set_row(tx, 1, 1);
  put(tx, "k", big);
  std::atomic<std::size_t> files{0};
  static std::atomic<std::size_t>* counter;
  static std::string large;
  counter = &files;
  large = directory_.path() + "/store/large";
  step_hook = [](std::string_view name) {
    if (name == "commit.sql_committed") *counter = list_directory(large).size();
  };
  tx->commit();
  step_hook = nullptr;
  EXPECT_EQ(files, 1u);
  EXPECT_EQ(get("k"), big);
  reopen();
  EXPECT_EQ(get("k"), big);
  EXPECT_EQ(count("SELECT v FROM t WHERE k = 1"), 1);
  EXPECT_TRUE(list_directory(large).empty());
}

TEST_F(Transactions, a_transaction_above_the_limit_is_refused_whole) {
  options_.transaction_bytes_max = 1u << 20;
  reopen();
  const Tx tx = begin();
  set_row(tx, 1, 1);
  for (int i = 0; i < 20; ++i) put(tx, "k" + std::to_string(i), std::string(100'000, 'x'));
  EXPECT_EQ(thrown([&] { tx->commit(); }), ErrorCode::too_large);
  expect_untouched();
  EXPECT_EQ(get("k0"), "-");
}

TEST_F(Transactions, thousands_of_mixed_commits_turn_the_outbox_ring_over) {
  for (int i = 0; i < 1500; ++i) {
    WriteOptions options;
    options.durability = i % 100 == 99 ? Durability::sync : Durability::relaxed;
    const Tx tx = store_->begin(options);
    if (i % 3 != 0) put(tx, "k" + std::to_string(i % 50), std::to_string(i));
    if (i % 3 != 1) set_row(tx, 1, i);
    tx->commit();
  }
  reopen();
  EXPECT_EQ(count("SELECT v FROM t WHERE k = 1"), 1499);
  EXPECT_EQ(get("k49"), "1499");
  EXPECT_EQ(get("k48"), "1498");
}

TEST_F(Transactions, a_log_kept_long_by_a_snapshot_expires_it) {
  options_.wal_bytes_max = 1u << 20;
  tuning_.checkpoint_bytes = 256u << 10;
  tuning_.restart_bytes = 512u << 10;
  reopen();
  sql("CREATE TABLE bulk(b BLOB)");
  const auto at = store_->snapshot({});
  EXPECT_EQ(row(at, 1), 0);
  const auto until = Clock::now() + 30s;
  std::optional<ErrorCode> code;
  while (!code && Clock::now() < until) {
    for (int i = 0; i < 20; ++i) sql("INSERT INTO bulk VALUES(randomblob(50000))");
    code = thrown([&] { EXPECT_EQ(row(at, 1), 0); });
  }
  EXPECT_EQ(code, ErrorCode::too_old);
  EXPECT_EQ(row(store_->snapshot({}), 1), 0) << "a new one reads";
}

TEST_F(Transactions, one_transaction_beyond_the_bound_of_the_log_keeps_nobody_from_writing) {
  options_.wal_bytes_max = 1u << 20;
  reopen();
  sql("CREATE TABLE bulk(b BLOB)");
  for (int i = 0; i < 3; ++i) sql("INSERT INTO bulk VALUES(randomblob(5000000))");
  EXPECT_EQ(count("SELECT count(*) FROM bulk"), 3);
}

TEST_F(Transactions, a_commit_by_another_program_is_noticed) {
  const std::string database = directory_.path() + "/store/relational.db";
  auto shell = [&](const std::string& statement) {
    return std::system(("sqlite3 -cmd '.timeout 5000' '" + database + "' '" + statement + "' >/dev/null").c_str());
  };
  if (std::system("command -v sqlite3 >/dev/null") != 0) GTEST_SKIP() << "no sqlite3 program on this machine";
  const Tx one = begin();
  EXPECT_EQ(row(one, 1), 0);
  ASSERT_EQ(shell("UPDATE t SET v = 77 WHERE k = 1"), 0);
  EXPECT_EQ(thrown([&] { set_row(one, 2, 1); }), ErrorCode::conflict) << "it read the table before";
  EXPECT_EQ(store_->foreign_commits(), 1u);
  EXPECT_EQ(count("SELECT v FROM t WHERE k = 1"), 77);
  reopen();
  EXPECT_EQ(count("SELECT v FROM t WHERE k = 1"), 77);
}

TEST_F(Transactions, a_database_file_shows_every_acknowledged_commit_to_plain_sqlite3) {
  if (std::system("command -v sqlite3 >/dev/null") != 0) GTEST_SKIP() << "no sqlite3 program on this machine";
  sql("UPDATE t SET v = 31 WHERE k = 3");
  const std::string query = "test \"$(sqlite3 -readonly '" + directory_.path() +
                            "/store/relational.db' 'SELECT v FROM t WHERE k = 3')\" = 31";
  EXPECT_EQ(std::system(query.c_str()), 0);
}

TEST_F(Transactions, in_a_forked_child_everything_is_closed) {
  const Tx tx = begin();
  put(tx, "k", "v");
  set_row(tx, 1, 1);
  const pid_t child = ::fork();
  if (child == 0) {
    const bool closed =
        thrown([&] { get(tx, "k"); }) == ErrorCode::closed && thrown([&] { tx->commit(); }) == ErrorCode::closed &&
        thrown([&] { begin(); }) == ErrorCode::closed && thrown([&] { store_->close(); }) == ErrorCode::closed &&
        thrown([&] { count("SELECT 1"); }) == ErrorCode::closed;
    ::_exit(closed ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  tx->commit();
  EXPECT_EQ(get("k"), "v");
  EXPECT_EQ(count("SELECT v FROM t WHERE k = 1"), 1);
}

TEST_F(Transactions, close_is_busy_while_something_is_open) {
  {
    const Tx tx = begin();
    EXPECT_EQ(thrown([&] { store_->close(); }), ErrorCode::busy);
    put(tx, "k", "v");
    tx->commit();
  }
  {
    const auto at = store_->snapshot({});
    EXPECT_EQ(thrown([&] { store_->close(); }), ErrorCode::busy);
  }
  {
    const auto rows = store_->sql("SELECT k FROM t", Parameters{});
    EXPECT_EQ(thrown([&] { store_->close(); }), ErrorCode::busy);
  }
  store_->close();
  EXPECT_EQ(thrown([&] { begin(); }), ErrorCode::closed);
  EXPECT_EQ(thrown([&] { count("SELECT 1"); }), ErrorCode::closed);
  EXPECT_EQ(thrown([&] { store_->close(); }), ErrorCode::closed);
}

TEST_F(Transactions, more_readers_than_allowed_wait_and_then_are_busy) {
  options_.readers_max = 3;
  options_.lock_timeout = 200ms;
  reopen();
  std::vector<Tx> open;
  for (int i = 0; i < 3; ++i) open.push_back(store_->snapshot({}));
  EXPECT_EQ(thrown([&] { store_->snapshot({}); }), ErrorCode::busy);
  ReadOptions short_of_time;
  short_of_time.deadline = 20ms;
  EXPECT_EQ(thrown([&] { store_->snapshot(short_of_time); }), ErrorCode::interrupted);
  std::thread ends([first = std::exchange(open.front(), nullptr)]() mutable {
    std::this_thread::sleep_for(50ms);
    first.reset();
  });
  EXPECT_EQ(thrown([&] { open.push_back(store_->snapshot({})); }), std::nullopt);
  ends.join();
  EXPECT_EQ(thrown([&] { sql("UPDATE t SET v = 1 WHERE k = 1"); }), std::nullopt) << "writers need no reader";
}

TEST_F(Transactions, a_deadline_in_the_past_interrupts_before_anything) {
  WriteOptions options;
  options.deadline = 0ms;
  const Tx tx = store_->begin(options);
  EXPECT_EQ(thrown([&] { put(tx, "k", "v"); }), ErrorCode::interrupted);
  expect_untouched();
}

TEST_F(Transactions, a_waiting_writer_is_busy_after_the_lock_timeout) {
  options_.lock_timeout = 80ms;
  reopen();
  const Tx one = begin();
  set_row(one, 1, 1);
  std::thread([&] { EXPECT_EQ(thrown([&] { sql("UPDATE t SET v = 2 WHERE k = 2"); }), ErrorCode::busy); }).join();
  one->commit();
  EXPECT_EQ(count("SELECT v FROM t WHERE k = 2"), 0);
}

TEST_F(Transactions, a_store_of_parts_that_do_not_belong_together_is_refused) {
  put("k", "mine");
  store_->close();
  store_.reset();
  const std::string other = directory_.path() + "/other";
  Store::open(other, options_)->close();
  const std::string mine = directory_.path() + "/store";
  std::filesystem::rename(mine + "/kv", mine + "/kv.kept");
  std::filesystem::copy(other + "/kv", mine + "/kv", std::filesystem::copy_options::recursive);
  EXPECT_EQ(thrown([&] { open(); }), ErrorCode::corrupt);
  remove_tree(mine + "/kv");
  std::filesystem::rename(mine + "/kv.kept", mine + "/kv");
  open();
  EXPECT_EQ(get("k"), "mine");
}

TEST_F(Transactions, an_older_relational_file_put_back_is_refused) {
  store_->close();
  const std::string file = directory_.path() + "/store/relational.db";
  std::filesystem::copy_file(file, directory_.path() + "/older");
  open();
  const Tx tx = begin();
  set_row(tx, 1, 1);
  put(tx, "k", "v");
  tx->commit();
  store_->close();
  store_.reset();
  std::filesystem::copy_file(file, directory_.path() + "/newer");
  std::filesystem::copy_file(directory_.path() + "/older", file, std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(thrown([&] { open(); }), ErrorCode::corrupt);
  std::filesystem::copy_file(directory_.path() + "/newer", file, std::filesystem::copy_options::overwrite_existing);
  open();
  EXPECT_EQ(get("k"), "v");
}

}  // namespace
}  // namespace stele::transaction
