// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// SQLite under the relational contract, and what only SQLite can promise.
#include "backends/sqlite/open.h"
#include "tests/contract/relational_contract.h"

#include <sqlite3.h>
#include <unistd.h>

#include <fcntl.h>
#include <cerrno>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace stele::storage {

const auto by_name = [](const auto& instance) { return instance.param.name; };

INSTANTIATE_TEST_SUITE_P(Sqlite, RelationalContract, ::testing::Values(RelationalBackend{"sqlite", sqlite::open_sqlite}),
                         by_name);

class SqliteBackend : public RelationalContract {
 protected:
  /// Runs SQL on the file as another program would.
  void foreign(const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open_v2(path().c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr), SQLITE_OK);
    char* message = nullptr;
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK) << message;
    sqlite3_free(message);
    sqlite3_close(db);
  }
  std::string header_bytes(std::size_t offset, std::size_t size) {
    std::ifstream file(path(), std::ios::binary);
    file.seekg(static_cast<std::streamoff>(offset));
    std::string bytes(size, '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(size));
    return bytes;
  }
};
INSTANTIATE_TEST_SUITE_P(Sqlite, SqliteBackend, ::testing::Values(RelationalBackend{"sqlite", sqlite::open_sqlite}),
                         by_name);

TEST_P(SqliteBackend, pages_have_4096_bytes_8_of_them_reserved_also_after_compaction) {
  for (int round = 0; round < 2; ++round) {
    store_->truncate_log();
    EXPECT_EQ(header_bytes(16, 2), std::string("\x10\x00", 2));
    EXPECT_EQ(header_bytes(20, 1), "\x08");
    store_->compact();
  }
}

TEST_P(SqliteBackend, the_sqlite3_program_reads_the_open_file) {
  write("CREATE TABLE t(x)");
  write("INSERT INTO t VALUES('seen')");
  const std::string command = "sqlite3 -readonly '" + path() + "' 'SELECT x FROM t' 2>&1";
  FILE* pipe = ::popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  char line[200] = "";
  const bool answered = std::fgets(line, sizeof line, pipe) != nullptr;
  if (::pclose(pipe) != 0 || !answered) GTEST_SKIP() << "no sqlite3 program: " << line;
  EXPECT_STREQ(line, "seen\n");
  write("INSERT INTO t VALUES('after')");
  store_->checkpoint();
  store_->sync_log();
}

TEST_P(SqliteBackend, a_commit_by_another_program_shows_in_data_version) {
  write("CREATE TABLE t(x)");
  writer().begin_write(0);
  const std::uint64_t before = writer().data_version();
  writer().rollback();
  foreign("INSERT INTO t VALUES(1)");
  writer().begin_write(0);
  EXPECT_NE(writer().data_version(), before);
}

TEST_P(SqliteBackend, definitions_by_another_program_do_not_leave_stale_facts) {
  write("CREATE TABLE a(x)");
  write("CREATE TABLE b(x)");
  write("CREATE VIEW v AS SELECT x FROM a");
  writer().begin_write(0);
  EXPECT_EQ(facts("SELECT * FROM v").tables_read, std::vector<std::string>{"a"});
  writer().rollback();
  foreign("DROP VIEW v; CREATE VIEW v AS SELECT x FROM b");
  writer().begin_write(0);
  EXPECT_EQ(facts("SELECT * FROM v").tables_read, std::vector<std::string>{"b"});
}

TEST_P(SqliteBackend, another_program_that_reads_keeps_the_log_from_being_emptied_and_that_is_no_error) {
  write("CREATE TABLE t(x)");
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open_v2(path().c_str(), &other, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(other, "BEGIN; SELECT * FROM t", nullptr, nullptr, nullptr), SQLITE_OK);
  write("INSERT INTO t VALUES(1)");
  const auto begun = std::chrono::steady_clock::now();
  store_->truncate_log();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(1)) << "it does not wait for them";
  EXPECT_GT(std::filesystem::file_size(path() + "-wal"), 0u);
  sqlite3_close(other);
  store_->truncate_log();
  EXPECT_EQ(std::filesystem::file_size(path() + "-wal"), 0u);
  EXPECT_EQ(rows(writer(), "SELECT x FROM t"), "1");
}

TEST_P(SqliteBackend, the_log_stays_after_closing_and_is_not_checkpointed) {
  write("CREATE TABLE t(x)");
  close();
  EXPECT_GT(std::filesystem::file_size(path() + "-wal"), 0u);
  open();
  EXPECT_EQ(rows(writer(), "SELECT count(*) FROM t"), "0");
}

TEST_P(SqliteBackend, a_replaced_log_file_is_found_at_the_checkpoint) {
  std::filesystem::rename(path() + "-wal", path() + "-aside");
  const Error error = error_of([&] { store_->checkpoint(); });
  EXPECT_EQ(error.code(), ErrorCode::io);
  EXPECT_NE(error.message().find("log file was replaced"), std::string::npos);
}

TEST_P(SqliteBackend, a_file_of_another_program_has_no_identity_and_is_left_as_it_is) {
  close();
  std::filesystem::remove_all(directory_);
  std::filesystem::create_directory(directory_);
  foreign("CREATE TABLE theirs(x)");
  open();
  EXPECT_EQ(store_->identity(writer()), std::nullopt);
  close();
  EXPECT_EQ(header_bytes(18, 1), "\x01") << "not turned to a write-ahead log";
}

TEST_P(SqliteBackend, no_database_at_all_is_corrupt) {
  close();
  std::filesystem::remove_all(directory_);
  std::filesystem::create_directory(directory_);
  std::ofstream(path()) << std::string(5000, 'x');
  EXPECT_EQ(error_of([&] { open(); }).code(), ErrorCode::corrupt);
}

TEST_P(SqliteBackend, a_symbolic_link_in_place_of_the_file_is_refused) {
  close();
  const std::string link = directory_ + "/link.db";
  std::filesystem::create_symlink(path(), link);
  EXPECT_EQ(error_of([&] { GetParam().open({.path = link}); }).code(), ErrorCode::invalid);
}

TEST_P(SqliteBackend, a_directory_reached_by_a_symbolic_link_is_fine_and_paths_are_no_uris) {
  close();
  const std::string odd = directory_ + "/file:a?mode=memory%20";
  std::filesystem::create_directory(odd);
  std::filesystem::create_directory_symlink(odd, directory_ + "/link");
  auto other = GetParam().open({.path = directory_ + "/link/file:x?mode=memory", .create = true});
  other->create({"x", 1});
  EXPECT_TRUE(std::filesystem::exists(odd + "/file:x?mode=memory"));
}

TEST_P(SqliteBackend, triggers_on_the_stores_tables_make_open_refuse) {
  close();
  foreign("CREATE TRIGGER evil AFTER UPDATE ON _stele_outbox BEGIN SELECT 1; END");
  const Error error = error_of([&] { open(); });
  EXPECT_EQ(error.code(), ErrorCode::corrupt);
  EXPECT_NE(error.message().find("evil"), std::string::npos);
}

TEST_P(SqliteBackend, verify_finds_missing_parents_triggers_and_damaged_pages) {
  write("CREATE TABLE p(id INTEGER PRIMARY KEY)");
  write("CREATE TABLE c(p REFERENCES p(id))");
  EXPECT_TRUE(store_->verify().empty());
  foreign("INSERT INTO c VALUES(5)");
  EXPECT_EQ(store_->verify().size(), 1u);
  write("CREATE TABLE t(x)");
  write("INSERT INTO t SELECT zeroblob(3000) FROM pragma_function_list LIMIT 50");
  store_->truncate_log();
  close();
  const auto size = std::filesystem::file_size(path());
  std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(size - 4096));
  file << std::string(4096, '\x7f');
  file.close();
  open();
  const auto findings = store_->verify();
  EXPECT_GT(findings.size(), 1u) << findings.front();
}

TEST_P(SqliteBackend, tables_that_fail_midway_by_declaration_are_known) {
  write("CREATE TABLE t(x UNIQUE ON CONFLICT FAIL)");
  EXPECT_TRUE(facts("INSERT INTO t VALUES(1), (2)").may_fail_midway);
}

TEST_P(SqliteBackend, full_text_tables_of_callers_work_and_their_facts_name_them) {
  write("CREATE VIRTUAL TABLE words USING fts5(body)");
  write("INSERT INTO words VALUES('stone slab')");
  EXPECT_EQ(rows(writer(), "SELECT body FROM words WHERE words MATCH 'slab'"), "stone slab");
  EXPECT_EQ(facts("DELETE FROM words").tables_written, std::vector<std::string>{"words"});
  write("DROP TABLE words");
}

/// While it lives SQLite's next open of a path that ends in `suffix` finds no descriptor left, once.
class DescriptorsShortOnce {
 public:
  explicit DescriptorsShortOnce(std::string_view suffix) {
    suffix_ = suffix;
    vfs_->xSetSystemCall(vfs_, "open", reinterpret_cast<sqlite3_syscall_ptr>(&open));
  }
  ~DescriptorsShortOnce() { vfs_->xSetSystemCall(vfs_, "open", nullptr); }
  DescriptorsShortOnce(const DescriptorsShortOnce&) = delete;
  bool met() const { return suffix_.empty(); }

 private:
  static int open(const char* path, int flags, int mode) {
    if (suffix_.empty() || !std::string_view(path).ends_with(suffix_)) return ::open(path, flags, mode);
    suffix_ = {};
    errno = EMFILE;
    return -1;
  }
  static inline std::string_view suffix_;
  sqlite3_vfs* const vfs_ = sqlite3_vfs_find(nullptr);
};

TEST_P(SqliteBackend, descriptors_short_for_a_moment_leave_no_connection_that_cannot_write) {
  write("CREATE TABLE t(x)");
  for (const std::string_view file : {"relational.db", "-wal"}) {
    SCOPED_TRACE(file);
    close();
    const DescriptorsShortOnce once(file);
    open();
    write("INSERT INTO t VALUES(1)");
    store_->truncate_log();
    EXPECT_TRUE(once.met());
  }
  close();
  const DescriptorsShortOnce once("-shm");  // SQLite opens that file past its own file system
  open();
  const Error refused = error_of([&] { store_->truncate_log(); });
  EXPECT_EQ(refused.code(), ErrorCode::io);
  EXPECT_NE(std::string(refused.what()).find("open the store again"), std::string::npos) << refused.what();
  close();
  open();
  write("INSERT INTO t VALUES(2)");
}

TEST_P(SqliteBackend, more_texts_than_the_cache_keeps_still_run) {
  for (int i = 0; i < 300; ++i) EXPECT_EQ(rows(writer(), "SELECT " + std::to_string(i % 150)), std::to_string(i % 150));
}

}  // namespace stele::storage
