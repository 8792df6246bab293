// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/transaction/directory.h"

#include "engine/transaction/large_files.h"
#include "tests/transaction/directory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <string>

namespace stele::transaction {
namespace {

class Directories : public ::testing::Test {
 protected:
  Directory open(bool create = true) { return Directory({path_, create, "sqlite", "rocksdb"}); }

  /// The error of opening; its message must hold `text`.
  Error refused(std::string_view text, const std::function<void()>& open) {
    try {
      open();
    } catch (const Error& error) {
      EXPECT_NE(error.message().find(text), std::string::npos) << error.message();
      EXPECT_NE(error.message().find(path_), std::string::npos) << "names the directory: " << error.message();
      return error;
    }
    ADD_FAILURE() << "was opened";
    return {ErrorCode::invalid, ""};
  }

  TemporaryDirectory parent_;
  std::string path_ = parent_.path() + "/store";
};

TEST_F(Directories, is_created_and_then_carries_its_name) {
  std::string id;
  {
    Directory made = open();
    EXPECT_TRUE(made.creating());
    made.finish_creation();
    EXPECT_FALSE(made.creating());
    id = made.manifest().identity.store_id;
    struct stat info;
    ASSERT_EQ(::stat(path_.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0700u);
  }
  Directory again = open(false);
  EXPECT_FALSE(again.creating());
  EXPECT_EQ(again.manifest().identity, (storage::Identity{id, 1}));
  EXPECT_EQ(again.manifest().relational, "sqlite");
  EXPECT_EQ(again.manifest().key_value, "rocksdb");
}

TEST_F(Directories, an_unfinished_creation_starts_over) {
  std::string first;
  {
    Directory cut_off = open();
    first = cut_off.manifest().identity.store_id;
    create_synced_file(cut_off.file("relational.db"), "half of it");
    make_directory(cut_off.file("kv"));
    create_synced_file(cut_off.file("kv") + "/CURRENT", "x");
  }
  Directory again = open();
  EXPECT_TRUE(again.creating());
  EXPECT_NE(again.manifest().identity.store_id, first);
  EXPECT_FALSE(exists(again.file("relational.db")));
  EXPECT_FALSE(exists(again.file("kv")));
}

TEST_F(Directories, the_mark_of_an_unfinished_creation_that_came_back_goes_at_the_next_open) {
  { open().finish_creation(); }
  create_synced_file(path_ + "/new", "left");
  EXPECT_FALSE(open().creating());
  EXPECT_FALSE(exists(path_ + "/new"));
}

TEST_F(Directories, an_empty_directory_becomes_a_store) {
  make_directory(path_);
  EXPECT_TRUE(open().creating());
}

TEST_F(Directories, absent_is_not_found_unless_it_may_be_created) {
  EXPECT_EQ(refused("no database here", [&] { open(false); }).code(), ErrorCode::not_found);
  EXPECT_FALSE(exists(path_));
  make_directory(path_);
  EXPECT_EQ(refused("no database here", [&] { open(false); }).code(), ErrorCode::not_found);
}

TEST_F(Directories, somebody_elses_directory_is_refused_untouched) {
  make_directory(path_);
  create_synced_file(path_ + "/thesis.txt", "years of work");
  EXPECT_EQ(refused("not a Stele database", [&] { open(); }).code(), ErrorCode::invalid);
  EXPECT_EQ(list_directory(path_), std::vector<std::string>{"thesis.txt"});
}

TEST_F(Directories, a_store_that_lost_its_manifest_is_refused_untouched) {
  { open().finish_creation(); }
  create_synced_file(path_ + "/relational.db", "precious");
  remove_file(path_ + "/stele.json");
  EXPECT_EQ(refused("stele.json", [&] { open(); }).code(), ErrorCode::invalid);
  EXPECT_EQ(read_file(path_ + "/relational.db"), "precious");
}

TEST_F(Directories, files_and_symbolic_links_are_refused) {
  create_synced_file(path_, "a file");
  EXPECT_EQ(refused("not a directory", [&] { open(); }).code(), ErrorCode::invalid);
  remove_file(path_);
  ASSERT_EQ(::symlink(parent_.path().c_str(), path_.c_str()), 0);
  EXPECT_EQ(refused("symbolic link", [&] { open(); }).code(), ErrorCode::invalid);
}

TEST_F(Directories, a_directory_that_others_can_write_is_refused) {
  { open().finish_creation(); }
  for (const mode_t mode : {0720u, 0702u}) {
    ASSERT_EQ(::chmod(path_.c_str(), mode), 0);
    EXPECT_EQ(refused("chmod", [&] { open(); }).code(), ErrorCode::invalid);
  }
}

TEST_F(Directories, other_backends_and_formats_are_version_errors) {
  { open().finish_creation(); }
  const std::string manifest = read_file(path_ + "/stele.json");
  EXPECT_EQ(refused("rocksdb", [&] { Directory({path_, true, "sqlite", "memory"}); }).code(), ErrorCode::version);
  EXPECT_EQ(refused("sqlite", [&] { Directory({path_, true, "postgres", "rocksdb"}); }).code(), ErrorCode::version);
  std::string newer = manifest;
  newer.replace(newer.find("\"format\":1"), 10, "\"format\":2");
  replace_file(path_ + "/stele.json", newer);
  EXPECT_EQ(refused("format 2", [&] { open(); }).code(), ErrorCode::version);
}

TEST_F(Directories, a_damaged_manifest_is_corrupt_and_stays_as_it_is) {
  { open().finish_creation(); }
  const std::string manifest = read_file(path_ + "/stele.json");
  for (const std::string& damaged :
       {std::string(), std::string("{}"), manifest.substr(0, manifest.size() / 2), std::string("{\"format\":\"one\"}"),
        std::string("[1]"), std::string("\0\0\0", 3)}) {
    replace_file(path_ + "/stele.json", damaged);
    EXPECT_EQ(refused("stele.json", [&] { open(); }).code(), ErrorCode::corrupt) << damaged;
    EXPECT_EQ(read_file(path_ + "/stele.json"), damaged);
  }
}

TEST_F(Directories, a_second_opener_is_told_the_holders_pid) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t holder = ::fork();
  if (holder == 0) {
    Directory held = open();
    held.finish_creation();
    (void)!::write(ready[1], "x", 1);
    ::pause();
    ::_exit(0);
  }
  char byte;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  const Error error = refused("one process writes at a time", [&] { open(); });
  EXPECT_EQ(error.code(), ErrorCode::locked);
  EXPECT_EQ(error.detail().at("pid"), std::to_string(holder));
  EXPECT_NE(error.detail().at("program").find("transaction"), std::string::npos);
  ::kill(holder, SIGKILL);
  ::waitpid(holder, nullptr, 0);
  EXPECT_FALSE(open().creating()) << "the lock goes with the process";
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(Directories, the_same_process_cannot_open_it_twice) {
  Directory held = open();
  EXPECT_EQ(refused("is open in process", [&] { open(); }).code(), ErrorCode::locked);
}

TEST_F(Directories, a_stale_lock_file_is_no_obstacle) {
  make_directory(path_);
  create_synced_file(path_ + "/lock", "4194304 gone\n");
  EXPECT_TRUE(open().creating());
}

class LargeFileTest : public ::testing::Test {
 protected:
  TemporaryDirectory directory_;
  LargeFiles large_{directory_.path()};
};

TEST_F(LargeFileTest, is_read_back_and_checked) {
  const LargeFile file = large_.write("a large batch");
  EXPECT_EQ(file.size, 13u);
  EXPECT_EQ(large_.read(file), "a large batch");
  for (const char* damaged : {"a large botch", "a large batch.", ""}) {
    replace_file(directory_.path() + "/" + file.name, damaged);
    EXPECT_THROW(large_.read(file), Error) << damaged;
  }
  large_.discard(file);
  try {
    large_.read(file);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::corrupt);
    EXPECT_NE(error.message().find(file.name), std::string::npos);
  }
}

TEST_F(LargeFileTest, goes_when_the_key_value_log_is_durable) {
  const LargeFile first = large_.write("1");
  const LargeFile second = large_.write("2");
  large_.release_at(first, 5);
  large_.release_at(second, 6);
  large_.key_value_durable(4);
  EXPECT_EQ(list_directory(directory_.path()).size(), 2u);
  large_.key_value_durable(5);
  EXPECT_EQ(list_directory(directory_.path()), std::vector<std::string>{second.name});
  large_.key_value_durable(99);
  EXPECT_TRUE(list_directory(directory_.path()).empty());
}

TEST_F(LargeFileTest, opening_removes_what_is_left_and_nothing_else) {
  large_.write("of a commit that did not happen");
  create_synced_file(directory_.path() + "/thesis.txt", "years of work");
  large_.remove_all();
  EXPECT_EQ(list_directory(directory_.path()), std::vector<std::string>{"thesis.txt"});
}

TEST(LargeFileFailure, poisons_as_every_failed_write_does) {
  Health health;
  LargeFiles nowhere("/proc/self/nowhere", &health);
  EXPECT_THROW(nowhere.write("a large batch"), Error);
  EXPECT_TRUE(health.poisoned());
  EXPECT_NE(health.cause().find("nowhere"), std::string::npos);
}

}  // namespace
}  // namespace stele::transaction
