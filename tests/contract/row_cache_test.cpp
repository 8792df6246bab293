// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/rocksdb/row_cache.h"
#include "backends/rocksdb/open.h"
#include "tests/contract/key_value_contract.h"
#include "tests/support/seed.h"

#include <cstdlib>
#include <random>
#include <thread>

namespace stele::rocks {
namespace {

using storage::Batch;
using storage::Keyspace;

constexpr std::size_t enough = 16u << 20;

std::string got(RowCache& rows, std::string_view key, std::uint64_t moment = RowCache::now) {
  std::string value;
  return rows.get(key, moment, value) ? value : "(absent)";
}

TEST(RowCache, a_row_is_there_from_the_moment_it_was_read_at) {
  RowCache rows(enough);
  rows.put("a", "1", 5);
  EXPECT_EQ(got(rows, "a"), "1");
  EXPECT_EQ(got(rows, "a", 5), "1");
  EXPECT_EQ(got(rows, "a", 4), "(absent)");
  EXPECT_EQ(got(rows, "b"), "(absent)");
}

TEST(RowCache, a_write_is_seen_when_it_is_done_and_hides_the_old_value_before) {
  RowCache rows(enough);
  rows.put("a", "old", 5);
  rows.writing("a", "new");
  EXPECT_EQ(got(rows, "a"), "(absent)");
  rows.written("a", 9);
  EXPECT_EQ(got(rows, "a", 8), "(absent)");
  EXPECT_EQ(got(rows, "a", 9), "new");
  rows.writing("a", std::nullopt);
  rows.written("a", 10);
  EXPECT_EQ(got(rows, "a"), "(absent)");
}

TEST(RowCache, a_slow_reader_does_not_bring_back_what_was_replaced) {
  RowCache rows(enough);
  rows.writing("a", std::nullopt);
  rows.put("a", "old", 5);
  EXPECT_EQ(got(rows, "a"), "(absent)");
  rows.written("a", 9);
  rows.put("a", "old", 8);
  EXPECT_EQ(got(rows, "a"), "(absent)");
  rows.put("a", "new", 9);
  EXPECT_EQ(got(rows, "a"), "new");
}

TEST(RowCache, of_several_writes_in_a_batch_the_last_counts) {
  RowCache rows(enough);
  rows.writing("a", "1");
  rows.writing("a", "2");
  rows.written("a", 7);
  rows.written("a", 7);
  EXPECT_EQ(got(rows, "a"), "2");
  rows.writing("a", "3");
  rows.writing_all();
  rows.writing("b", "4");
  rows.written("a", 8);
  rows.written_all(8);
  rows.written("b", 8);
  EXPECT_EQ(got(rows, "a"), "(absent)");
  EXPECT_EQ(got(rows, "b"), "4");
}

TEST(RowCache, it_keeps_to_its_size_and_keeps_what_is_read) {
  RowCache rows(enough);
  const std::string value(400, 'x');
  rows.put("wanted", "w", 1);
  for (int i = 0; i < 100'000; ++i) {
    rows.put("key" + std::to_string(i), value, 1);
    ASSERT_EQ(got(rows, "wanted"), "w") << i;
    ASSERT_EQ(got(rows, "key" + std::to_string(i)), value);
  }
  EXPECT_LE(rows.bytes(), enough);
  EXPECT_GE(rows.bytes(), enough / 2);
  EXPECT_EQ(got(rows, "key0"), "(absent)");
}

TEST(RowCache, short_rows_and_long_ones_find_room) {
  RowCache rows(enough);
  for (int i = 0; i < 300'000; ++i) rows.put(std::to_string(i), "", 1);
  EXPECT_EQ(got(rows, "299999"), "");
  EXPECT_LE(rows.bytes(), enough);
  for (int i = 0; i < 5'000; ++i) rows.put("long" + std::to_string(i), std::string(8000, 'x'), 1);
  EXPECT_EQ(got(rows, "long4999").size(), 8000u);
  rows.put("too long", std::string(1 << 20, 'x'), 1);
  EXPECT_EQ(got(rows, "too long"), "(absent)");
  EXPECT_LE(rows.bytes(), enough);
}

TEST(RowCache, with_little_memory_it_holds_nothing) {
  RowCache rows(1u << 20);
  rows.put("a", "1", 1);
  rows.writing("a", "1");
  rows.written("a", 2);
  EXPECT_EQ(got(rows, "a"), "(absent)");
  EXPECT_EQ(rows.bytes(), 0u);
}

/// A store whose point reads are compared with its scans, which know no rows, while one thread writes.
struct RowsBesideTables : ::testing::Test {
  static constexpr int key_count = 3000;

  RowsBesideTables() {
    storage::KeyValueOptions options;
    options.path = directory.path() + "/kv";
    options.create = true;
    options.memory_bytes = 16u << 20;
    store = open_rocksdb(options);
  }

  static std::string key(int i) { return "key" + std::to_string(10'000 + i); }

  void write_some(std::mt19937_64& random, std::uint64_t round) {
    Batch batch;
    if (round % 97 == 0) batch.erase_range(Keyspace::documents, key(100), key(200));
    for (int i = 0; i < 20; ++i) {
      const std::string name = key(static_cast<int>(random() % key_count));
      if (random() % 8 == 0)
        batch.erase(Keyspace::documents, name);
      else
        batch.put(Keyspace::documents, name, std::to_string(round) + std::string(random() % 6000, 'x'));
    }
    store->apply(batch);
  }

  /// A stretch of keys, read in three ways at one moment.
  void compare(std::mt19937_64& random) {
    const int first = static_cast<int>(random() % (key_count - 60));
    const auto at = store->snapshot();
    std::map<std::string, std::string, std::less<>> scanned, many;
    const auto cursor = store->scan(Keyspace::documents, {key(first), key(first + 60)}, at.get());
    std::vector<std::string> keys;
    for (int i = first; i < first + 60; ++i) keys.push_back(key(i));
    const std::vector<std::string_view> views(keys.begin(), keys.end());
    std::size_t last = 0;
    store->get_many(Keyspace::documents, views, at.get(), [&](std::size_t i, std::string_view value) {
      EXPECT_TRUE(many.empty() || i > last);
      last = i;
      many.emplace(keys[i], value);
      return true;
    });
    for (cursor->first(); cursor->valid(); cursor->next()) scanned.emplace(cursor->key(), cursor->value());
    ASSERT_EQ(many, scanned);
    std::string value;
    for (const std::string& name : keys) {
      const bool there = store->get(Keyspace::documents, name, at.get(), value);
      ASSERT_EQ(there, scanned.contains(name)) << name;
      if (there) {
        ASSERT_EQ(value, scanned[name]) << name;
      }
    }
  }

  storage::TemporaryDirectory directory;
  std::unique_ptr<storage::KeyValueStore> store;
};

TEST_F(RowsBesideTables, point_reads_equal_scans_at_every_moment_while_others_write) {
  const std::uint64_t seed = testing::test_seed();
  SCOPED_TRACE("STELE_TEST_SEED=" + std::to_string(seed));
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  for (std::uint64_t reader = 1; reader <= 2; ++reader)
    readers.emplace_back([&, reader] {
      std::mt19937_64 random(seed + reader);
      while (!done && !HasFatalFailure()) compare(random);
    });
  std::mt19937_64 random(seed);
  for (std::uint64_t round = 1; round <= 600; ++round) {
    write_some(random, round);
    if (round % 20 == 0) compare(random);
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  for (int i = 0; i < 200; ++i) compare(random);
}

}  // namespace
}  // namespace stele::rocks
