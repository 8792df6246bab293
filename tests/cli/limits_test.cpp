// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The operating system refuses: descriptors, file sizes, writing at all. Never a signal, never a false finding, and
// what was acknowledged is there afterwards.
#include "tests/cli/program.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace stele::cli {
namespace {

namespace fs = std::filesystem;

class Limited : public ::testing::Test {
 protected:
  Limited() {
    const Ended filled = run({"exec", directory}, R"j({"op":"sql","sql":"CREATE TABLE t(a)"}
{"op":"sql","sql":"INSERT INTO t VALUES(1)"}
{"op":"insert","collection":"c","docs":[{"_id":1},{"_id":2}]}
{"op":"append","stream":"s","events":[1,2,3]}
)j");
    EXPECT_EQ(filled.code, 0) << filled.err;
  }

  void expect_whole(std::size_t documents = 2) {
    const Ended sound = run({"check", directory, "--deep"});
    EXPECT_EQ(sound.out, "sound\n");
    Exec exec(directory);
    EXPECT_EQ(exec.ask(R"({"op":"count","collection":"c"})"),
              "{\"ok\":true,\"count\":" + std::to_string(documents) + "}");
    EXPECT_NE(exec.ask(R"({"op":"sql","sql":"SELECT count(*) FROM t"})").find("[[1]]"), std::string::npos);
    EXPECT_EQ(exec.end().code, 0);
  }

  static void expect_one_line(const Ended& ended, const std::string& names) {
    EXPECT_EQ(ended.signal, 0);
    EXPECT_TRUE(ended.err.starts_with("stele: ")) << ended.err;
    EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
    EXPECT_NE(ended.err.find(names), std::string::npos) << ended.err;
  }

  TemporaryDirectory temporary;
  const std::string directory = temporary.path("db");
};

Prepare limit(__rlimit_resource what, rlim_t most) {
  return [=] {
    const rlimit limits{most, most};
    if (::setrlimit(what, &limits) != 0) ::_exit(cannot);
  };
}

/// `path` cannot be written to, for this process alone.
Prepare read_only(const std::string& path) {
  return [path] {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount(path.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0 ||
        ::mount(nullptr, path.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) != 0)
      ::_exit(cannot);
  };
}

// UBSan looks at objects through a pipe: without descriptors it reports what is sound.
#ifndef __SANITIZE_ADDRESS__
TEST_F(Limited, too_few_descriptors_are_an_error_and_no_damage) {
  int refused = 0;
  for (rlim_t most = 3; most <= 60; most += most < 40 ? 1 : 5) {
    SCOPED_TRACE(most);
    const Ended ended = run({"exec", directory},
                            R"({"op":"find","collection":"c"})"
                            "\n",
                            Closed::none, limit(RLIMIT_NOFILE, most));
    EXPECT_EQ(ended.signal, 0);
    if (ended.code == 127 || ended.err.find("shared libraries") != std::string::npos) continue;  // not even started
    if (ended.code == 0) {
      EXPECT_NE(ended.out.find("\"ok\":"), std::string::npos);
      continue;
    }
    ++refused;
    EXPECT_EQ(ended.code, 3) << ended.err;
    expect_one_line(ended, "oo many open files");
  }
  EXPECT_GT(refused, 5);
  expect_whole();
}

TEST_F(Limited, a_check_with_too_few_descriptors_finds_no_damage) {
  for (rlim_t most = 3; most <= 40; ++most) {
    SCOPED_TRACE(most);
    const Ended ended = run({"check", directory, "--deep"}, "", Closed::none, limit(RLIMIT_NOFILE, most));
    EXPECT_EQ(ended.signal, 0);
    if (ended.code == 127 || ended.err.find("shared libraries") != std::string::npos) continue;
    EXPECT_EQ(ended.out.find("restore"), std::string::npos) << ended.out;
    if (ended.out == "sound\n") continue;
    EXPECT_NE((ended.out + ended.err).find("oo many open files"), std::string::npos) << ended.out << ended.err;
  }
}

#endif

TEST_F(Limited, files_that_may_not_grow_end_the_writing_and_lose_nothing) {
  const std::string text(3000, 'x');
  std::size_t documents = 2, ended_early = 0;
  for (const rlim_t most :
       {rlim_t{4} << 10, rlim_t{64} << 10, rlim_t{300} << 10, rlim_t{1200} << 10, rlim_t{3} << 20}) {
    SCOPED_TRACE(most);
    Exec exec(directory, {}, limit(RLIMIT_FSIZE, most));
    std::string answer, code_of_last;  // empty: it could not even be opened
    try {
      for (int i = 0; i < 400; ++i) {
        answer = exec.ask("{\"op\":\"insert\",\"collection\":\"c\",\"docs\":[{\"text\":\"" + text + "\"}]}");
        code_of_last = code_of(answer);
        if (code_of_last != "ok") break;
        ++documents;
      }
    } catch (const std::runtime_error& it_has_ended) {
      code_of_last.clear();
    }
    const Ended ended = exec.end();
    EXPECT_EQ(ended.signal, 0);
    if (code_of_last == "ok") continue;  // enough for all
    ++ended_early;
    EXPECT_TRUE(code_of_last == "io" || code_of_last == "unknown_outcome" || (code_of_last.empty() && ended.code == 3))
        << answer << ended.err;
    if (code_of_last == "unknown_outcome") {  // then it may be there
      const std::string one_more = "\"count\":" + std::to_string(documents + 1) + "}";
      documents += Exec(directory).ask(R"({"op":"count","collection":"c"})").ends_with(one_more);
    }
    expect_whole(documents);
  }
  EXPECT_GE(ended_early, 2u);
}

TEST_F(Limited, a_directory_deleted_while_open_is_no_crash) {
  Exec exec(directory);
  exec.ask(R"({"op":"insert","collection":"c","docs":[{"_id":3}]})");
  std::error_code again;  // RocksDB may remove a file of its own meanwhile
  while (fs::remove_all(directory, again), again) continue;
  for (int i = 0; i < 20; ++i)
    for (const char* request : {R"({"op":"insert","collection":"c","docs":[{}]})", R"({"op":"find","collection":"c"})",
                                R"j({"op":"sql","sql":"INSERT INTO t VALUES(2)"})j", R"({"op":"check"})"}) {
      const std::string answer = exec.ask(request), code = code_of(answer);
      // RocksDB's own work on the files that are gone may fail while a commit is in the log's queue.
      EXPECT_TRUE(code == "ok" || code == "io" || code == "poisoned" || code == "corrupt" || code == "unknown_outcome")
          << answer;
    }
  const Ended ended = exec.end();
  EXPECT_EQ(ended.signal, 0);
  EXPECT_TRUE(ended.code == 0 || ended.code == 3) << ended.code;
  if (ended.code == 3) expect_one_line(ended, directory);
  EXPECT_FALSE(fs::exists(directory));
}

class ReadOnly : public Limited {
 protected:
  Ended run_read_only(const std::vector<std::string>& arguments) {
    return run(arguments,
               R"({"op":"find","collection":"c"})"
               "\n",
               Closed::none, read_only(directory));
  }
};

#define SKIP_WHEN_MOUNTS_ARE_NOT_ALLOWED(ended) \
  if ((ended).code == cannot) GTEST_SKIP() << "this user may not mount anything read-only"

TEST_F(ReadOnly, is_not_opened_and_says_so) {
  const std::string before = contents_of(directory);
  const Ended ended = run_read_only({"exec", directory});
  SKIP_WHEN_MOUNTS_ARE_NOT_ALLOWED(ended);
  EXPECT_EQ(ended.code, 3);
  expect_one_line(ended, "ead-only file system");
  EXPECT_EQ(contents_of(directory), before);
  expect_whole();
}

TEST_F(ReadOnly, is_checked_without_false_findings) {
  const auto expect_sound = [&](std::string_view state) {
    SCOPED_TRACE(state);
    const std::string before = contents_of(directory);
    const Ended ended = run_read_only({"check", directory, "--deep"});
    if (ended.code == cannot) return;
    EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
    EXPECT_EQ(ended.out.find("damage"), std::string::npos) << ended.out;
    EXPECT_TRUE(ended.out.ends_with("sound\n")) << ended.out;
    EXPECT_EQ(contents_of(directory), before);
  };
  SKIP_WHEN_MOUNTS_ARE_NOT_ALLOWED(run_read_only({"check", directory}));
  expect_sound("closed");
  fs::remove(directory + "/relational.db-shm");
  expect_sound("without shared memory");
  fs::remove(directory + "/relational.db-wal");
  expect_sound("without a log, too");
}

TEST_F(ReadOnly, is_checked_after_a_kill_without_false_findings) {
  Exec exec(directory);
  for (int i = 10; i < 20; ++i) exec.ask(R"({"op":"insert","collection":"c","docs":[{}]})");
  exec.ask(R"j({"op":"sql","sql":"INSERT INTO t VALUES(2)"})j");
  exec.kill();
  const Ended ended = run_read_only({"check", directory, "--deep"});
  SKIP_WHEN_MOUNTS_ARE_NOT_ALLOWED(ended);
  EXPECT_EQ(ended.out.find("damage"), std::string::npos) << ended.out;
  EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
  fs::remove(directory + "/relational.db-shm");  // which the log that is there takes to be read
  const Ended cannot_look = run_read_only({"check", directory, "--deep"});
  EXPECT_EQ(cannot_look.code, 3);
  EXPECT_EQ(cannot_look.out, "");
  expect_one_line(cannot_look, "copy the whole directory to a disk that can be written");
}

TEST_F(Limited, a_stray_rollback_journal_is_nobodys_damage_and_never_applied) {
  const std::string journal = directory + "/relational.db-journal";
  const std::string before = contents_of(directory + "/kv");
  std::string header =
      "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7";  // SQLite's magic, then: one page, the database is one page long
  header += std::string("\0\0\0\1\0\0\0\0\0\0\0\1\0\0\2\0\0\0\x10\0", 20);
  header.resize(512);
  header += std::string("\0\0\0\1", 4) + std::string(4096, 'Z') + std::string(4, '\0');
  for (const std::string& bytes : {std::string(), std::string("x"), std::string(5000, 'x'), header}) {
    std::ofstream(journal, std::ios::binary) << bytes;
    const Ended checked = run({"check", directory, "--deep"});
    EXPECT_EQ(checked.out.find("damage"), std::string::npos) << checked.out;
    EXPECT_EQ(checked.code, 0) << checked.out << checked.err;
    std::ofstream(journal, std::ios::binary) << bytes;
    const Ended ended = run({"exec", directory}, "{\"op\":\"sql\",\"sql\":\"SELECT count(*) FROM t\"}\n");
    EXPECT_NE(ended.out.find("[[1]]"), std::string::npos) << ended.out << ended.err;
    fs::remove(journal);
    expect_whole();
  }
}

}  // namespace
}  // namespace stele::cli
