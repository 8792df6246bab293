// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Handles, cursors and threads against commit and close.
#include <gtest/gtest.h>
#include <stele/stele.h>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <unistd.h>

#include <filesystem>
#include <thread>

namespace stele {
namespace {

using testing::expect_error;

class LifetimeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    db.emplace(Database::open(directory / "db"));
    db->sql("CREATE TABLE t(x)");
    db->sql("INSERT INTO t VALUES(1), (2), (3)");
    for (int i = 0; i < 3; ++i) db->collection("c").insert(R"({"_id":)" + std::to_string(i) + "}");
  }

  testing::TemporaryDirectory directory;
  std::optional<Database> db;
};

TEST_F(LifetimeTest, close_is_busy_while_a_cursor_is_open_and_works_when_it_is_gone) {
  {
    Documents documents = db->collection("c").find();
    ASSERT_TRUE(documents.next());
    expect_error(ErrorCode::busy, [&] { db->close(); }, "cursors");
  }
  {
    Rows rows = db->sql("SELECT x FROM t");
    ASSERT_TRUE(rows.next());
    expect_error(ErrorCode::busy, [&] { db->close(); }, "cursors");
  }
  db->close();
}

TEST_F(LifetimeTest, a_document_cursor_may_outlive_its_transaction_and_the_database) {
  std::optional<Documents> documents;
  {
    Transaction tx = db->begin();
    documents = tx.collection("c").find();
    ASSERT_TRUE(documents->next());
    tx.commit();
  }
  db->close();
  db.reset();
  EXPECT_THROW(documents->next(), Error);
}

TEST_F(LifetimeTest, rows_keep_a_dropped_database_open_until_they_are_read) {
  Rows rows = db->sql("SELECT x FROM t");
  db.reset();
  EXPECT_EQ(rows.all<std::int64_t>().size(), 3u);
}

TEST_F(LifetimeTest, close_beside_committing_threads_is_busy_or_clean) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&] {
      try {
        while (!stop) db->write([&](Transaction& tx) { tx.collection("c").put(R"({"_id":9})"); });
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::closed) << error.message();
      }
    });
  for (int attempt = 0; attempt < 1000; ++attempt) {
    try {
      db->close();
      break;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::busy) << error.message();
    }
  }
  stop = true;
  for (auto& thread : threads) thread.join();
}

TEST_F(LifetimeTest, a_commit_inside_the_body_of_write_is_refused_and_the_write_goes_on) {
  db->write([](Transaction& tx) {
    tx.sql("INSERT INTO t VALUES(4)");
    expect_error(ErrorCode::invalid, [&] { tx.commit(); }, "body", "begin");
    expect_error(ErrorCode::invalid, [&] { tx.rollback(); }, "body");
  });
  EXPECT_EQ(db->sql("SELECT count(*) FROM t").one<int>(), 4);
}

TEST_F(LifetimeTest, an_open_find_across_the_first_sql_write_is_validated_to_its_end) {
  Transaction tx = db->begin();
  Documents documents = tx.collection("c").find();
  ASSERT_TRUE(documents.next());
  db->collection("c").update_one(R"({"_id":2})", R"({"$set":{"changed":true}})");
  expect_error(ErrorCode::conflict, [&] { tx.sql("INSERT INTO t VALUES(4)"); });
}

TEST_F(LifetimeTest, a_relative_directory_stays_where_it_was_opened_when_the_program_changes_directory) {
  const std::string here = std::filesystem::current_path();
  ASSERT_EQ(::chdir(directory.path().c_str()), 0);
  {
    auto relative = Database::open("relative");
    std::filesystem::create_directory("elsewhere");
    ASSERT_EQ(::chdir("elsewhere"), 0);
    relative.sql("CREATE TABLE t(x)");
    relative.write([](Transaction& tx) {
      tx.sql("INSERT INTO t VALUES(1)");
      tx.collection("c").insert(R"({"_id":1,"large":")" + std::string(1 << 20, 'x') + "\"}");
    });
    relative.close();
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory / "elsewhere"));
  ASSERT_EQ(::chdir(here.c_str()), 0);
  auto again = Database::open(directory / "relative");
  EXPECT_EQ(again.collection("c").count(), 1u);
}

TEST_F(LifetimeTest, many_events_beside_a_row_travel_in_a_file_and_keep_their_offsets) {
  const std::string data = "\"" + std::string(10'000, 'e') + "\"";
  db->stream("s").append({.data = "0"});
  db->write([&](Transaction& tx) {
    tx.sql("INSERT INTO t VALUES(5)");
    for (int i = 0; i < 100; ++i) tx.stream("s").append({.data = data});  // 1 MB: more than an outbox row takes
  });
  db->close();
  db.emplace(Database::open(directory / "db"));
  const auto events = db->stream("s").read(0, 1000);
  ASSERT_EQ(events.size(), 101u);
  EXPECT_EQ(events.back().offset, 100u);
  EXPECT_EQ(events.back().data, data);
  EXPECT_TRUE(std::filesystem::is_empty(directory / "db/large"));
}

TEST_F(LifetimeTest, handles_that_were_moved_from_say_so) {
  Database gone = Database::in_memory();
  Collection collection = gone.collection("c");
  Stream stream = gone.stream("s");
  Rows rows = gone.sql("SELECT 1");
  Documents documents = collection.find();
  const Database db2 = std::move(gone);
  const Collection c2 = std::move(collection);
  const Stream s2 = std::move(stream);
  const Rows r2 = std::move(rows);
  const Documents d2 = std::move(documents);
  expect_error(ErrorCode::invalid, [&] { gone.sql("SELECT 1"); }, "database", "moved from");
  expect_error(ErrorCode::invalid, [&] { gone.close(); }, "moved from");
  expect_error(ErrorCode::invalid, [&] { collection.count(); }, "collection", "moved from");
  expect_error(ErrorCode::invalid, [&] { collection.insert("{}"); }, "moved from");
  expect_error(ErrorCode::invalid, [&] { stream.read(); }, "stream", "moved from");
  expect_error(ErrorCode::invalid, [&] { rows.next(); }, "rows", "moved from");
  expect_error(ErrorCode::invalid, [&] { documents.next(); }, "documents", "moved from");
}

TEST_F(LifetimeTest, a_transaction_that_was_moved_from_says_so) {
  Transaction tx = db->begin();
  Transaction other = std::move(tx);
  expect_error(ErrorCode::invalid, [&] { tx.sql("SELECT 1"); }, "moved from");
  expect_error(ErrorCode::invalid, [&] { tx.commit(); }, "moved from");
  expect_error(ErrorCode::invalid, [&] { tx.collection("c"); }, "moved from");
  other.commit();
}

TEST_F(LifetimeTest, a_failed_row_ends_its_cursor_instead_of_looking_like_the_end) {
  Rows rows = db->sql("SELECT CASE WHEN x = 2 THEN json('{') ELSE x END FROM t");
  ASSERT_TRUE(rows.next());
  EXPECT_THROW(rows.next(), Error);
  EXPECT_THROW(rows.next(), Error);
}

}  // namespace
}  // namespace stele
