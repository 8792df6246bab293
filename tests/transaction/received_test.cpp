// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Stores received from elsewhere: links that lead out of the directory, parts that are not files, parts of another
// store.
#include "backends/rocksdb/file_system.h"
#include "tests/transaction/image.h"

#include <rocksdb/file_system.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

namespace stele::transaction {
namespace {

class Received : public ImageTest {};

TEST_F(Received, a_symbolic_link_in_place_of_a_part_is_refused_and_not_followed) {
  put("k", "v");
  store_->close();
  const std::string elsewhere = directory_.path() + "/elsewhere";
  for (const char* part : {"large", "kv", "vectors", "lock", "durable", "stele.json", "stele.json.tmp", "new",
                           "relational.db", "relational.db-wal", "relational.db-shm", "relational.db-journal"}) {
    SCOPED_TRACE(part);
    const std::string path = image("linked");
    const std::string file = path + "/" + part;
    fs::remove_all(elsewhere);
    fs::create_directory(elsewhere);
    write(elsewhere + "/thesis.txt", "years of work");
    if (fs::exists(file)) {
      fs::rename(file, elsewhere + "/part");
    } else {
      write(elsewhere + "/part", "also mine");
    }
    if (std::string_view(part) == "large")
      write(elsewhere + "/part/0b7c2f7e-93f1-4c5e-8a55-0d1f6a3f2b11", "of a friend");
    fs::create_symlink(elsewhere + "/part", file);
    const std::string before = contents(elsewhere);
    const Error error = refused(path);
    EXPECT_EQ(error.code(), ErrorCode::invalid) << error.message();
    EXPECT_NE(error.message().find(file + ": is a symbolic link"), std::string::npos) << error.message();
    EXPECT_EQ(error.detail().at("file"), part);
    EXPECT_EQ(contents(elsewhere), before);
    fs::remove(file);
    if (before.find("also mine") == std::string::npos) fs::rename(elsewhere + "/part", file);
    std::string value;
    EXPECT_TRUE(open_image(path)->latest()->get(Keyspace::documents, "k", value)) << "after putting it back";
  }
}

TEST_F(Received, files_of_rocksdb_behind_a_link_are_not_read) {
  put("k", "v");
  store_->close();
  for (const std::string name : {"CURRENT", "MANIFEST", "IDENTITY", ".log", ".sst"}) {
    SCOPED_TRACE(name);
    const std::string path = image("linked"), elsewhere = directory_.path() + "/elsewhere";
    fs::path found;
    for (const auto& entry : fs::directory_iterator(path + "/kv"))
      if (entry.path().string().find(name) != std::string::npos && entry.file_size() > 0) found = entry.path();
    if (found.empty()) continue;
    fs::rename(found, elsewhere);
    fs::create_symlink(elsewhere, found);
    EXPECT_NE(refused(path).message().find("symbolic link"), std::string::npos) << refused(path).message();
  }
}

TEST_F(Received, links_that_wait_for_rocksdbs_next_files_are_not_followed) {
  store_->close();
  const std::string path = image("linked"), victim = directory_.path() + "/bashrc";
  write(victim, "mine");
  for (int number = 1; number < 100; ++number) {
    char digits[8];
    std::snprintf(digits, sizeof digits, "%06d", number);
    const std::string n = digits;
    for (const std::string& name : {n + ".log", n + ".sst", "MANIFEST-" + n, n + ".dbtmp", "OPTIONS-" + n}) {
      const std::string file = path + "/kv/" + name;
      if (!fs::exists(file)) fs::create_symlink(victim, file);
    }
  }
  thrown([&] { open_image(path); });  // RocksDB may take other numbers
  EXPECT_EQ(read_file(victim), "mine");
  fs::remove(path + "/kv/LOCK");
  fs::create_symlink(directory_.path() + "/made", path + "/kv/LOCK");
  EXPECT_NE(thrown([&] { open_image(path); }), std::nullopt);
  EXPECT_FALSE(fs::exists(directory_.path() + "/made"));
}

TEST(RocksdbFiles, are_not_made_or_cut_through_a_link) {
  TemporaryDirectory directory;
  const std::string victim = directory.path() + "/bashrc", link = directory.path() + "/000009.log";
  create_synced_file(victim, "mine");
  ASSERT_EQ(::symlink(victim.c_str(), link.c_str()), 0);
  const auto gate = std::make_shared<rocks::FileGate>([] { return true; }, [](const Error&) {}, false);
  const auto files = rocks::make_file_system(gate);
  std::unique_ptr<rocksdb::FSWritableFile> file;
  EXPECT_FALSE(files->NewWritableFile(link, {}, &file, nullptr).ok());
  EXPECT_FALSE(files->ReopenWritableFile(link, {}, &file, nullptr).ok());
  EXPECT_EQ(read_file(victim), "mine");
}

TEST_F(Received, a_part_of_another_kind_is_corrupt) {
  store_->close();
  for (const char* part : {"large", "kv", "durable", "stele.json", "relational.db", "lock"}) {
    for (const bool pipe : {true, false}) {
      SCOPED_TRACE(part);
      const std::string path = image("kinds"), file = path + "/" + part;
      const bool was_directory = fs::is_directory(file);
      fs::remove_all(file);
      if (pipe) {
        ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
      } else if (was_directory) {
        write(file, "a file");
      } else {
        fs::create_directory(file);
      }
      const Error error = refused(path);
      EXPECT_EQ(error.code(), ErrorCode::corrupt) << error.message();
      EXPECT_NE(error.message().find(file), std::string::npos) << error.message();
      EXPECT_NE(error.message().find("backup"), std::string::npos) << error.message();
    }
  }
}

/// SQLite takes any log that is sound in itself: only what the outbox rows say tells whose it is.
TEST_F(Received, a_log_of_another_store_is_corrupt_and_none_of_it_is_applied) {
  store_->relational().checkpoint();  // the main file names the store, and the log starts anew
  sql("UPDATE t SET v = 0");
  put("k", "mine");
  const std::string path = image("one");
  store_->close();

  TemporaryDirectory elsewhere;
  const auto other = Store::open(elsewhere.path() + "/other", options_, tuning_);
  for (const char* same : {"CREATE TABLE t(k INTEGER PRIMARY KEY, v INTEGER)",
                           "CREATE TABLE other(k INTEGER PRIMARY KEY, v INTEGER CHECK(v >= 0))",
                           "INSERT INTO t VALUES(1, 0), (2, 0), (3, 0), (4, 0)", "UPDATE t SET v = 0"})
    other->sql(same, Parameters{});
  other->close();  // its next log is without the pages of _stele_meta
  const auto again = Store::open(elsewhere.path() + "/other", options_, tuning_);
  for (int i = 0; i < 20; ++i) again->sql("UPDATE t SET v = 666", Parameters{});
  const std::string mine = read_file(path + "/relational.db-wal");

  write(path + "/relational.db-wal", read_file(elsewhere.path() + "/other/relational.db-wal"));
  fs::remove(path + "/relational.db-shm");
  const Error error = refused(path);
  EXPECT_EQ(error.code(), ErrorCode::corrupt) << error.message();
  EXPECT_NE(error.message().find("belongs to another database"), std::string::npos) << error.message();
  EXPECT_NE(error.message().find("backup"), std::string::npos) << error.message();

  write(path + "/relational.db-wal", mine);
  fs::remove(path + "/relational.db-shm");
  const auto restored = open_image(path);
  const auto rows = restored->sql("SELECT count(*), sum(v) FROM t", Parameters{});
  ASSERT_TRUE(rows->next());
  EXPECT_EQ(rows->integer(0), 4);
  EXPECT_EQ(rows->integer(1), 0);
}

TEST_F(Received, an_outbox_row_of_another_store_or_epoch_is_corrupt) {
  const OutboxRow mine{7, 0, 0, 0, {}, origin_of({"0f8fad5b-d9cb-469f-a165-70867728950e", 2})};
  LogState state;
  state.decoded.push_back(mine);
  state.newest_sql = 7;
  for (const storage::Identity& other : {storage::Identity{"ffffffff-d9cb-469f-a165-70867728950e", 2},
                                         storage::Identity{"0f8fad5b-d9cb-469f-a165-70867728950e", 1}}) {
    state.origin = origin_of(other);
    EXPECT_NE(contradiction(state).value_or("").find("belongs to another database"), std::string::npos);
  }
  state.origin = mine.origin;
  EXPECT_EQ(contradiction(state).value_or(""), "");
}

TEST_F(Received, shared_memory_of_another_store_changes_nothing) {
  const std::string path = image("one");
  TemporaryDirectory elsewhere;
  const auto other = Store::open(elsewhere.path() + "/other", options_, tuning_);
  other->sql("CREATE TABLE u(a)", Parameters{});
  fs::copy_file(elsewhere.path() + "/other/relational.db-shm", path + "/relational.db-shm",
                fs::copy_options::overwrite_existing);
  const auto rows = open_image(path)->sql("SELECT count(*) FROM t", Parameters{});
  ASSERT_TRUE(rows->next());
  EXPECT_EQ(rows->integer(0), 4);
}

TEST_F(Received, another_stores_floor_is_corrupt) {
  store_->close();
  const std::string path = image("one");
  TemporaryDirectory elsewhere;
  Store::open(elsewhere.path() + "/other", options_, tuning_)->close();
  fs::copy_file(elsewhere.path() + "/other/durable", path + "/durable", fs::copy_options::overwrite_existing);
  const Error error = refused(path);
  EXPECT_EQ(error.code(), ErrorCode::corrupt);
  EXPECT_NE(error.message().find("durable"), std::string::npos) << error.message();
  EXPECT_NE(error.message().find("backup"), std::string::npos) << error.message();
}

}  // namespace
}  // namespace stele::transaction
