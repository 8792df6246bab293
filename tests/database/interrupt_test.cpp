// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Every kind of work that takes long ends soon after a deadline and after a cancel from another thread, and the
// database works afterwards. Promised are 100 ms; a loaded machine gets more, and the time taken is printed.
#include <gtest/gtest.h>
#include <stele/check.h>
#include <stele/stele.h>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <chrono>
#include <functional>
#include <iostream>
#include <thread>

namespace stele {
namespace {

using testing::expect_error;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// What the work may take: its transaction is begun with these.
struct Within {
  std::optional<std::chrono::milliseconds> deadline = {};
  std::stop_token cancel = {};

  ReadOptions reading() const { return {.deadline = deadline, .cancel = cancel}; }
  WriteOptions writing() const { return {.deadline = deadline, .cancel = cancel}; }
};

constexpr auto before_it_ends = 60ms;

class Interrupts : public ::testing::Test {
 protected:
  Interrupts() : db(Database::open(directory / "db", {.lock_timeout = 60s})) {
    db.sql("CREATE TABLE t(a INTEGER PRIMARY KEY, b)");
    db.sql(
        "INSERT INTO t SELECT value, value % 97 FROM (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 "
        "FROM n "
        "LIMIT 3000) SELECT value FROM n)");
  }

  /// So many that no verb walks through them before it is interrupted.
  void fill(int documents = 60'000) {
    const std::string text(200, 'x');
    for (int from = 0; from < documents; from += 5000)
      db.write({.durability = Durability::relaxed}, [&](Transaction& tx) {
        for (int i = from; i < from + 5000; ++i)
          tx.collection("c").insert("{\"_id\":" + std::to_string(i) + ",\"n\":" + std::to_string(i * 7919 % 10007) +
                                    ",\"text\":\"" + text + "\"}");
      });
  }

  void expect_interrupted(const char* what, const std::function<void(const Within&)>& work) {
    std::stop_source stop;
    std::thread canceller([&] {
      std::this_thread::sleep_for(before_it_ends);
      stop.request_stop();
    });
    measure(what, "cancel", [&] { work({.cancel = stop.get_token()}); });
    canceller.join();
    measure(what, "deadline", [&] { work({.deadline = before_it_ends}); });
    expect_works();
  }

  void measure(const char* what, const char* reason, const std::function<void()>& work) {
    SCOPED_TRACE(std::string(what) + ", " + reason);
    const auto begin = Clock::now();
    const Error error = expect_error(ErrorCode::interrupted, work);
    const auto late = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin - before_it_ends);
    const auto found = error.detail().find("reason");
    EXPECT_EQ(found == error.detail().end() ? "" : found->second, reason);
    EXPECT_LT(late, 2s);
    std::cout << "  " << what << ": " << late.count() << " ms after the " << reason << "\n";
  }

  void expect_works() {
    const int probe = ++probes;
    db.write([&](Transaction& tx) {
      tx.sql("INSERT INTO t VALUES(?, 0)", 1'000'000 + probe);
      tx.collection("probe").insert("{\"_id\":" + std::to_string(probe) + "}");
    });
    EXPECT_EQ(db.collection("probe").count(), static_cast<std::uint64_t>(probe));
    EXPECT_EQ(db.sql("SELECT count(*) FROM t WHERE a > 1000000").one<int>(), probe);
  }

  int probes = 0;
  testing::TemporaryDirectory directory;
  Database db;
};

TEST_F(Interrupts, select) {
  const std::string endless = "SELECT count(*) FROM t x, t y, t z, t w";
  expect_interrupted("SELECT in a snapshot", [&](const Within& within) {
    db.read(within.reading(), [&](const Snapshot& at) { at.sql(endless).one<int>(); });
  });
  expect_interrupted("SELECT alone", [&](const Within& within) {
    db.run_sql(endless, std::span<const Value>(), within.writing()).one<int>();
  });
  expect_interrupted("SELECT of endless rows", [&](const Within& within) {
    Rows rows = db.run_sql("SELECT x.a FROM t x, t y, t z", std::span<const Value>(), within.writing());
    while (rows.next()) continue;
  });
}

TEST_F(Interrupts, update) {
  expect_interrupted("UPDATE", [&](const Within& within) {
    db.write(within.writing(),
             [](Transaction& tx) { tx.sql("UPDATE t SET b = (SELECT count(*) FROM t x, t y, t z)"); });
  });
  EXPECT_EQ(db.sql("SELECT count(*) FROM t WHERE b > 96").one<int>(), 0);
  expect_interrupted("INSERT alone", [&](const Within& within) {
    db.run_sql("INSERT INTO t SELECT x.a * 9000000 + y.a * 3000 + z.a + 2000000, 1 FROM t x, t y, t z",
               std::span<const Value>(), within.writing());
  });
}

TEST_F(Interrupts, finds) {
  fill();
  const auto all = [](const CollectionReader& c, const std::string& filter, const FindOptions& options) {
    for (;;) {  // one pass may be done in time
      Documents found = c.find(filter, options);
      while (found.next()) continue;
    }
  };
  expect_interrupted("find", [&](const Within& within) {
    db.read(within.reading(), [&](const Snapshot& at) { all(at.collection("c"), R"({"text":"y"})", {}); });
  });
  expect_interrupted("find alone", [&](const Within& within) {
    Documents found = db.collection("c", within.writing()).find();  // the deadline is that of one call
    while (found.next()) std::this_thread::sleep_for(1ms);
  });
  expect_interrupted("find with sort", [&](const Within& within) {
    db.read(within.reading(),
            [&](const Snapshot& at) { all(at.collection("c"), "{}", {.sort = R"({"n":1,"text":-1})"}); });
  });
  expect_interrupted("count", [&](const Within& within) {
    db.read(within.reading(), [&](const Snapshot& at) {
      for (;;) at.collection("c").count(R"({"n":{"$mod":[3,1]}})");
    });
  });
  expect_interrupted("distinct", [&](const Within& within) {
    db.read(within.reading(), [&](const Snapshot& at) {
      for (;;) at.collection("c").distinct("n");
    });
  });
}

TEST_F(Interrupts, a_find_that_was_interrupted_does_not_look_finished) {
  fill(20'000);
  std::stop_source stop;
  Documents found = db.collection("c", {.cancel = stop.get_token()}).find("{}", {.sort = R"({"n":1})"});
  ASSERT_TRUE(found.next());
  Documents sorted = db.collection("c", {.cancel = stop.get_token()}).find();
  ASSERT_TRUE(sorted.next());
  stop.request_stop();
  expect_error(
      ErrorCode::interrupted, [&] { sorted.next(); }, "cancelled");
  expect_error(
      ErrorCode::closed, [&] { sorted.next(); }, "ended with an error");
  found = std::move(sorted);  // which holds nothing any more
  db.close();
}

TEST_F(Interrupts, expressions_within_one_document) {
  db.collection("c").insert(R"({"_id":1})");
  const std::string range = R"({"$range":[0,100000]})";
  const std::string sum = R"({"$reduce":{"input":)" + range + R"(,"initialValue":0,"in":{"$reduce":{"input":)" + range +
                          R"(,"initialValue":"$_id","in":{"$add":["$$value",1]}}}}})";
  expect_interrupted("$reduce in $reduce", [&](const Within& within) {
    db.collection("c", within.writing()).count("{\"$expr\":{\"$gt\":[" + sum + ",0]}}");
  });
  std::string constant = sum;
  constant.replace(constant.find("\"$_id\""), 6, "0");
  expect_interrupted("a constant that is computed when the filter is read", [&](const Within& within) {
    db.collection("c", within.writing()).count("{\"$expr\":{\"$gt\":[" + constant + ",0]}}");
  });
  expect_interrupted("the same in an update", [&](const Within& within) {
    db.write(within.writing(),
             [&](Transaction& tx) { tx.collection("c").update_one("{}", R"([{"$set":{"x":)" + sum + "}}]"); });
  });
  EXPECT_EQ(db.collection("c").get(1), R"({"_id":1})");
}

TEST_F(Interrupts, update_many_and_remove_many) {
  fill();
  expect_interrupted("update_many", [&](const Within& within) {
    db.write(within.writing(), [](Transaction& tx) {
      for (;;) tx.collection("c").update_many("{}", R"({"$inc":{"n":1}})");
    });
  });
  EXPECT_EQ(db.collection("c").count(R"({"_id":1,"n":7919})"), 1u);
  expect_interrupted("remove_many", [&](const Within& within) {
    db.write(within.writing(), [](Transaction& tx) {
      for (;;) {
        tx.savepoint("p");
        tx.collection("c").remove_many(R"({"n":{"$gte":0}})");
        tx.rollback_to("p");
      }
    });
  });
  EXPECT_EQ(db.collection("c").count(), 60'000u);
}

TEST_F(Interrupts, a_build_of_an_index_leaves_nothing) {
  fill();
  expect_interrupted("create_index", [&](const Within& within) {
    db.collection("c", within.writing()).create_index(R"({"n":1,"text":1})");
    ADD_FAILURE() << "was too fast to be interrupted";
  });
  EXPECT_EQ(db.collection("c").indexes().size(), 1u) << "that of _id";
  expect_interrupted("create_index in a transaction", [&](const Within& within) {
    db.write(within.writing(), [](Transaction& tx) { tx.collection("c").create_index(R"({"text":1,"n":1})"); });
  });
  EXPECT_EQ(db.collection("c").indexes().size(), 1u) << "that of _id";
  db.collection("c").create_index(R"({"n":1})");
  EXPECT_EQ(db.collection("c").count(R"({"n":7919})"),
            db.collection("c").find(R"({"n":7919})", {.hint = "$natural"}).all().size());
}

TEST_F(Interrupts, the_wait_for_the_writer_lock) {
  std::optional<Transaction> holder(db.begin({.writes_sql = true}));
  const auto waits = [&](const char* what, const std::function<void(const Within&)>& work) {
    std::stop_source stop;
    std::thread([&] {
      std::thread canceller([&] {
        std::this_thread::sleep_for(before_it_ends);
        stop.request_stop();
      });
      measure(what, "cancel", [&] { work({.cancel = stop.get_token()}); });
      canceller.join();
      measure(what, "deadline", [&] { work({.deadline = before_it_ends}); });
    }).join();
  };
  waits("write waiting for the writer lock",
        [&](const Within& within) { db.write(within.writing(), [](Transaction& tx) { tx.sql("DELETE FROM t"); }); });
  waits("begin waiting for the writer lock", [&](const Within& within) {
    WriteOptions options = within.writing();
    options.writes_sql = true;
    db.begin(options);
  });
  holder.reset();
  expect_works();
}

TEST_F(Interrupts, deep_checks) {
  fill();
  db.close();
  const auto check_again_and_again = [&](const Within& within) {
    for (;;) check(directory / "db", {.deep = true, .deadline = within.deadline, .cancel = within.cancel});
  };
  std::stop_source stop;
  std::thread canceller([&] {
    std::this_thread::sleep_for(before_it_ends);
    stop.request_stop();
  });
  measure("check --deep", "cancel", [&] { check_again_and_again({.cancel = stop.get_token()}); });
  canceller.join();
  measure("check --deep", "deadline", [&] { check_again_and_again({.deadline = before_it_ends}); });
  EXPECT_TRUE(check(directory / "db", {.deep = true}).empty());
  db = Database::open(directory / "db");
  expect_works();
}

TEST_F(Interrupts, a_cancelled_transaction_takes_no_more_calls_and_commits_nothing) {
  std::stop_source stop;
  {
    Transaction tx = db.begin({.cancel = stop.get_token()});
    tx.sql("DELETE FROM t");
    tx.collection("c").insert(R"({"_id":1})");
    stop.request_stop();
    expect_error(
        ErrorCode::interrupted, [&] { tx.collection("c").count(); }, "cancelled");
    expect_error(
        ErrorCode::interrupted, [&] { tx.commit(); }, "cancelled");
  }
  EXPECT_EQ(db.sql("SELECT count(*) FROM t").one<int>(), 3000);
  EXPECT_EQ(db.collection("c").count(), 0u);
  expect_works();
}

TEST_F(Interrupts, a_cancel_after_the_end_changes_nothing) {
  std::stop_source stop;
  db.write({.cancel = stop.get_token()}, [](Transaction& tx) { tx.collection("c").insert(R"({"_id":1})"); });
  stop.request_stop();
  EXPECT_EQ(db.collection("c").count(), 1u);
  expect_error(ErrorCode::interrupted,
               [&] { db.read({.cancel = stop.get_token()}, [](const Snapshot& at) { at.sql("SELECT 1"); }); });
}

}  // namespace
}  // namespace stele
