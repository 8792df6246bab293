// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <stele/check.h>
#include <stele/stele.h>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace stele {
namespace {

using namespace std::chrono_literals;
using testing::expect_error;

/// Every test over a cache on disk and one in memory.
class Caches : public ::testing::TestWithParam<bool> {
 protected:
  Caches() : db(Database::open(directory / "db")), c(db.cache("c")) {
    if (GetParam()) c.create({.memory = true});
  }

  testing::TemporaryDirectory directory;
  Database db;
  Cache c;
};

INSTANTIATE_TEST_SUITE_P(Disk, Caches, ::testing::Values(false));
INSTANTIATE_TEST_SUITE_P(Memory, Caches, ::testing::Values(true));

TEST_P(Caches, values_are_any_bytes_under_any_key) {
  const std::string bytes("\0\xff\n", 3);
  EXPECT_EQ(c.get("k"), std::nullopt);
  for (const std::string& key : {std::string("k"), bytes, std::string(), std::string(8000, 'k')}) {
    EXPECT_TRUE(c.set(key, bytes + key).set);
    EXPECT_EQ(c.get(key), bytes + key);
  }
  EXPECT_TRUE(c.set("k", "").set);
  EXPECT_EQ(c.get("k"), "");
  EXPECT_EQ(c.set("k", std::string(1 << 20, 'v'), {.get = true}).previous, "");
  EXPECT_EQ(c.get("k")->size(), 1u << 20);
  expect_error(
      ErrorCode::too_large, [&] { c.set(std::string(8001, 'k'), "v"); }, "8001", "8000");
  expect_error(ErrorCode::too_large, [&] { c.get(std::string(8001, 'k')); });
  EXPECT_EQ(c.mget(std::vector<std::string>{"k", "absent", ""}).at(1), std::nullopt);
}

TEST_P(Caches, set_obeys_its_conditions) {
  EXPECT_FALSE(c.set("k", "1", {.when = SetIf::present}).set);
  EXPECT_TRUE(c.set("k", "1", {.when = SetIf::absent}).set);
  const SetResult refused = c.set("k", "2", {.when = SetIf::absent, .get = true});
  EXPECT_FALSE(refused.set);
  EXPECT_EQ(refused.previous, "1");
  EXPECT_TRUE(c.set("k", "2", {.when = SetIf::present}).set);
  EXPECT_EQ(c.getset("k", "3"), "2");
  EXPECT_TRUE(c.del("k"));
  EXPECT_FALSE(c.del("k"));
  EXPECT_EQ(c.getset("k", "4"), std::nullopt);
  EXPECT_EQ(c.del(std::vector<std::string>{"k", "k", "absent"}), 1u);
}

TEST_P(Caches, what_has_expired_is_not_there) {
  c.set("k", "v", {.ttl = 10min});
  EXPECT_EQ(c.get("k"), "v");
  c.expire("k", 30ms);
  std::this_thread::sleep_for(40ms);
  EXPECT_EQ(c.get("k"), std::nullopt);
  EXPECT_EQ(c.pttl("k"), -2);
  EXPECT_FALSE(c.del("k"));
  EXPECT_FALSE(c.persist("k"));
  EXPECT_TRUE(c.scan().keys.empty());
  EXPECT_TRUE(c.set("k", "new", {.when = SetIf::absent}).set);
  EXPECT_EQ(c.incr("n"), 1);
  c.expire("n", 1ms);
  std::this_thread::sleep_for(3ms);
  EXPECT_EQ(c.incr("n"), 1) << "it begins anew";
}

TEST_P(Caches, times_to_live_are_as_in_redis) {
  EXPECT_EQ(c.ttl("k"), -2);
  c.set("k", "v");
  EXPECT_EQ(c.ttl("k"), -1);
  EXPECT_EQ(c.pttl("k"), -1);
  EXPECT_FALSE(c.expire("k", 10s, ExpireIf::some));
  EXPECT_FALSE(c.expire("k", 10s, ExpireIf::greater)) << "none is for ever";
  EXPECT_TRUE(c.expire("k", 100s, ExpireIf::none));
  EXPECT_EQ(c.ttl("k"), 100);
  EXPECT_FALSE(c.expire("k", 200s, ExpireIf::less));
  EXPECT_TRUE(c.expire("k", 50s, ExpireIf::less));
  EXPECT_TRUE(c.expire("k", 60s, ExpireIf::greater));
  c.set("k", "w", {.keep_ttl = true});
  EXPECT_EQ(c.ttl("k"), 60);
  EXPECT_EQ(c.incrbyfloat("f", 0.5), 0.5);
  c.expire("f", 70s);
  c.incrbyfloat("f", 1);
  EXPECT_EQ(c.ttl("f"), 70);
  EXPECT_TRUE(c.persist("k"));
  EXPECT_FALSE(c.persist("k"));
  c.set("k", "v", {.ttl = 10s});
  c.set("k", "v");
  EXPECT_EQ(c.ttl("k"), -1) << "a plain set takes it away";
  EXPECT_TRUE(c.expire("k", 0ms));
  EXPECT_EQ(c.get("k"), std::nullopt);
  const auto tomorrow = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now()) + 24h;
  c.set("k", "v", {.expire_at = tomorrow});
  EXPECT_NEAR(static_cast<double>(c.ttl("k")), 86400, 5);
  EXPECT_TRUE(c.expire_at("k", Timestamp(1s)));
  EXPECT_EQ(c.ttl("k"), -2);
}

TEST_P(Caches, bad_times_and_numbers_change_nothing) {
  c.set("k", "old");
  for (const auto ttl : {0ms, -1ms, std::chrono::milliseconds::max()})
    expect_error(
        ErrorCode::invalid, [&] { c.set("k", "new", {.ttl = ttl}); }, "time to live");
  expect_error(
      ErrorCode::invalid, [&] { c.set("k", "new", {.ttl = 1s, .keep_ttl = true}); }, "exclude");
  expect_error(ErrorCode::invalid, [&] { c.set("k", "new", {.expire_at = Timestamp(-1s)}); });
  expect_error(ErrorCode::invalid, [&] { c.expire("k", std::chrono::milliseconds::max()); });
  expect_error(
      ErrorCode::invalid, [&] { c.incr("k"); }, "integer");
  expect_error(
      ErrorCode::invalid, [&] { c.incrbyfloat("k", 1); }, "number");
  expect_error(
      ErrorCode::invalid, [&] { c.incrbyfloat("k", std::nan("")); }, "finite");
  EXPECT_EQ(c.get("k"), "old");
  c.set("n", "9223372036854775807");
  expect_error(ErrorCode::out_of_range, [&] { c.incr("n"); });
  EXPECT_EQ(c.incr("n", -1), INT64_MAX - 1);
  c.set("f", "1e308");
  expect_error(ErrorCode::out_of_range, [&] { c.incrbyfloat("f", 1.7e308); });
  for (const char* bad : {"", " 1", "1 ", "+1", "0x1", "1.0", "nan"}) {
    c.set("n", bad);
    expect_error(ErrorCode::invalid, [&] { c.incr("n"); });
  }
  expect_error(ErrorCode::invalid, [&] { c.throttle("t", {.count = 0}); });
  expect_error(ErrorCode::invalid, [&] { c.throttle("t", {.period = 0ms}); });
  expect_error(
      ErrorCode::invalid, [&] { c.throttle("k", {}); }, "not one of throttle");
  expect_error(ErrorCode::invalid, [&] { c.count("k", {.window = 0ms}); });
}

TEST_P(Caches, what_is_beyond_all_bounds_is_refused_and_changes_nothing) {
  c.set("k", "old", {.ttl = 1h});
  c.set("n", "-1");
  expect_error(ErrorCode::out_of_range, [&] { c.incr("n", INT64_MIN); });
  expect_error(ErrorCode::invalid, [&] { c.incrbyfloat("n", std::numeric_limits<double>::infinity()); });
  expect_error(ErrorCode::invalid, [&] { c.expire("k", std::chrono::milliseconds::min()); });
  expect_error(ErrorCode::invalid, [&] { c.set("k", "new", {.expire_at = Timestamp::min()}); });
  for (const ThrottleOptions& bad : {ThrottleOptions{.max_burst = UINT64_MAX}, ThrottleOptions{.count = UINT64_MAX},
                                     ThrottleOptions{.period = std::chrono::milliseconds::max()},
                                     ThrottleOptions{.period = -1ms}, ThrottleOptions{.quantity = UINT64_MAX}})
    expect_error(ErrorCode::invalid, [&] { c.throttle("t", bad); });
  for (const WindowLimit& bad :
       {WindowLimit{.max = UINT64_MAX}, WindowLimit{.window = std::chrono::milliseconds::max()},
        WindowLimit{.window = -1ms}, WindowLimit{.quantity = UINT64_MAX}})
    expect_error(ErrorCode::invalid, [&] { c.count("w", bad); });
  EXPECT_EQ(c.get("k"), "old");
  EXPECT_EQ(c.ttl("k"), 3600);
  EXPECT_EQ(c.get("n"), "-1");
  EXPECT_FALSE(c.exists("t") || c.exists("w"));
  EXPECT_TRUE(c.expire_at("k", Timestamp::max()));
  EXPECT_EQ(c.get("k"), "old");
  EXPECT_GT(c.ttl("k"), 0);
  EXPECT_TRUE(c.expire_at("k", Timestamp::min()));
  EXPECT_FALSE(c.exists("k"));
}

TEST_P(Caches, scan_gives_every_key_once_and_flush_removes_all) {
  std::set<std::string> expected;
  db.write([&](Transaction& tx) {
    Cache own = tx.cache("c");
    for (int i = 0; i < 300; ++i) own.set("key" + std::to_string(i), "v");
  });
  for (int i = 0; i < 300; ++i) expected.insert("key" + std::to_string(i));
  std::set<std::string> found;
  std::string cursor;
  do {
    ScanResult part = c.scan(cursor, 7);
    for (std::string& key : part.keys) EXPECT_TRUE(found.insert(std::move(key)).second);
    cursor = part.cursor;
  } while (!cursor.empty());
  EXPECT_EQ(found, expected);
  c.flush();
  EXPECT_TRUE(c.scan().keys.empty());
}

TEST_P(Caches, writes_in_a_transaction_commit_with_it) {
  c.set("k", "old");
  Transaction tx = db.begin();
  Cache own = tx.cache("c");
  own.set("k", "new");
  own.incr("n", 5);
  EXPECT_EQ(own.get("k"), "new");
  EXPECT_EQ(own.scan().keys.size(), 2u);
  EXPECT_EQ(c.get("k"), "old");
  expect_error(ErrorCode::invalid, [&] { own.incr("k"); });
  tx.savepoint("s");
  own.del("k");
  EXPECT_EQ(own.get("k"), std::nullopt);
  tx.rollback_to("s");
  EXPECT_EQ(own.get("k"), "new");
  tx.commit();
  EXPECT_EQ(c.get("k"), "new");
  EXPECT_EQ(c.get("n"), "5");
  try {
    db.write([](Transaction& other) {
      other.cache("c").flush();
      EXPECT_EQ(other.cache("c").get("n"), std::nullopt);
      throw std::runtime_error("no");
    });
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(c.get("n"), "5");
}

TEST_P(Caches, transactions_that_change_the_same_key_conflict) {
  c.set("n", "1");
  Transaction one = db.begin({.isolation = Isolation::snapshot});
  Transaction two = db.begin({.isolation = Isolation::snapshot});
  one.cache("c").incr("n");
  two.cache("c").incr("n");
  one.commit();
  expect_error(ErrorCode::conflict, [&] { two.commit(); });
  EXPECT_EQ(c.get("n"), "2");
}

TEST_P(Caches, what_a_transaction_has_read_and_then_written_is_still_so_when_it_commits) {
  for (const Isolation isolation : {Isolation::serializable, Isolation::snapshot}) {
    c.set("n", "1");
    c.del("absent");
    for (const char* key : {"n", "absent"}) {
      Transaction one = db.begin({.isolation = isolation});
      Transaction two = db.begin({.isolation = isolation});
      for (Transaction* tx : {&one, &two}) {
        Cache own = tx->cache("c");
        own.set(key, own.get(key).value_or("") + "+");
      }
      one.commit();
      expect_error(ErrorCode::conflict, [&] { two.commit(); });
    }
    EXPECT_EQ(c.get("n"), "1+");
    EXPECT_EQ(c.get("absent"), "+");
  }
}

TEST_P(Caches, a_serializable_transaction_that_writes_elsewhere_conflicts_with_a_change_of_what_it_read) {
  c.set("price", "3");
  const auto attempt = [&](Isolation isolation) {
    Transaction tx = db.begin({.isolation = isolation});
    tx.collection("bills").put(R"({"_id":)" + *tx.cache("c").get("price") + "}");
    c.set("price", "4");
    tx.commit();
  };
  expect_error(ErrorCode::conflict, [&] { attempt(Isolation::serializable); });
  attempt(Isolation::snapshot);
  EXPECT_EQ(db.collection("bills").count(), 1u);
  Transaction reads = db.begin();
  reads.cache("c").get("price");
  c.set("price", "5");
  reads.commit();
}

TEST_P(Caches, transactions_and_calls_of_their_own_lose_no_update_of_each_other) {
  constexpr int each = 20;
  std::int64_t called = 0;
  {
    std::jthread calls([&](std::stop_token stop) {
      for (Cache mine = db.cache("c"); !stop.stop_requested(); ++called) mine.incr("n");
    });
    for (int i = 0; i < each; ++i)
      db.write({.durability = Durability::relaxed}, [&](Transaction& tx) {
        Cache own = tx.cache("c");
        own.set("n", std::to_string(std::stoll(own.get("n").value_or("0")) + 1));
      });
  }
  EXPECT_EQ(c.get("n"), std::to_string(called + each));
}

TEST_P(Caches, no_increment_is_lost_under_many_threads) {
  constexpr int threads = 4, each = 300;
  {
    std::vector<std::jthread> running;
    for (int t = 0; t < threads; ++t)
      running.emplace_back([&] {
        Cache mine = db.cache("c");
        for (int i = 0; i < each; ++i) mine.incr(i % 2 ? "a" : "b");
      });
  }
  EXPECT_EQ(c.get("a"), std::to_string(threads * each / 2));
  EXPECT_EQ(c.get("b"), std::to_string(threads * each / 2));
}

TEST_P(Caches, a_throttle_lets_exactly_its_limit_through_under_many_threads) {
  std::atomic<int> allowed{0};
  {
    std::vector<std::jthread> running;
    for (int t = 0; t < 4; ++t)
      running.emplace_back([&] {
        Cache mine = db.cache("c");
        for (int i = 0; i < 20; ++i) allowed += !mine.throttle("k", {.max_burst = 9, .count = 1, .period = 1h}).limited;
      });
  }
  EXPECT_EQ(allowed, 10);
  const ThrottleResult refused = c.throttle("k", {.max_burst = 9, .count = 1, .period = 1h});
  EXPECT_TRUE(refused.limited);
  EXPECT_EQ(refused.limit, 10u);
  EXPECT_EQ(refused.remaining, 0u);
  ASSERT_TRUE(refused.retry_after.has_value());
  EXPECT_NEAR(static_cast<double>(refused.retry_after->count()), 3600e6, 60e6);
  EXPECT_NEAR(static_cast<double>(refused.reset_after.count()), 36000e6, 60e6);
  EXPECT_EQ(c.throttle("other", {.max_burst = 9, .count = 1, .period = 1h, .quantity = 11}).retry_after, std::nullopt)
      << "never";
  const ThrottleResult first = c.throttle("other", {.max_burst = 9, .count = 1, .period = 1h, .quantity = 4});
  EXPECT_EQ(first.remaining, 6u);
  EXPECT_EQ(c.throttle("other", {.max_burst = 9, .count = 1, .period = 1h, .quantity = 0}).remaining, 6u)
      << "asking costs nothing";
  EXPECT_FALSE(c.throttle("fast", {.count = 1000}).limited);
  std::this_thread::sleep_for(5ms);
  EXPECT_FALSE(c.throttle("fast", {.count = 1000}).limited) << "it opens again";
}

TEST_P(Caches, windows_count_up_to_their_limit) {
  const WindowLimit fixed{.max = 3, .window = 1h};
  for (std::uint64_t i = 1; i <= 3; ++i) EXPECT_EQ(c.count("k", fixed).count, i);
  const WindowResult refused = c.count("k", fixed);
  EXPECT_TRUE(refused.limited);
  EXPECT_EQ(refused.count, 3u);
  EXPECT_EQ(refused.remaining, 0u);
  EXPECT_LE(refused.reset_after, std::chrono::microseconds(1h));
  // Sliding: what was counted in the window before still weighs at the beginning of the next.
  const WindowLimit sliding{.max = 1000, .window = 50ms, .sliding = true, .quantity = 1000};
  EXPECT_FALSE(c.count("s", sliding).limited);
  EXPECT_TRUE(c.count("s", {.max = 1000, .window = 50ms, .sliding = true}).limited);
  std::this_thread::sleep_for(110ms);
  EXPECT_FALSE(c.count("s", sliding).limited);
}

class CacheKinds : public ::testing::Test {
 protected:
  CacheKinds() : db(Database::open(directory / "db")) {}
  testing::TemporaryDirectory directory;
  Database db;
};

TEST_F(CacheKinds, a_cache_on_disk_outlives_the_database_and_one_in_memory_does_not) {
  db.cache("memory").create({.memory = true, .keys_max = 5});
  db.write([](Transaction& tx) {
    tx.cache("disk").set("k", "v", {.ttl = 1h});
    tx.cache("memory").set("k", "v");
  });
  db.close();
  EXPECT_TRUE(check(directory / "db", {.deep = true}).empty());
  db = Database::open(directory / "db");
  EXPECT_EQ(db.cache("disk").get("k"), "v");
  EXPECT_NEAR(static_cast<double>(db.cache("disk").ttl("k")), 3600, 5);
  EXPECT_EQ(db.cache("memory").get("k"), std::nullopt);
  EXPECT_EQ(db.cache("memory").options().keys_max, 5u);
  EXPECT_EQ(db.caches(), (std::vector<std::string>{"disk", "memory"}));
  EXPECT_TRUE(db.cache("disk").drop());
  EXPECT_FALSE(db.cache("disk").drop());
  EXPECT_EQ(db.cache("disk").get("k"), std::nullopt);
}

TEST_F(CacheKinds, the_least_recently_used_keys_go) {
  Cache c = db.cache("c");
  c.create({.memory = true, .keys_max = 3});
  for (const char* key : {"a", "b", "c"}) c.set(key, "v");
  c.get("a");
  c.set("d", "v");
  EXPECT_EQ(c.get("b"), std::nullopt);
  EXPECT_EQ(c.get("a"), "v");
  Cache bytes = db.cache("bytes");
  bytes.create({.memory = true, .bytes_max = 10'000});
  for (int i = 0; i < 1000; ++i) bytes.set("k" + std::to_string(i), std::string(100, 'v'));
  EXPECT_GE(bytes.scan().keys.size(), 20u);
  EXPECT_LE(bytes.scan().keys.size(), 100u);
  EXPECT_EQ(bytes.get("k999"), std::string(100, 'v'));
  bytes.set("huge", std::string(20'000, 'v'));
  EXPECT_EQ(bytes.get("huge"), std::nullopt) << "what does not fit is not kept";
}

TEST_F(CacheKinds, what_a_transaction_that_was_undone_made_is_not_another_cache) {
  try {
    db.write([](Transaction& tx) {
      tx.cache("hot").create({.memory = true});
      tx.cache("hot").set("k", "v");
      throw std::runtime_error("undone");
    });
  } catch (const std::runtime_error& undone) {
  }
  db.cache("cold").create({.keys_max = 1000});
  db.cache("cold").set("k", "v");
  db.close();
  db = Database::open(directory / "db");
  EXPECT_EQ(db.cache("cold").get("k"), "v");
}

TEST_F(CacheKinds, a_bounded_cache_on_disk_lets_the_least_recently_used_go) {
  db.cache("c").create({.keys_max = 3});
  Cache c = db.cache("c");
  for (const char* key : {"a", "b", "c"}) c.set(key, "v");
  c.get("a");
  c.set("d", "v");
  EXPECT_EQ(c.scan().keys, (std::vector<std::string>{"a", "c", "d"}));
  db.write([](Transaction& tx) { tx.cache("c").set("a", "more"); });
  c.set("e", "v");
  EXPECT_EQ(c.scan().keys, (std::vector<std::string>{"a", "d", "e"}));
  c.del("d");
  c.set("f", "v");
  EXPECT_EQ(c.scan().keys, (std::vector<std::string>{"a", "e", "f"})) << "there was room";
  db.close();
  db = Database::open(directory / "db");
  db.cache("c").set("g", "v");
  EXPECT_EQ(db.cache("c").scan().keys.size(), 3u) << "a reopened one knows its keys";
  db.cache("c").set("", "v");
  EXPECT_EQ(db.cache("c").scan().keys.size(), 3u) << "the empty key counts";
  db.cache("c").flush();
  for (int i = 0; i < 3; ++i) db.cache("c").set(std::to_string(i), "v");
  EXPECT_EQ(db.cache("c").scan().keys.size(), 3u);

  Cache bytes = db.cache("bytes");
  bytes.create({.bytes_max = 10'000});
  for (int i = 0; i < 300; ++i) bytes.set("k" + std::to_string(i), std::string(100, 'v'));
  EXPECT_GE(bytes.scan().keys.size(), 85u);
  EXPECT_LE(bytes.scan().keys.size(), 90u);
  EXPECT_EQ(bytes.get("k299"), std::string(100, 'v'));
  bytes.set("huge", std::string(20'000, 'v'));
  EXPECT_EQ(bytes.get("huge"), std::nullopt) << "what does not fit is not kept";
  db.close();
  EXPECT_TRUE(check(directory / "db", {.deep = true}).empty());
}

TEST_F(CacheKinds, a_transaction_does_not_evict_what_it_has_just_written) {
  db.cache("c").create({.keys_max = 3});
  Cache c = db.cache("c");
  for (const char* key : {"a", "b", "c"}) c.set(key, "v");
  db.write([](Transaction& tx) {
    Cache own = tx.cache("c");
    own.set("a", "new");
    own.set("d", "v");  // b goes, although a was used longer ago
    for (int i = 0; i < 5; ++i) own.set("d", std::to_string(i));
    EXPECT_EQ(own.get("a"), "new");
    tx.savepoint("s");
    own.set("e", "v");
    tx.rollback_to("s");
  });
  EXPECT_EQ(c.scan().keys, (std::vector<std::string>{"a", "c", "d"})) << "an overwritten key is one key";
  db.write([](Transaction& tx) {
    Cache own = tx.cache("c");
    own.del("a");
    own.set("f", "v");
  });
  EXPECT_EQ(c.scan().keys, (std::vector<std::string>{"c", "d", "f"})) << "what it has removed makes room";
  db.write([](Transaction& tx) {
    Cache own = tx.cache("c");
    own.flush();
    for (const char* key : {"x", "y", "z"}) own.set(key, "v");
  });
  EXPECT_EQ(c.scan().keys, (std::vector<std::string>{"x", "y", "z"}));
}

TEST_F(CacheKinds, writers_at_the_same_time_keep_a_cache_on_disk_within_its_bounds) {
  Cache c = db.cache("c");
  c.create({.keys_max = 50});
  std::vector<std::thread> writers;
  for (int t = 0; t < 4; ++t)
    writers.emplace_back([&, t] {
      Cache mine = db.cache("c");
      for (int i = 0; i < 200; ++i) mine.set(std::to_string(t) + "-" + std::to_string(i), "v");
    });
  for (std::thread& writer : writers) writer.join();
  EXPECT_LE(c.scan("", 1000).keys.size(), 53u) << "each writer may be one ahead";
  c.set("last", "v");
  EXPECT_EQ(c.scan("", 1000).keys.size(), 50u);
}

TEST_F(CacheKinds, a_dropped_name_is_free_for_another_kind) {
  Cache c = db.cache("c");
  c.set("k", "disk");
  EXPECT_EQ(c.get("k"), "disk");
  c.drop();
  c.create({.memory = true});
  EXPECT_EQ(c.get("k"), std::nullopt) << "the handle notices";
  c.set("k", "memory");
  EXPECT_EQ(c.get("k"), "memory");
  expect_error(ErrorCode::exists, [&] { c.create(); });
  expect_error(ErrorCode::invalid, [&] { db.cache("d").create({.memory = true, .keys_max = 0}); });
  expect_error(ErrorCode::invalid, [&] { db.cache("").set("k", "v"); });
}

TEST_F(CacheKinds, a_transaction_over_all_tiers_is_all_or_nothing_also_in_memory) {
  Cache memory = db.cache("memory");
  memory.create({.memory = true});
  db.sql("CREATE TABLE t(a INTEGER PRIMARY KEY)");
  db.sql("INSERT INTO t VALUES(1)");
  memory.set("k", "old");
  const auto attempt = [&](int row) {
    db.write([&](Transaction& tx) {
      tx.cache("memory").set("k", std::to_string(row));
      tx.stream("s").append({.data = "1"});
      tx.sql("INSERT INTO t VALUES(?)", row);
    });
  };
  expect_error(ErrorCode::constraint, [&] { attempt(1); });
  EXPECT_EQ(memory.get("k"), "old");
  attempt(2);
  EXPECT_EQ(memory.get("k"), "2");
}

}  // namespace
}  // namespace stele
