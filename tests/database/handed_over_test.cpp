// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Transactions that go from thread to thread, are forgotten, stand inside each other, or meet a close.
#include <gtest/gtest.h>
#include <stele/stele.h>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <chrono>
#include <future>
#include <thread>

namespace stele {
namespace {

using testing::expect_error;
using namespace std::chrono_literals;

class HandedOver : public ::testing::Test {
 protected:
  HandedOver() : db(Database::open(directory / "db", {.lock_timeout = 500ms})) { db.sql("CREATE TABLE t(a)"); }
  /// In another thread, to its end.
  template <class Body>
  void elsewhere(Body&& body) {
    std::thread(body).join();
  }
  int rows() { return db.sql("SELECT count(*) FROM t").one<int>(); }

  testing::TemporaryDirectory directory;
  Database db;
};

TEST_F(HandedOver, a_transaction_that_wrote_sql_is_used_and_committed_in_another_thread) {
  Transaction tx = db.begin();
  tx.sql("INSERT INTO t VALUES(1)");
  tx.collection("c").insert(R"({"_id":1})");
  elsewhere([&] {
    tx.sql("INSERT INTO t VALUES(2)");
    tx.stream("s").append({.data = "1"});
  });
  Rows rows_of_here = tx.sql("SELECT a FROM t");
  elsewhere([&] {
    EXPECT_EQ(rows_of_here.all<int>().size(), 2u);
    tx.commit();
  });
  EXPECT_EQ(rows(), 2);
  EXPECT_EQ(db.collection("c").count(), 1u);
  EXPECT_EQ(db.stream("s").end_offset(), 1u);
  db.sql("INSERT INTO t VALUES(3)");  // the writer lock is free
}

TEST_F(HandedOver, a_transaction_is_rolled_back_by_the_thread_that_drops_it) {
  auto tx = std::make_unique<Transaction>(db.begin({.writes_sql = true}));
  tx->sql("INSERT INTO t VALUES(1)");
  elsewhere([&] { tx.reset(); });
  EXPECT_EQ(rows(), 0);
  elsewhere([&] { db.sql("INSERT INTO t VALUES(1)"); });
  EXPECT_EQ(rows(), 1);
}

TEST_F(HandedOver, who_gave_the_transaction_away_waits_for_it_and_who_has_it_does_not) {
  Transaction tx = db.begin();
  tx.sql("INSERT INTO t VALUES(1)");
  const Error own = expect_error(
      ErrorCode::busy, [&] { db.sql("INSERT INTO t VALUES(2)"); }, "this thread");
  EXPECT_EQ(own.detail().at("reason"), "same_thread");
  std::promise<void> taken;
  std::thread other([&] {
    tx.sql("INSERT INTO t VALUES(3)");
    expect_error(
        ErrorCode::busy, [&] { db.sql("INSERT INTO t VALUES(4)"); }, "this thread");
    taken.set_value();
    std::this_thread::sleep_for(100ms);
    tx.commit();
  });
  taken.get_future().wait();
  db.sql("INSERT INTO t VALUES(5)");  // waits until the other thread has committed
  other.join();
  EXPECT_EQ(rows(), 3);
}

TEST_F(HandedOver, a_transaction_left_open_is_the_others_busy_and_not_their_hang) {
  auto leaked = std::make_unique<Transaction>(db.begin());
  leaked->sql("INSERT INTO t VALUES(1)");
  elsewhere([&] {
    const auto begin = std::chrono::steady_clock::now();
    const Error error = expect_error(
        ErrorCode::busy, [&] { db.sql("INSERT INTO t VALUES(2)"); }, "writer lock", "500 ms");
    EXPECT_EQ(error.detail().at("reason"), "lock_timeout");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
    db.collection("c").insert("{}");  // needs no writer lock
    EXPECT_EQ(db.sql("SELECT count(*) FROM t").one<int>(), 0);
  });
  expect_error(
      ErrorCode::busy, [&] { db.close(); }, "1 transactions");
  leaked.reset();
  db.close();
}

TEST_F(HandedOver, a_write_inside_a_write_is_refused_in_every_spelling) {
  db.write([&](Transaction& tx) {
    tx.sql("INSERT INTO t VALUES(1)");
    const std::string_view cure = "the transaction that the body was given";
    expect_error(
        ErrorCode::invalid, [&] { db.write([](Transaction&) {}); }, cure);
    expect_error(
        ErrorCode::invalid, [&] { db.sql("INSERT INTO t VALUES(2)"); }, cure);
    expect_error(
        ErrorCode::invalid, [&] { db.collection("c").insert("{}"); }, cure);
    expect_error(
        ErrorCode::invalid, [&] { db.stream("s").append({.data = "1"}); }, cure);
    expect_error(
        ErrorCode::invalid, [&] { db.collection("c").create_index(R"({"a":1})"); }, cure);
    EXPECT_EQ(db.collection("c").count(), 0u);  // reading is no write
    tx.collection("c").insert(R"({"_id":1})");
  });
  EXPECT_EQ(rows(), 1);
  EXPECT_EQ(db.collection("c").count(), 1u);
}

TEST_F(HandedOver, a_transaction_begun_by_hand_inside_a_write_cannot_wait_for_it) {
  db.write([&](Transaction& tx) {
    tx.sql("INSERT INTO t VALUES(1)");
    Transaction inner = db.begin();
    inner.collection("c").insert(R"({"_id":1})");
    expect_error(
        ErrorCode::busy, [&] { inner.sql("INSERT INTO t VALUES(2)"); }, "this thread");
    inner.commit();
  });
  EXPECT_EQ(rows(), 1);
  EXPECT_EQ(db.collection("c").count(), 1u);
}

TEST_F(HandedOver, a_close_meanwhile_is_busy_and_disturbs_nobody) {
  Transaction tx = db.begin();
  tx.sql("INSERT INTO t VALUES(1)");
  elsewhere([&] {
    expect_error(
        ErrorCode::busy, [&] { db.close(); }, "1 transactions");
  });
  tx.sql("INSERT INTO t VALUES(2)");
  tx.commit();
  elsewhere([&] { db.close(); });
  expect_error(
      ErrorCode::closed, [&] { db.begin(); }, "closed");
  expect_error(
      ErrorCode::closed, [&] { db.snapshot(); }, "closed");
  expect_error(ErrorCode::closed, [&] { tx.sql("SELECT 1"); });
}

}  // namespace
}  // namespace stele
