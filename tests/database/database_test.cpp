// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <stele/stele.h>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>

namespace stele {
namespace {

using testing::expect_error;

class DatabaseTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() { db.emplace(Database::open(directory / "db")); }
  void reopen() {
    db->close();
    db.reset();
    open();
  }
  std::int64_t count(std::string_view table) {
    return db->sql("SELECT count(*) FROM " + std::string(table)).one<std::int64_t>();
  }

  testing::TemporaryDirectory directory;
  std::optional<Database> db;
};

TEST_F(DatabaseTest, one_transaction_writes_every_tier_and_all_of_it_is_there_after_reopening) {
  db->sql("CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT) STRICT");
  const DocumentId id = db->write([](Transaction& tx) {
    tx.sql("INSERT INTO users(name) VALUES(?)", "Ada");
    tx.stream("activity").append({.key = "ada", .data = R"({"did":"join"})"});
    return tx.collection("articles").insert(R"({"title": "Stones"})");
  });
  reopen();
  EXPECT_EQ(db->sql("SELECT name FROM users").one<std::string>(), "Ada");
  EXPECT_EQ(db->collection("articles").get(id), R"({"_id":)" + id.json() + R"(,"title":"Stones"})");
  const auto events = db->stream("activity").read();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].offset, 0u);
  EXPECT_EQ(events[0].key, "ada");
}

TEST_F(DatabaseTest, an_exception_in_the_body_leaves_nothing_of_any_tier) {
  db->sql("CREATE TABLE t(x)");
  EXPECT_THROW(db->write([](Transaction& tx) {
    tx.sql("INSERT INTO t VALUES(1)");
    tx.collection("c").insert(R"({"_id":1})");
    tx.stream("s").append({.data = "1"});
    throw std::runtime_error("no");
  }),
               std::runtime_error);
  EXPECT_EQ(count("t"), 0);
  EXPECT_EQ(db->collection("c").count(), 0u);
  EXPECT_TRUE(db->stream("s").read().empty());
  EXPECT_TRUE(db->collections().empty());
}

TEST_F(DatabaseTest, a_transaction_that_is_dropped_is_rolled_back) {
  db->sql("CREATE TABLE t(x)");
  {
    Transaction tx = db->begin();
    tx.sql("INSERT INTO t VALUES(1)");
    tx.collection("c").insert(R"({"_id":1})");
  }
  EXPECT_EQ(count("t"), 0);
  EXPECT_EQ(db->collection("c").count(), 0u);
}

TEST_F(DatabaseTest, a_snapshot_stays_at_one_moment_over_all_tiers) {
  db->sql("CREATE TABLE t(x)");
  const Snapshot before = db->snapshot();
  db->write([](Transaction& tx) {
    tx.sql("INSERT INTO t VALUES(1)");
    tx.collection("c").insert(R"({"_id":1})");
    tx.stream("s").append({.data = "1"});
  });
  EXPECT_EQ(before.sql("SELECT count(*) FROM t").one<std::int64_t>(), 0);
  EXPECT_EQ(before.collection("c").count(), 0u);
  EXPECT_TRUE(before.stream("s").read().empty());
  const Snapshot after = db->snapshot();
  EXPECT_EQ(after.sql("SELECT count(*) FROM t").one<std::int64_t>(), 1);
  EXPECT_EQ(after.collection("c").count(), 1u);
  EXPECT_GT(after.gseq(), before.gseq());
}

TEST_F(DatabaseTest, a_transaction_sees_its_own_writes_and_its_events_last_without_an_offset) {
  db->stream("s").append({.data = "1"});
  Transaction tx = db->begin();
  tx.stream("s").append({.data = "2"});
  tx.collection("c").insert(R"({"_id":1,"n":1})");
  tx.collection("c").update_one(R"({"_id":1})", R"({"$inc":{"n":1}})");
  EXPECT_EQ(tx.collection("c").get(1), R"({"_id":1,"n":2})");
  const auto events = tx.stream("s").read();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].offset, 0u);
  EXPECT_FALSE(events[1].offset.has_value());
  tx.commit();
  EXPECT_EQ(db->stream("s").read().back().offset, 1u);
}

TEST_F(DatabaseTest, savepoints_take_back_every_tier) {
  db->sql("CREATE TABLE t(x)");
  db->write([](Transaction& tx) {
    tx.collection("c").insert(R"({"_id":1})");
    tx.savepoint("a");
    tx.sql("INSERT INTO t VALUES(1)");  // the first SQL write, after the savepoint
    tx.collection("c").insert(R"({"_id":2})");
    tx.stream("s").append({.data = "1"});
    tx.rollback_to("a");
    EXPECT_EQ(tx.sql("SELECT count(*) FROM t").one<std::int64_t>(), 0);
    tx.release("a");
  });
  EXPECT_EQ(count("t"), 0);
  EXPECT_EQ(db->collection("c").count(), 1u);
  EXPECT_TRUE(db->stream("s").read().empty());
}

TEST_F(DatabaseTest, a_failed_call_is_undone_and_the_transaction_goes_on) {
  db->sql("CREATE TABLE t(x UNIQUE)");
  db->write([](Transaction& tx) {
    tx.sql("INSERT INTO t VALUES(1)");
    expect_error(ErrorCode::constraint, [&] { tx.sql("INSERT INTO t VALUES(2), (1)"); }, "UNIQUE");
    const std::vector<std::string> two = {R"({"_id":1})", R"({"_id":1})"};
    expect_error(ErrorCode::exists, [&] { tx.collection("c").insert_many(two); }, "\"c\"", "_id 1");
    tx.collection("c").insert(R"({"_id":7})");
  });
  EXPECT_EQ(count("t"), 1);
  EXPECT_EQ(db->collection("c").find().all(), std::vector<std::string>{R"({"_id":7})"});
}

TEST_F(DatabaseTest, a_select_stays_at_the_moment_of_its_call_while_the_transaction_writes) {
  db->sql("CREATE TABLE t(x)");
  db->sql("INSERT INTO t VALUES(1), (2), (3)");
  db->collection("c").insert(R"({"_id":1})");
  db->write([](Transaction& tx) {
    Rows rows = tx.sql("SELECT x FROM t");
    Documents documents = tx.collection("c").find();
    tx.sql("DELETE FROM t");
    tx.collection("c").insert(R"({"_id":2})");
    EXPECT_EQ(rows.all<std::int64_t>(), (std::vector<std::int64_t>{1, 2, 3}));
    EXPECT_EQ(documents.all().size(), 1u);
  });
}

TEST_F(DatabaseTest, an_update_of_many_meets_each_document_once) {
  for (int i = 0; i < 100; ++i) db->collection("c").insert(R"({"_id":)" + std::to_string(i) + R"(,"n":0})");
  EXPECT_EQ(db->collection("c").update_many("{}", R"({"$inc":{"n":1}})").modified, 100u);
  EXPECT_EQ(db->collection("c").count(R"({"n":1})"), 100u);
}

TEST_F(DatabaseTest, finds_sort_skip_and_limit) {
  for (int i = 0; i < 10; ++i)
    db->collection("c").insert(R"({"_id":)" + std::to_string(i) + R"(,"n":)" + std::to_string(i % 5) + "}");
  auto cursor = db->collection("c").find(R"({"n":{"$gte":1}})", {.sort = R"({"n":-1,"_id":1})", .skip = 1, .limit = 2});
  EXPECT_EQ(cursor.all(), (std::vector<std::string>{R"({"_id":9,"n":4})", R"({"_id":3,"n":3})"}));
}

TEST_F(DatabaseTest, concurrent_appends_do_not_conflict_and_leave_no_gap) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) db->write([&](Transaction& tx) { tx.stream("s").append({.data = std::to_string(i)}); });
    });
  for (auto& thread : threads) thread.join();
  const auto events = db->stream("s").read(0, 1000);
  ASSERT_EQ(events.size(), 100u);
  for (std::size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i].offset, i);
}

TEST_F(DatabaseTest, write_gets_through_under_contention_on_one_document_and_one_row) {
  db->sql("CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER)");
  db->sql("INSERT INTO t VALUES(1, 0)");
  db->collection("c").insert(R"({"_id":1,"n":0})");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
        db->write([&](Transaction& tx) { tx.collection("c").update_one(R"({"_id":1})", R"({"$inc":{"n":1}})"); });
        db->write([&](Transaction& tx) {
          const auto n = tx.sql("SELECT n FROM t WHERE id = 1").one<std::int64_t>();
          tx.sql("UPDATE t SET n = ? WHERE id = 1", n + 1);
        });
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(db->collection("c").get(1), R"({"_id":1,"n":100})");
  EXPECT_EQ(db->sql("SELECT n FROM t").one<std::int64_t>(), 100);
}

TEST_F(DatabaseTest, plain_sqlite_sees_every_acknowledged_commit_while_the_database_is_open) {
  db->sql("CREATE TABLE t(x)");
  for (int i = 1; i <= 3; ++i) {
    db->sql("INSERT INTO t VALUES(?)", i);
    FILE* pipe = ::popen(("sqlite3 '" + (directory / "db") + "/relational.db' 'SELECT count(*) FROM t'").c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    char line[32] = {};
    ASSERT_NE(std::fgets(line, sizeof line, pipe), nullptr);
    ::pclose(pipe);
    EXPECT_EQ(std::stoi(line), i);
  }
}

TEST_F(DatabaseTest, parameters_bind_by_position_and_by_name_and_rows_are_typed) {
  auto rows = db->sql("SELECT :i, :r, :t, :n", {{"i", 9007199254740993}, {":r", 1.5}, {"t", "a\0b"}, {"n", nullptr}});
  ASSERT_TRUE(rows.next());
  EXPECT_EQ(rows.row().get<std::int64_t>(0), 9007199254740993);
  EXPECT_EQ(rows.row().get<double>(1), 1.5);
  EXPECT_EQ(rows.row().get<std::optional<std::string>>(3), std::nullopt);
  expect_error(ErrorCode::invalid, [&] { rows.row().get<std::int64_t>(3); }, "NULL", "std::optional");
  expect_error(ErrorCode::invalid, [&] { rows.row().get<std::int64_t>(2); }, "TEXT");
  expect_error(ErrorCode::invalid, [&] { rows.row().get<std::int64_t>(9); }, "column 9");
  expect_error(ErrorCode::not_found, [&] { db->sql("SELECT 1 WHERE 0").one<int>(); });
  expect_error(ErrorCode::invalid, [&] { db->sql("SELECT 1 UNION SELECT 2").one<int>(); }, "more than one row");
}

TEST_F(DatabaseTest, an_ended_transaction_and_what_was_taken_from_it_say_so) {
  db->sql("CREATE TABLE t(x)");
  db->sql("INSERT INTO t VALUES(1), (2)");
  std::optional<Collection> collection;
  std::optional<Rows> rows;
  std::optional<Documents> documents;
  {
    Transaction tx = db->begin();
    collection = tx.collection("c");
    collection->insert(R"({"_id":1})");
    documents = collection->find();
    rows = tx.sql("SELECT x FROM t");
    tx.commit();
    expect_error(ErrorCode::invalid, [&] { tx.commit(); }, "ended");
    expect_error(ErrorCode::invalid, [&] { tx.sql("SELECT 1"); }, "ended");
  }
  expect_error(ErrorCode::invalid, [&] { collection->insert("{}"); }, "ended");
  expect_error(ErrorCode::closed, [&] { rows->next(); }, "ended");
  expect_error(ErrorCode::invalid, [&] { documents->next(); }, "ended");
}

TEST_F(DatabaseTest, a_snapshot_refuses_writes) {
  db->sql("CREATE TABLE t(x)");
  const Snapshot at = db->snapshot();
  expect_error(ErrorCode::readonly, [&] { at.sql("DROP TABLE t"); }, "transaction");
  expect_error(ErrorCode::readonly, [&] { at.sql("WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x"); }, "transaction");
}

TEST_F(DatabaseTest, a_definition_that_has_nothing_to_do_is_done) {
  db->sql("CREATE TABLE t(x)");
  for (const char* sql : {"REINDEX t", "REINDEX nocase", "DROP TABLE IF EXISTS absent", "ANALYZE"}) {
    SCOPED_TRACE(sql);
    Rows rows = db->sql(sql);
    EXPECT_FALSE(rows.next());
    EXPECT_EQ(rows.changes(), 0);
  }
}

TEST_F(DatabaseTest, what_would_break_the_transaction_is_refused_with_the_cure) {
  expect_error(ErrorCode::unsupported, [&] { db->sql("VACUUM"); }, "compact");
  Transaction tx = db->begin();
  tx.sql("CREATE TABLE t(x)");
  EXPECT_THROW(tx.sql("COMMIT"), Error);
  EXPECT_THROW(tx.sql("ATTACH 'x' AS y"), Error);
  EXPECT_THROW(tx.sql("CREATE TEMP TABLE u(x)"), Error);
  EXPECT_THROW(tx.sql("DELETE FROM _stele_outbox"), Error);
  EXPECT_THROW(tx.sql("PRAGMA journal_mode=DELETE"), Error);
  tx.sql("INSERT INTO t VALUES(1)");
  tx.commit();
  EXPECT_EQ(count("t"), 1);
}

TEST_F(DatabaseTest, names_keys_and_documents_that_cannot_be_stored_are_refused_and_change_nothing) {
  expect_error(ErrorCode::invalid, [&] { db->collection("").insert("{}"); }, "name", "empty");
  expect_error(ErrorCode::invalid, [&] { db->collection("_stele_x").insert("{}"); }, "reserved");
  expect_error(ErrorCode::invalid, [&] { db->collection(std::string("a\0b", 3)).insert("{}"); }, "NUL");
  expect_error(ErrorCode::invalid, [&] { db->collection("\xff").insert("{}"); }, "UTF-8");
  expect_error(ErrorCode::too_large, [&] { db->collection("c").insert(R"({"_id":")" + std::string(9000, 'x') + "\"}"); });
  expect_error(ErrorCode::invalid, [&] { db->collection("c").insert("[1]"); });
  expect_error(ErrorCode::invalid, [&] { db->collection("c").insert(R"({"a":1,"a":2})"); }, "a");
  expect_error(ErrorCode::invalid, [&] { db->collection("c").find(R"({"$foo":1})"); }, "$foo");
  expect_error(ErrorCode::invalid, [&] { db->stream("s").append({.data = "{"}); });
  expect_error(ErrorCode::too_large, [&] { db->stream("s").append({.key = std::string(9000, 'k'), .data = "1"}); });
  EXPECT_TRUE(db->collections().empty());
  EXPECT_TRUE(db->streams().empty());
}

TEST_F(DatabaseTest, dropping_a_collection_removes_its_documents_and_a_new_one_of_that_name_is_empty) {
  db->collection("c").insert(R"({"_id":1})");
  EXPECT_TRUE(db->collection("c").drop());
  EXPECT_FALSE(db->collection("c").drop());
  EXPECT_EQ(db->collection("c").get(1), std::nullopt);
  db->collection("c").insert(R"({"_id":2})");
  EXPECT_EQ(db->collection("c").count(), 1u);
}

TEST_F(DatabaseTest, a_write_inside_a_write_is_refused_instead_of_waiting_for_itself) {
  db->write([&](Transaction& tx) {
    tx.collection("c").insert(R"({"_id":1})");
    expect_error(ErrorCode::invalid, [&] { db->collection("c").insert("{}"); }, "transaction that the body was given");
  });
  EXPECT_EQ(db->collection("c").count(), 1u);
}

TEST_F(DatabaseTest, close_waits_for_nobody_and_afterwards_everything_is_closed) {
  auto tx = std::optional(db->begin());
  expect_error(ErrorCode::busy, [&] { db->close(); }, "1 transactions");
  tx.reset();
  db->close();
  expect_error(ErrorCode::closed, [&] { db->sql("SELECT 1"); });
  expect_error(ErrorCode::closed, [&] { db->collection("c").get(1); });
  expect_error(ErrorCode::closed, [&] { db->close(); });
  open();
}

TEST_F(DatabaseTest, compact_gives_space_back_and_keeps_the_data) {
  db->sql("CREATE TABLE t(x)");
  db->sql("INSERT INTO t SELECT randomblob(1000) FROM (WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c LIMIT 2000) SELECT i FROM c)");
  db->sql("DELETE FROM t WHERE rowid > 10");
  db->compact();
  EXPECT_EQ(count("t"), 10);
  db->collection("c").insert(R"({"_id":1})");
  reopen();
  EXPECT_EQ(count("t"), 10);
  EXPECT_LT(std::filesystem::file_size(directory / "db/relational.db"), 1'600'000u);
}

TEST(InMemory, a_database_in_memory_has_all_tiers_and_leaves_nothing) {
  // Of this process only: other programs may have databases in memory, too.
  const auto open_directories = [] {
    std::set<std::string> found;
    std::error_code gone;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      const auto target = std::filesystem::read_symlink(entry.path(), gone);
      if (!gone && target.string().starts_with("/dev/shm/stele-")) found.insert(target.parent_path());
    }
    return found;
  };
  std::set<std::string> directories;
  {
    auto db = Database::in_memory();
    db.sql("CREATE TABLE t(x)");
    db.write([](Transaction& tx) {
      tx.sql("INSERT INTO t VALUES(1)");
      tx.collection("c").insert(R"({"_id":1})");
      tx.stream("s").append({.data = "1"});
    });
    EXPECT_EQ(db.collection("c").count(), 1u);
    EXPECT_EQ(db.stream("s").end_offset(), 1u);
    EXPECT_EQ(db.sql("SELECT count(*) FROM t").one<int>(), 1);
    directories = open_directories();
  }
  EXPECT_FALSE(directories.empty());
  for (const std::string& directory : directories) EXPECT_FALSE(std::filesystem::exists(directory)) << directory;
}

}  // namespace
}  // namespace stele
