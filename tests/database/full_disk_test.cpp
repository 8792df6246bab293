// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A file system that runs full, and has space again. Needs root, for a tmpfs of its own; skipped otherwise.
#include <gtest/gtest.h>
#include <stele/stele.h>

#include "tests/support/temporary_directory.h"

#include <sys/mount.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

namespace stele {
namespace {

class FullDiskTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "size=24m") != 0)
      GTEST_SKIP() << "cannot mount a tmpfs: " << std::strerror(errno);
    mounted = true;
    std::ofstream(directory / "ballast") << std::string(4u << 20, 'b');
    db.emplace(Database::open(directory / "db"));
    db->sql("CREATE TABLE t(id INTEGER PRIMARY KEY, x BLOB)");
  }
  void TearDown() override {
    db.reset();
    if (mounted) ::umount2(directory.path().c_str(), MNT_DETACH);
  }

  /// Inserts rows until one is refused; returns how many were acknowledged.
  std::int64_t insert_until_refused() {
    for (std::int64_t inserted = 0;; ++inserted) {
      try {
        db->sql("INSERT INTO t(x) VALUES(randomblob(100000))");
      } catch (const Error& error) {
        EXPECT_EQ(name(error.code()), "full") << error.message();
        return inserted;
      }
    }
  }
  std::int64_t count() { return db->sql("SELECT count(*) FROM t").one<std::int64_t>(); }

  testing::TemporaryDirectory directory;
  bool mounted = false;
  std::optional<Database> db;
};

TEST_F(FullDiskTest, rows_are_refused_as_full_and_go_on_when_there_is_space) {
  const std::int64_t acknowledged = insert_until_refused();
  ASSERT_GT(acknowledged, 0);
  EXPECT_EQ(count(), acknowledged);
  std::filesystem::remove(directory / "ballast");
  db->sql("INSERT INTO t(x) VALUES(randomblob(1000))");
  EXPECT_EQ(count(), acknowledged + 1);
  db->close();
  db.emplace(Database::open(directory / "db"));
  EXPECT_EQ(count(), acknowledged + 1);
}

TEST_F(FullDiskTest, a_store_on_a_full_disk_closes_and_opens_with_all_that_was_acknowledged) {
  const std::int64_t acknowledged = insert_until_refused();
  db->close();
  db.emplace(Database::open(directory / "db"));
  EXPECT_EQ(count(), acknowledged);
}

}  // namespace
}  // namespace stele
