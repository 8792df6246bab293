// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/contract/key_value_contract.h"
#include "tests/support/sanitized.h"

#include "engine/base/bytes.h"
#include "engine/base/files.h"
#include "tests/support/seed.h"

#include <chrono>
#include <cstdlib>
#include <map>
#include <random>
#include <thread>

namespace stele::storage {

namespace {

/// Closes the store before the test's own variables go: its threads call what refers to them.
struct CloseFirst {
  std::unique_ptr<KeyValueStore>& store;
  ~CloseFirst() { store.reset(); }
};

}  // namespace

// Verbs

std::string backend_name(const ::testing::TestParamInfo<KeyValueBackend>& info) { return info.param.name; }

Batch one_put(const std::string& key, const std::string& value, Keyspace keyspace) {
  Batch batch;
  batch.put(keyspace, key, value);
  return batch;
}

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = ::testing::TempDir() + "stele-contract-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp " + pattern);
  path_ = pattern;
}
TemporaryDirectory::~TemporaryDirectory() { remove_tree(path_); }

void KeyValueContract::SetUp() {
  std::string pattern = ::testing::TempDir() + "stele-contract-XXXXXX";
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  directory_ = pattern;
}

void KeyValueContract::TearDown() {
  store_.reset();
  remove_tree(directory_);
}

void KeyValueContract::open(KeyValueOptions options) {
  store_.reset();
  last_options_ = options;
  if (GetParam().on_disk) options.path = directory_ + "/kv";
  options.create = !options.read_only;
  store_ = GetParam().open(options);
}

void KeyValueContract::put(const std::string& key, const std::string& value, Keyspace keyspace) {
  store_->apply(one_put(key, value, keyspace));
}

void KeyValueContract::erase(const std::string& key) {
  Batch batch;
  batch.erase(Keyspace::documents, key);
  store_->apply(batch);
}

std::string KeyValueContract::get(const std::string& key, const KeyValueSnapshot* at) {
  std::string value = "old content of the caller's string";
  return store_->get(Keyspace::documents, key, at, value) ? value : "(absent)";
}

namespace {
void add(std::string& out, const Cursor& cursor) {
  if (!out.empty()) out += ' ';
  out.append(cursor.key()).append("=").append(cursor.value());
}
}  // namespace

std::string KeyValueContract::entries(KeyRange range, const KeyValueSnapshot* at) {
  std::string out;
  const auto cursor = store_->scan(Keyspace::documents, std::move(range), at);
  for (cursor->first(); cursor->valid(); cursor->next()) add(out, *cursor);
  return out;
}

std::string KeyValueContract::backwards(KeyRange range, const KeyValueSnapshot* at) {
  std::string out;
  const auto cursor = store_->scan(Keyspace::documents, std::move(range), at);
  for (cursor->last(); cursor->valid(); cursor->previous()) add(out, *cursor);
  return out;
}

// Points

TEST_P(KeyValueContract, a_value_put_is_got_until_it_is_erased) {
  open();
  EXPECT_EQ(get("a"), "(absent)");
  put("a", "1");
  EXPECT_EQ(get("a"), "1");
  put("a", "2");
  EXPECT_EQ(get("a"), "2");
  erase("a");
  EXPECT_EQ(get("a"), "(absent)");
  erase("a");  // erasing what is not there is nothing
}

TEST_P(KeyValueContract, an_empty_value_is_not_an_absent_one) {
  open();
  put("a", "");
  EXPECT_EQ(get("a"), "");
  EXPECT_EQ(entries(), "a=");
}

TEST_P(KeyValueContract, keyspaces_do_not_see_each_other) {
  open();
  for (std::size_t k = 0; k < keyspace_count; ++k) put("a", std::to_string(k), static_cast<Keyspace>(k));
  for (std::size_t k = 0; k < keyspace_count; ++k) {
    std::string value;
    ASSERT_TRUE(store().get(static_cast<Keyspace>(k), "a", nullptr, value));
    EXPECT_EQ(value, std::to_string(k));
  }
}

TEST_P(KeyValueContract, keys_and_values_may_be_any_bytes_and_long) {
  open();
  const std::string nul("a\0b", 3), high("\xff\xff"), longest(8192, '\xff'), big(5u << 20, 'v');
  put(nul, "nul");
  put("a", "plain");
  put(high, "high");
  put(longest, big);
  EXPECT_EQ(get(nul), "nul");
  EXPECT_EQ(get(high), "high");
  EXPECT_EQ(get(longest), big);
  EXPECT_EQ(entries({"", longest}), "a=plain " + nul + "=nul " + high + "=high");
}

TEST_P(KeyValueContract, many_keys_are_got_in_their_order_until_the_visitor_has_enough) {
  open();
  std::vector<std::string> keys;
  for (int i = 100; i < 200; ++i) {
    keys.push_back(std::to_string(i));
    if (i % 3 != 0) put(keys.back(), "v" + keys.back());
  }
  const auto before = store().snapshot();
  for (const std::string& key : keys) put(key, "later");

  const std::vector<std::string_view> views(keys.begin(), keys.end());
  const auto got = [&](const KeyValueSnapshot* at, std::size_t enough) {
    std::string out;
    std::size_t count = 0;
    store().get_many(Keyspace::documents, views, at, [&](std::size_t i, std::string_view value) {
      out.append(keys[i]).append("=").append(value).append(" ");
      return ++count < enough;
    });
    return out;
  };
  std::string then, now;
  for (int i = 100; i < 200; ++i) {
    if (i % 3 != 0) then += std::to_string(i) + "=v" + std::to_string(i) + " ";
    now += std::to_string(i) + "=later ";
  }
  EXPECT_EQ(got(before.get(), 1000), then);
  EXPECT_EQ(got(nullptr, 1000), now);
  EXPECT_EQ(got(before.get(), 2), "100=v100 101=v101 ");
}

TEST_P(KeyValueContract, many_large_values_are_got_as_small_ones_are) {
  open();
  std::vector<std::string> keys;
  for (char c = 'a'; c <= 'h'; ++c) {
    keys.emplace_back(1, c);
    put(keys.back(), std::string(2u << 20, c));
  }
  store().flush();
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  std::string seen;
  store().get_many(Keyspace::documents, views, nullptr, [&](std::size_t i, std::string_view value) {
    EXPECT_EQ(value, std::string(2u << 20, keys[i][0]));
    seen += keys[i];
    return true;
  });
  EXPECT_EQ(seen, "abcdefgh");
}

// Ranges and cursors

TEST_P(KeyValueContract, entries_come_in_the_order_of_unsigned_bytes) {
  open();
  for (const char* key : {"b", "\xff", "a", "\x80", "ab", "\x01", "B"}) put(key, "");
  EXPECT_EQ(entries(), "\x01= B= a= ab= b= \x80= \xff=");
  EXPECT_EQ(backwards(), "\xff= \x80= b= ab= a= B= \x01=");
}

TEST_P(KeyValueContract, a_range_holds_its_begin_and_not_its_end) {
  open();
  for (const char* key : {"a", "b", "ba", "bb", "c"}) put(key, "");
  EXPECT_EQ(entries({"b", "c"}), "b= ba= bb=");
  EXPECT_EQ(backwards({"b", "c"}), "bb= ba= b=");
  EXPECT_EQ(entries({"aa", "ba"}), "b=");
  EXPECT_EQ(entries({"b", ""}), "b= ba= bb= c=");
  EXPECT_EQ(entries({"", "b"}), "a=");
  EXPECT_EQ(entries({"b", "b"}), "");
  EXPECT_EQ(backwards({"c", "b"}), "");
}

TEST_P(KeyValueContract, a_cursor_starts_nowhere_and_turns_around_anywhere) {
  open();
  for (const char* key : {"a", "c", "e", "g"}) put(key, "");
  const auto cursor = store().scan(Keyspace::documents, {"b", "g"}, nullptr);
  EXPECT_FALSE(cursor->valid());
  cursor->first();
  EXPECT_EQ(cursor->key(), "c");
  cursor->next();
  EXPECT_EQ(cursor->key(), "e");
  cursor->previous();
  EXPECT_EQ(cursor->key(), "c");
  cursor->previous();
  EXPECT_FALSE(cursor->valid());
  cursor->last();
  EXPECT_EQ(cursor->key(), "e");
  cursor->next();
  EXPECT_FALSE(cursor->valid());
}

TEST_P(KeyValueContract, seek_finds_the_first_entry_at_or_after_a_key_within_the_range) {
  open();
  for (const char* key : {"a", "c", "e", "g"}) put(key, "");
  const auto cursor = store().scan(Keyspace::documents, {"b", "g"}, nullptr);
  cursor->seek("c");
  EXPECT_EQ(cursor->key(), "c");
  cursor->seek("d");
  EXPECT_EQ(cursor->key(), "e");
  cursor->seek("a");  // before the range: its first
  EXPECT_EQ(cursor->key(), "c");
  cursor->seek("f");
  EXPECT_FALSE(cursor->valid());
  cursor->seek("z");
  EXPECT_FALSE(cursor->valid());
}

TEST_P(KeyValueContract, a_cursor_stays_at_the_moment_of_its_scan) {
  open();
  put("a", "1");
  put("b", "1");
  const auto cursor = store().scan(Keyspace::documents, {}, nullptr);
  put("a", "2");
  erase("b");
  put("c", "2");
  cursor->first();
  EXPECT_EQ(cursor->value(), "1");
  cursor->next();
  EXPECT_EQ(cursor->key(), "b");
  cursor->next();
  EXPECT_FALSE(cursor->valid());
  EXPECT_EQ(entries(), "a=2 c=2");
}

TEST_P(KeyValueContract, erasing_a_range_erases_its_begin_and_spares_its_end) {
  open();
  for (const char* key : {"a", "b", "ba", "c", "d"}) put(key, "1");
  Batch batch;
  batch.erase_range(Keyspace::documents, "b", "c");
  batch.put(Keyspace::documents, "bb", "2");  // after it, so it stays
  batch.erase_range(Keyspace::documents, "d", "d");
  store().apply(batch);
  EXPECT_EQ(entries(), "a=1 bb=2 c=1 d=1");
  EXPECT_EQ(backwards(), "d=1 c=1 bb=2 a=1");
  EXPECT_EQ(get("ba"), "(absent)");
}

TEST_P(KeyValueContract, operations_of_a_batch_happen_in_order) {
  open();
  Batch batch;
  batch.put(Keyspace::documents, "a", "1");
  batch.erase(Keyspace::documents, "a");
  batch.put(Keyspace::documents, "b", "1");
  batch.put(Keyspace::documents, "b", "2");
  batch.erase(Keyspace::documents, "c");
  batch.put(Keyspace::documents, "c", "3");
  store().apply(batch);
  EXPECT_EQ(entries(), "b=2 c=3");
  store().apply(Batch());
  EXPECT_EQ(entries(), "b=2 c=3");
}

// Snapshots

TEST_P(KeyValueContract, a_snapshot_does_not_see_later_writes) {
  open();
  if (!store().capabilities().snapshots) GTEST_SKIP() << "the backend has no snapshots";
  put("a", "1");
  put("b", "1");
  const auto before = store().snapshot();
  put("a", "2");
  erase("b");
  put("c", "2");
  const auto between = store().snapshot();
  Batch all;
  all.erase_range(Keyspace::documents, "a", "z");
  store().apply(all);

  EXPECT_EQ(entries({}, before.get()), "a=1 b=1");
  EXPECT_EQ(backwards({}, before.get()), "b=1 a=1");
  EXPECT_EQ(get("a", before.get()), "1");
  EXPECT_EQ(get("c", before.get()), "(absent)");
  EXPECT_EQ(entries({}, between.get()), "a=2 c=2");
  EXPECT_EQ(entries(), "");
}

TEST_P(KeyValueContract, what_only_old_snapshots_saw_takes_no_memory_when_they_are_gone) {
  open();
  put("a", std::string(1000, 'x'));
  for (int i = 0; i < 20000; ++i) put("a", std::string(1000, 'x'));
  store().flush();
  EXPECT_LT(store().figures().memory_bytes + store().figures().disk_bytes, 64u << 20);
  EXPECT_EQ(get("a").size(), 1000u);
}

// The same operations in a plain map tell what must be there.
TEST_P(KeyValueContract, random_operations_match_a_map_at_every_snapshot) {
  KeyValueOptions options;
  options.write_buffer_bytes = 64u << 10;
  options.memory_bytes = 8u << 20;
  open(options);
  const auto seed = static_cast<unsigned>(testing::test_seed());
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  auto key = [&] { return std::to_string(random() % 500); };
  std::map<std::string, std::string> now;
  std::vector<std::pair<std::unique_ptr<KeyValueSnapshot>, std::map<std::string, std::string>>> moments;

  for (int round = 0; round < testing::cases(600); ++round) {
    Batch batch;
    for (unsigned i = random() % 20; i-- > 0;) {
      const std::string a = key(), b = key();
      switch (random() % 12) {
        case 0:
          batch.erase_range(Keyspace::documents, std::min(a, b), std::max(a, b));
          now.erase(now.lower_bound(std::min(a, b)), now.lower_bound(std::max(a, b)));
          break;
        case 1:
        case 2:
        case 3:
          batch.erase(Keyspace::documents, a);
          now.erase(a);
          break;
        default:
          batch.put(Keyspace::documents, a, now[a] = std::to_string(random()) + std::string(random() % 300, 'p'));
      }
    }
    store().apply(batch);
    if (round % 50 == 0) moments.emplace_back(store().snapshot(), now);
  }
  moments.emplace_back(store().snapshot(), now);
  for (const auto& [snapshot, then] : moments) {
    std::string expected;
    for (const auto& [k, v] : then) expected += (expected.empty() ? "" : " ") + k + "=" + v;
    ASSERT_EQ(entries({}, snapshot.get()), expected);
    for (int i = 0; i < 50; ++i) {
      const std::string k = key();
      ASSERT_EQ(get(k, snapshot.get()), then.contains(k) ? then.at(k) : "(absent)");
    }
  }
}

// Readers beside the writer

TEST_P(KeyValueContract, readers_see_a_batch_whole_or_not_at_all) {
  open();
  std::atomic<bool> done{false};
  std::atomic<int> torn{0}, looks{0};
  auto read = [&] {
    while (!done || looks < 100) {
      const auto at = store().snapshot();
      std::string first, last;
      const bool there = store().get(Keyspace::documents, "a", at.get(), first);
      if (there != store().get(Keyspace::events, "z", at.get(), last) || first != last) ++torn;
      const auto cursor = store().scan(Keyspace::documents, {}, nullptr);
      std::string previous;
      for (cursor->first(); cursor->valid(); cursor->next()) {
        if (!previous.empty() && cursor->value() != previous) ++torn;
        previous = cursor->value();
      }
      ++looks;
    }
  };
  std::thread one(read), two(read);
  for (int i = 0; i < 3000; ++i) {
    Batch batch;
    const std::string value = std::to_string(i);
    if (i % 7 == 0) batch.erase_range(Keyspace::documents, "a", "z");
    for (const char* key : {"a", "b", "c", "d"}) batch.put(Keyspace::documents, key, value);
    batch.put(Keyspace::events, "z", value);
    store().apply(batch);
  }
  done = true;
  one.join();
  two.join();
  EXPECT_EQ(torn, 0);
}

// Room, pressure, figures

TEST_P(KeyValueContract, a_store_at_rest_has_room_and_no_pressure) {
  open();
  EXPECT_FALSE(store().needs_room(1000));
  EXPECT_LT(store().pressure().level, 1);
  store().make_room();
  put("a", "1");
  EXPECT_EQ(get("a"), "1");
  EXPECT_GT(store().figures().memory_bytes, 0u);
}

TEST_P(KeyValueContract, sizes_of_ranges_are_told_apart_after_a_flush_and_roughly_known_before) {
  open();
  Batch batch;  // values that no compression makes small
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string value(500, ' ');
    for (char& c : value) c = static_cast<char>(random());
    batch.put(Keyspace::documents, (i < 1800 ? "a" : "b") + std::to_string(i), value);
  }
  store().apply(batch);
  const auto size = [&](const char* begin, const char* end) {
    return store().approximate_bytes(Keyspace::documents, {begin, end});
  };
  for (const bool flushed : {false, true}) {
    if (flushed) store().flush();
    EXPECT_GT(size("a", ""), 500'000u) << flushed;
    EXPECT_LT(size("a", "c"), 3'000'000u) << flushed;
    EXPECT_EQ(size("c", "d"), 0u) << flushed;
    EXPECT_EQ(size("b", "a"), 0u) << flushed;
    EXPECT_EQ(store().approximate_bytes(Keyspace::indexes, {"", ""}), 0u) << flushed;
  }
  EXPECT_GT(size("b", "c"), 10'000u);
  EXPECT_LT(size("b", "c"), size("a", "b") / 2);
}

TEST_P(KeyValueContract, an_intact_store_verifies) {
  open();
  for (int i = 0; i < 1000; ++i) put(std::to_string(i), std::string(100, 'v'));
  store().flush();
  EXPECT_NO_THROW(store().verify());
}

TEST_P(KeyValueContract, a_store_open_for_reading_refuses_writes) {
  open();
  put("a", "1");
  if (store().capabilities().durable_log) {
    store().flush_log();
    store().sync_log();
  }
  KeyValueOptions options;
  options.read_only = true;
  open(options);
  EXPECT_EQ(get("a"), GetParam().on_disk ? "1" : "(absent)");
  EXPECT_EQ(code_of([&] { put("a", "2"); }), ErrorCode::readonly);
}

// The log

TEST_P(KeyValueContract, what_was_synced_is_there_after_reopening) {
  open();
  if (!store().capabilities().durable_log) GTEST_SKIP() << "the backend keeps nothing";
  for (int i = 0; i < 2000; ++i) put("k" + std::to_string(i), std::string(500, 'v'));
  erase("k7");
  store().flush_log();
  store().sync_log();
  reopen();
  EXPECT_EQ(get("k0"), std::string(500, 'v'));
  EXPECT_EQ(get("k1999"), std::string(500, 'v'));
  EXPECT_EQ(get("k7"), "(absent)");
}

TEST_P(KeyValueContract, reopening_after_many_switches_of_small_buffers_finds_everything) {
  KeyValueOptions options;
  options.write_buffer_bytes = 64u << 10;
  options.log_buffer_bytes = 64u << 10;
  options.memory_bytes = 4u << 20;
  open(options);
  if (!store().capabilities().durable_log) GTEST_SKIP() << "the backend keeps nothing";
  for (int i = 0; i < 20000; ++i) {
    Batch batch = one_put("k" + std::to_string(i), std::string(200, static_cast<char>('a' + i % 26)));
    batch.put(Keyspace::meta, "marker", std::to_string(i));
    store().apply(batch);
  }
  store().flush_log();
  store().sync_log();
  reopen();
  for (int i = 0; i < 20000; i += 37)
    ASSERT_EQ(get("k" + std::to_string(i)), std::string(200, static_cast<char>('a' + i % 26))) << i;
  std::string marker;
  ASSERT_TRUE(store().get(Keyspace::meta, "marker", nullptr, marker));
  EXPECT_EQ(marker, "19999");
}

// The barrier

TEST_P(KeyValueContract, no_log_byte_reaches_a_file_without_asking) {
  std::atomic<int> asked{0};
  KeyValueOptions options;
  options.before_append = [&] { return ++asked, true; };
  const CloseFirst close_first{store_};
  open(options);
  if (!store().capabilities().append_barrier) GTEST_SKIP() << "the backend has no barrier";
  const int after_open = asked;
  put("a", "1");
  EXPECT_EQ(asked, after_open) << "apply reached a file though there was room";
  store().flush_log();
  EXPECT_GT(asked, after_open);
}

TEST_P(KeyValueContract, a_refused_append_ends_all_writing_until_the_store_is_reopened) {
  std::atomic<bool> allow{true};
  std::atomic<int> failures{0};
  KeyValueOptions options;
  options.before_append = [&] { return allow.load(); };
  options.on_failure = [&](const Error&) { ++failures; };
  const CloseFirst close_first{store_};
  open(options);
  if (!store().capabilities().append_barrier) GTEST_SKIP() << "the backend has no barrier";
  put("a", "1");
  store().flush_log();
  store().sync_log();
  put("b", "1");
  allow = false;
  EXPECT_EQ(code_of([&] { store().flush_log(); }), ErrorCode::io);
  EXPECT_EQ(code_of([&] { put("c", "1"); }), ErrorCode::poisoned);
  allow = true;
  EXPECT_EQ(code_of([&] { put("c", "1"); }), ErrorCode::poisoned);
  EXPECT_EQ(code_of([&] { store().flush_log(); }), ErrorCode::poisoned);
  EXPECT_EQ(code_of([&] { store().sync_log(); }), ErrorCode::poisoned);
  EXPECT_EQ(get("a"), "1");  // reading goes on
  EXPECT_EQ(failures, 1);
  reopen();
  EXPECT_EQ(entries(), "a=1");
}

// Whichever append is refused, by whichever thread: a clean error, a living process, and after
// reopening a prefix of the batches that holds at least what was synced.
TEST_P(KeyValueContract, refusing_any_append_leaves_a_prefix) {
  KeyValueOptions options;
  options.write_buffer_bytes = 64u << 10;
  options.log_buffer_bytes = 16u << 10;
  options.memory_bytes = 4u << 20;
  bool refused = true;
  for (int at = 1; refused; at += 1 + at / 8) {
    SCOPED_TRACE("append " + std::to_string(at));
    store_.reset();
    remove_tree(directory_ + "/kv");
    std::atomic<int> appends{0};
    options.before_append = [&] { return ++appends != at; };
    int applied = 0, synced = 0;
    const auto error = code_of([&] {
      open(options);
      if (!store().capabilities().append_barrier) return;
      for (; applied < 2500; ++applied) {
        Batch batch = one_put("k" + std::to_string(100000 + applied), std::string(100, 'v'));
        batch.put(Keyspace::events, std::to_string(100000 + applied), std::string(50, 'e'));
        store().apply(batch);
        if (applied % 100 == 99) {
          store().flush_log();
          store().sync_log();
          synced = applied + 1;
        }
      }
      store().flush();
    });
    if (store_ && !store_->capabilities().append_barrier) GTEST_SKIP() << "the backend has no barrier";
    refused = appends >= at;
    if (refused && error) {
      ASSERT_TRUE(error == ErrorCode::io || error == ErrorCode::poisoned) << name(*error);
    }
    options.before_append = nullptr;
    open(options);
    int found = 0, events = 0;
    const auto cursor = store().scan(Keyspace::documents, {}, nullptr);
    for (cursor->first(); cursor->valid(); cursor->next(), ++found)
      ASSERT_EQ(cursor->key(), "k" + std::to_string(100000 + found));
    const auto other = store().scan(Keyspace::events, {}, nullptr);
    for (other->first(); other->valid(); other->next()) ++events;
    ASSERT_EQ(found, events);
    ASSERT_GE(found, synced);
    ASSERT_LE(found, applied + 1);
  }
}

// The engine asks needs_room before each commit and makes room outside its locks, so apply has
// nothing to wait for.
TEST_P(KeyValueContract, apply_reaches_no_file_when_room_was_made) {
  thread_local bool in_apply = false;
  std::atomic<int> inside{0}, asked{0};
  KeyValueOptions options;
  options.write_buffer_bytes = 256u << 10;
  options.log_buffer_bytes = 64u << 10;
  options.memory_bytes = 6u << 20;
  options.before_append = [&] { return inside += in_apply, ++asked, true; };
  const CloseFirst close_first{store_};
  open(options);
  if (!store().capabilities().append_barrier) GTEST_SKIP() << "the backend has no barrier";
  const auto seed = static_cast<unsigned>(testing::test_seed());
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  int rooms = 0;
  for (int i = 0; i < 40000; ++i) {
    Batch batch;
    batch.put(Keyspace::meta, "marker", std::to_string(i));
    for (unsigned k = 1 + random() % 3; k-- > 0;)
      batch.put(static_cast<Keyspace>(1 + random() % 6), std::to_string(random()), std::string(random() % 600, 'v'));
    if (store().needs_room(batch.bytes())) {
      ++rooms;
      store().make_room();
    }
    in_apply = true;
    store().apply(batch);
    in_apply = false;
  }
  EXPECT_EQ(inside, 0) << "of " << asked << " appends";
  EXPECT_GT(rooms, 0);
  EXPECT_LT(rooms, 4000) << "room is made too often";
}

}  // namespace stele::storage
