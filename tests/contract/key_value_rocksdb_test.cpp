// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/rocksdb/open.h"
#include "engine/base/files.h"
#include "tests/contract/key_value_contract.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace stele::storage {

INSTANTIATE_TEST_SUITE_P(RocksDB, KeyValueContract, ::testing::Values(KeyValueBackend{"rocksdb", rocks::open_rocksdb}),
                         backend_name);

namespace {

struct RocksKeyValue : ::testing::Test {
  TemporaryDirectory directory;
  KeyValueOptions options;

  RocksKeyValue() {
    options.path = directory.path() + "/kv";
    options.create = true;
  }

  /// The message and code of what opening throws.
  std::string opening() const {
    try {
      rocks::open_rocksdb(options);
    } catch (const Error& error) {
      return std::string(name(error.code())) + ": " + error.message();
    }
    return "opened";
  }
  std::vector<std::string> files(std::string_view suffix) const {
    std::vector<std::string> found;
    for (const std::string& file : list_directory(options.path)) {
      if (file.ends_with(suffix)) found.push_back(options.path + "/" + file);
    }
    return found;
  }
};

TEST_F(RocksKeyValue, a_missing_store_is_not_created_unless_asked) {
  options.create = false;
  EXPECT_TRUE(opening().starts_with("not_found: key-value store " + options.path)) << opening();
  EXPECT_FALSE(exists(options.path));
  make_directory(options.path);
  EXPECT_TRUE(opening().starts_with("corrupt: ")) << opening();
  EXPECT_TRUE(list_directory(options.path).empty());
}

TEST_F(RocksKeyValue, a_second_opener_is_locked_out) {
  const auto store = rocks::open_rocksdb(options);
  EXPECT_TRUE(opening().starts_with("locked: ")) << opening();
}

TEST_F(RocksKeyValue, an_opener_in_another_process_is_locked_out) {
  const auto store = rocks::open_rocksdb(options);
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string result = opening();
    ::_exit(result.starts_with("locked: ") ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(RocksKeyValue, reading_beside_nobody_changes_no_file) {
  {
    const auto store = rocks::open_rocksdb(options);
    store->apply(one_put("a", "1"));
    store->flush_log();
    store->sync_log();
  }
  const auto before = list_directory(options.path);
  options.create = false;
  options.read_only = true;
  std::atomic<int> written{0};
  options.before_append = [&] { return ++written, true; };
  const auto store = rocks::open_rocksdb(options);
  std::string value;
  EXPECT_TRUE(store->get(Keyspace::documents, "a", nullptr, value));
  EXPECT_EQ(list_directory(options.path), before);
  EXPECT_EQ(written, 0);
}

TEST_F(RocksKeyValue, dropping_the_store_writes_nothing) {
  std::atomic<bool> dropping{false};
  std::atomic<int> written{0};
  options.before_append = [&] {
    if (dropping) ++written;
    return true;
  };
  auto store = rocks::open_rocksdb(options);
  store->apply(one_put("a", "1"));
  store->flush_log();
  store->sync_log();
  store->apply(one_put("b", "1"));
  dropping = true;
  store.reset();
  EXPECT_EQ(written, 0);
  dropping = false;
  store = rocks::open_rocksdb(options);
  std::string value;
  EXPECT_TRUE(store->get(Keyspace::documents, "a", nullptr, value));
  EXPECT_FALSE(store->get(Keyspace::documents, "b", nullptr, value));
}

TEST_F(RocksKeyValue, a_flipped_byte_in_a_table_is_found) {
  {
    const auto store = rocks::open_rocksdb(options);
    for (int i = 0; i < 1000; ++i) store->apply(one_put("k" + std::to_string(i), std::string(100, 'v')));
    store->flush();
  }
  ASSERT_FALSE(files(".sst").empty());
  const std::string table = files(".sst").front();
  const File file = open_file(table, O_RDWR);
  write_all_at(file, table, "\x5a\xa5\x5a", 100);
  const auto store = rocks::open_rocksdb(options);
  EXPECT_EQ(code_of([&] { store->verify(); }), ErrorCode::corrupt);
}

TEST_F(RocksKeyValue, the_logs_of_a_quiet_keyspace_are_freed) {
  options.write_buffer_bytes = 128u << 10;
  options.memory_bytes = 3u << 20;
  const auto store = rocks::open_rocksdb(options);
  store->apply(one_put("quiet", "1", Keyspace::meta));
  for (int i = 0; i < 60000; ++i) {
    Batch batch = one_put(std::to_string(i), std::string(500, 'v'));
    while (store->pressure().level >= 1) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (store->needs_room(batch.bytes())) store->make_room();
    store->apply(batch);
  }
  auto logs = [&] {
    std::uint64_t bytes = 0;
    for (const std::string& log : files(".log")) bytes += file_size(log);
    return bytes;
  };
  for (int i = 0; i < 200 && logs() > 8u << 20; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_LT(logs(), 8u << 20);  // of 30 MB written
}

TEST_F(RocksKeyValue, a_failing_background_flush_is_told_once_and_stops_writing) {
  std::atomic<bool> allow{true};
  std::atomic<int> told{0};
  options.before_append = [&] { return allow.load(); };
  options.on_failure = [&](const Error& error) { told += error.code() == ErrorCode::io; };
  const auto store = rocks::open_rocksdb(options);
  store->apply(one_put("a", "1"));
  store->flush_log();
  allow = false;
  EXPECT_EQ(code_of([&] { store->flush(); }), ErrorCode::io);
  EXPECT_EQ(told, 1);
  EXPECT_EQ(code_of([&] { store->apply(one_put("b", "1")); }), ErrorCode::poisoned);
  EXPECT_EQ(code_of([&] { store->flush(); }), ErrorCode::poisoned);
}

}  // namespace

}  // namespace stele::storage
