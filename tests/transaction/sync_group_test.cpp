// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Which sync acknowledges what, over two logs that only count.
#include "engine/transaction/sync_group.h"

#include "engine/base/error.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

namespace stele::transaction {
namespace {

using storage::Keyspace;

[[noreturn]] void not_used() { throw std::logic_error("the sync group does not use this"); }

class KeyValueLog final : public storage::KeyValueStore {
 public:
  std::atomic<int> flushes{0};
  std::atomic<int> syncs{0};
  std::atomic<bool> fails{false};

  void flush_log() override { ++flushes; }
  void sync_log() override {
    ++syncs;
    if (fails) fail(ErrorCode::io, "kv/000004.log: fdatasync: errno 5");
  }

  storage::Capabilities capabilities() const override { return {true, true, true}; }
  std::unique_ptr<storage::KeyValueSnapshot> snapshot() override { not_used(); }
  bool get(Keyspace, std::string_view, const storage::KeyValueSnapshot*, std::string&) override { not_used(); }
  std::unique_ptr<storage::Cursor> scan(Keyspace, storage::KeyRange, const storage::KeyValueSnapshot*) override {
    not_used();
  }
  void apply(const storage::Batch&) override { not_used(); }
  bool needs_room(std::size_t) const override { return false; }
  void make_room() override {}
  storage::Pressure pressure() const override { return {}; }
  storage::KeyValueFigures figures() const override { return {}; }
  std::uint64_t approximate_bytes(Keyspace, const storage::KeyRange&) const override { return 0; }
  void flush() override {}
  void verify(const Interrupt&) override {}
};

class SqlLog final : public storage::RelationalStore {
 public:
  std::atomic<int> syncs{0};
  std::atomic<bool> fails{false};

  void sync_log() override {
    ++syncs;
    if (fails) fail(ErrorCode::io, "relational.db-wal: fdatasync: errno 5");
  }

  storage::Connection& writer() override { not_used(); }
  std::shared_ptr<storage::Connection> reader() override { not_used(); }
  std::unique_ptr<storage::Connection> extra_connection() override { not_used(); }
  std::optional<storage::Identity> identity(storage::Connection&) override { not_used(); }
  void create(const storage::Identity&) override { not_used(); }
  std::vector<storage::OutboxRow> outbox(storage::Connection&) override { not_used(); }
  void put_outbox(std::int64_t, std::uint64_t, std::string_view) override { not_used(); }
  std::uint64_t log_bytes() const override { return 0; }
  storage::CheckpointResult checkpoint() override { return {}; }
  void truncate_log() override {}
  void compact() override {}
  std::vector<std::string> verify(const Interrupt&) override { return {}; }
  std::uint64_t memory_bytes() const override { return 0; }
};

class SyncGroupTest : public ::testing::Test {
 protected:
  SyncGroupTest() {
    group_.attach(key_value_);
    group_.start_at(0, 0);
  }
  std::uint64_t key_value_commit() { return order_.last_key_value = ++order_.gseq; }
  std::uint64_t sql_commit() {
    order_.sql_logged = ++order_.gseq;
    return order_.gseq;
  }

  CommitOrder order_;
  SqlLog sql_;
  KeyValueLog key_value_;
  Health health_;
  Watches watches_;
  SyncGroup group_{order_, sql_, health_, watches_};
};

TEST_F(SyncGroupTest, a_key_value_commit_needs_one_sync_of_its_own_log) {
  group_.wait(key_value_commit(), Log::either);
  EXPECT_EQ(key_value_.flushes, 1);
  EXPECT_EQ(key_value_.syncs, 1);
  EXPECT_EQ(sql_.syncs, 0);
  group_.wait(1, Log::either);
  EXPECT_EQ(key_value_.syncs, 1) << "it is durable already";
}

TEST_F(SyncGroupTest, an_sql_commit_needs_one_sync_of_the_sql_log) {
  group_.wait(sql_commit(), Log::sql);
  EXPECT_EQ(sql_.syncs, 1);
  EXPECT_EQ(key_value_.syncs, 0);
  EXPECT_EQ(group_.sql_durable(), 1u);
}

TEST_F(SyncGroupTest, an_sql_commit_is_never_acknowledged_by_the_key_value_log) {
  const std::uint64_t sql = sql_commit();
  // What the key-value log's sync would report, had it happened without a sync of SQLite's.
  group_.before_append();
  EXPECT_EQ(sql_.syncs, 1);
  const std::uint64_t second = sql_commit();
  key_value_commit();
  sql_.fails = true;
  EXPECT_THROW(group_.wait(second, Log::sql), Error);
  EXPECT_EQ(key_value_.syncs, 0) << "nothing but SQLite's own sync may acknowledge it";
  EXPECT_EQ(group_.sql_durable(), sql);
}

TEST_F(SyncGroupTest, a_later_sql_commit_makes_earlier_key_value_commits_durable) {
  const std::uint64_t carried = key_value_commit();
  group_.wait(sql_commit(), Log::sql);
  group_.wait(carried, Log::either);
  EXPECT_EQ(key_value_.syncs, 0) << "its batch travelled in the outbox row";
  EXPECT_EQ(sql_.syncs, 1);
}

TEST_F(SyncGroupTest, an_sql_sync_does_not_acknowledge_a_later_key_value_commit) {
  sql_commit();
  const std::uint64_t later = key_value_commit();
  group_.wait(later, Log::either);
  EXPECT_EQ(sql_.syncs, 1) << "first, so that the key-value log is never ahead";
  EXPECT_EQ(key_value_.syncs, 1);
}

TEST_F(SyncGroupTest, the_barrier_syncs_sql_only_when_something_is_pending) {
  EXPECT_TRUE(group_.before_append());
  EXPECT_EQ(sql_.syncs, 0);
  sql_commit();
  EXPECT_TRUE(group_.before_append());
  EXPECT_TRUE(group_.before_append());
  EXPECT_EQ(sql_.syncs, 1);
  EXPECT_EQ(group_.barrier_syncs(), 1u);
}

TEST_F(SyncGroupTest, the_barrier_holds_bytes_back_when_sql_cannot_be_synced) {
  sql_commit();
  sql_.fails = true;
  EXPECT_FALSE(group_.before_append());
  EXPECT_TRUE(health_.poisoned());
  sql_.fails = false;
  EXPECT_FALSE(group_.before_append()) << "a failed sync is not tried again";
  EXPECT_EQ(sql_.syncs, 1);
}

TEST_F(SyncGroupTest, a_failed_sync_poisons_and_leaves_the_outcome_open) {
  key_value_.fails = true;
  const std::uint64_t gseq = key_value_commit();
  for (int i = 0; i < 2; ++i) {
    try {
      group_.wait(gseq, Log::either);
      FAIL() << "acknowledged";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::unknown_outcome);
      EXPECT_NE(error.message().find("000004.log"), std::string::npos) << error.message();
    }
  }
  EXPECT_EQ(key_value_.syncs, 1) << "a failed sync is not tried again";
  EXPECT_TRUE(health_.poisoned());
  EXPECT_THROW(group_.sync_key_value(), Error);
}

TEST_F(SyncGroupTest, what_was_durable_before_a_failure_stays_acknowledged) {
  const std::uint64_t durable = sql_commit();
  group_.wait(durable, Log::sql);
  sql_.fails = true;
  EXPECT_THROW(group_.wait(sql_commit(), Log::sql), Error);
  EXPECT_NO_THROW(group_.wait(durable, Log::sql));
}

TEST_F(SyncGroupTest, one_sync_serves_many_waiters) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 200; ++i) {
    std::lock_guard guard(order_.lock);
    key_value_commit();
  }
  for (std::uint64_t gseq = 1; gseq <= 200; ++gseq) {
    if (gseq % 20) continue;
    threads.emplace_back([this, gseq] { group_.wait(gseq, Log::either); });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(key_value_.syncs, 1) << "the first one covered all 200";
  EXPECT_EQ(group_.durable(), 200u);
}

TEST_F(SyncGroupTest, a_failure_reaches_those_who_want_a_log_synced_for_themselves) {
  sql_commit();
  key_value_commit();
  sql_.fails = true;
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 12; ++i) {
    threads.emplace_back([&, i] {
      try {
        i % 2 ? group_.sync_key_value() : group_.sync_sql();
      } catch (const Error& error) {
        refused += error.code() == ErrorCode::poisoned;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(refused, 12);
  EXPECT_EQ(sql_.syncs, 1);
}

TEST_F(SyncGroupTest, what_another_has_synced_meanwhile_is_not_synced_again) {
  key_value_commit();
  std::vector<std::thread> threads;
  for (int i = 0; i < 12; ++i) threads.emplace_back([&] { group_.sync_key_value(); });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(key_value_.syncs, 1);
}

TEST_F(SyncGroupTest, a_failure_reaches_every_waiter) {
  sql_.fails = true;
  std::atomic<int> unknown{0};
  std::vector<std::thread> threads;
  const std::uint64_t gseq = sql_commit();
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      try {
        group_.wait(gseq, Log::sql);
      } catch (const Error& error) {
        unknown += error.code() == ErrorCode::unknown_outcome;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(unknown, 8);
  EXPECT_EQ(sql_.syncs, 1);
}

}  // namespace
}  // namespace stele::transaction
