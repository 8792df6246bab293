// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// SIGINT in `stele exec`, and outputs that take nothing.
#include "tests/cli/program.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

namespace stele::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view endless =
    R"({"op":"sql","sql":"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n"})";

class SignalTest : public ::testing::Test {
 protected:
  SignalTest() { exec.ask(R"j({"op":"sql","sql":"CREATE TABLE t(a)"})j"); }

  void interrupt(std::chrono::milliseconds after = 200ms) {
    std::this_thread::sleep_for(after);
    ::kill(exec.pid(), SIGINT);
  }
  std::string send_and_interrupt(std::string_view request) {
    exec.send(request);
    exec.send("\n");
    interrupt(600ms);  // when it is surely under way
    return exec.answer();
  }

  TemporaryDirectory temporary;
  Exec exec{temporary.path("db")};
};

TEST_F(SignalTest, cancels_the_request_in_flight_and_the_next_one_is_answered) {
  for (int i = 0; i < 3; ++i) {
    const std::string answer = send_and_interrupt(endless);
    EXPECT_EQ(code_of(answer), "interrupted") << answer;
    EXPECT_NE(message_of(answer).find("cancelled"), std::string::npos) << answer;
    EXPECT_EQ(exec.ask(R"({"op":"collections"})"), R"({"ok":true,"collections":[]})");
  }
  EXPECT_EQ(exec.end().code, 0);
}

TEST_F(SignalTest, a_cancelled_write_leaves_nothing) {
  const std::string answer = send_and_interrupt(
      R"({"op":"sql","sql":"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) INSERT INTO t SELECT i FROM n"})");
  EXPECT_EQ(code_of(answer), "interrupted") << answer;
  EXPECT_NE(exec.ask(R"({"op":"sql","sql":"SELECT count(*) FROM t"})").find("[[0]]"), std::string::npos);
  EXPECT_EQ(code_of(exec.ask(R"j({"op":"sql","sql":"INSERT INTO t VALUES(1)"})j")), "ok");
}

TEST_F(SignalTest, a_cancelled_read_leaves_its_transaction_usable) {
  exec.ask(R"({"op":"begin"})");
  exec.ask(R"({"op":"insert","tx":1,"collection":"c","docs":[{"_id":1}]})");
  std::string in_transaction(endless);
  in_transaction.insert(1, "\"tx\":1,");
  EXPECT_EQ(code_of(send_and_interrupt(in_transaction)), "interrupted");
  EXPECT_EQ(code_of(exec.ask(R"({"op":"commit","tx":1})")), "ok");
  EXPECT_EQ(exec.ask(R"({"op":"count","collection":"c"})"), R"({"ok":true,"count":1})");
}

TEST_F(SignalTest, with_no_request_in_flight_the_first_one_is_without_effect) {
  interrupt();
  EXPECT_EQ(exec.ask(R"({"op":"collections"})"), R"({"ok":true,"collections":[]})");
  interrupt();
  EXPECT_EQ(code_of(send_and_interrupt(endless)), "interrupted");
}

TEST_F(SignalTest, a_second_one_ends_the_program_in_order) {
  exec.ask(R"({"op":"begin"})");
  exec.ask(R"({"op":"insert","tx":1,"collection":"lost","docs":[{"_id":1}]})");
  exec.ask(R"({"op":"insert","collection":"kept","docs":[{"_id":1}],"durability":"relaxed"})");
  interrupt();
  interrupt();
  const Ended ended = exec.wait();
  EXPECT_EQ(ended.signal, 0);
  EXPECT_EQ(ended.code, 130);
  EXPECT_EQ(ended.out + ended.err, "");
  EXPECT_EQ(run({"check", temporary.path("db"), "--deep"}).out, "sound\n");
  EXPECT_EQ(Exec(temporary.path("db")).ask(R"({"op":"collections"})"), R"({"ok":true,"collections":["kept"]})");
}

TEST_F(SignalTest, two_during_requests_sent_ahead_answer_the_first_and_drop_the_others) {
  const std::string line = std::string(endless) + "\n";
  exec.send(line + line + line);
  interrupt();
  EXPECT_EQ(code_of(exec.answer()), "interrupted");
  interrupt();
  const Ended ended = exec.wait();
  EXPECT_EQ(ended.code, 130);
  EXPECT_EQ(std::ranges::count(ended.out, '\n'), 1) << ended.out;
  EXPECT_NE(ended.out.find("interrupted"), std::string::npos);
}

TEST_F(SignalTest, ignored_by_who_started_it_it_stays_ignored) {
  Exec background(temporary.path("other"), {}, [] { std::signal(SIGINT, SIG_IGN); });
  background.ask(R"({"op":"collections"})");
  for (int i = 0; i < 3; ++i) ::kill(background.pid(), SIGINT);
  EXPECT_EQ(background.ask(R"({"op":"collections"})"), R"({"ok":true,"collections":[]})");
  EXPECT_EQ(background.end().code, 0);
}

/// Standard output is a device that is always full.
void to_a_full_device() {
  const int full = ::open("/dev/full", O_WRONLY);
  if (full < 0 || ::dup2(full, 1) < 0) ::_exit(cannot);
}

TEST(FullOutput, is_an_error_with_its_exit_code_and_loses_nothing) {
  TemporaryDirectory temporary;
  const std::string directory = temporary.path("db");
  const Ended written = run({"exec", directory},
                            R"({"op":"insert","collection":"c","docs":[{"_id":1}]})"
                            "\n",
                            Closed::none, to_a_full_device);
  if (written.code == cannot) GTEST_SKIP() << "there is no /dev/full";
  for (const Ended& ended : {written, run({"check", directory}, "", Closed::none, to_a_full_device),
                             run({"--help"}, "", Closed::none, to_a_full_device)}) {
    EXPECT_EQ(ended.signal, 0);
    EXPECT_EQ(ended.code, 3) << ended.err;
    EXPECT_NE(ended.err.find("o space left on device"), std::string::npos) << ended.err;
    EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
  }
  EXPECT_EQ(Exec(directory).ask(R"({"op":"count","collection":"c"})"), R"({"ok":true,"count":1})");
}

TEST(FullOutput, of_complaints_changes_no_exit_code) {
  const auto mute = [] {
    const int full = ::open("/dev/full", O_WRONLY);
    if (full < 0 || ::dup2(full, 2) < 0) ::_exit(cannot);
  };
  EXPECT_EQ(run({"exec"}, "", Closed::none, mute).code, 2);
  EXPECT_EQ(run({"check", "/nowhere"}, "", Closed::none, mute).code, 1);
}

TEST(LongArguments, are_refused_in_one_line) {
  TemporaryDirectory temporary;
  const std::string longest(100'000, 'x');
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"exec", temporary.path(longest)},
                                                    {"check", longest},
                                                    {longest},
                                                    {"exec", "--" + longest, "db"},
                                                    {"exec", temporary.path("db"), "--durability", longest}}) {
    const Ended ended = run(arguments);
    EXPECT_TRUE(ended.code == 1 || ended.code == 2 || ended.code == 3) << ended.code;
    EXPECT_EQ(ended.out, "");
    EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1);
    EXPECT_LT(ended.err.size(), 3000u) << ended.err.substr(0, 300);
  }
}

TEST(LongLines, without_an_end_are_refused_at_the_end_of_input) {
  TemporaryDirectory temporary;
  const Ended ended = run({"exec", temporary.path("db")}, "{\"op\":\"" + std::string(33u << 20, 'x'));
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(code_of(ended.out), "too_large") << ended.out.substr(0, 300);
}

TEST(Output, that_nobody_reads_any_more_ends_the_program_whatever_input_is_left) {
  TemporaryDirectory temporary;
  const std::string code = temporary.path("code");
  const std::string command = "yes '{\"op\":\"collections\"}' | head -20000 | { timeout 60 '" STELE_PROGRAM "' exec '" +
                              temporary.path("db") + "'; echo $? >'" + code + "'; } 2>&1 | head -c 5 >/dev/null";
  EXPECT_EQ(std::system(command.c_str()), 0);
  std::ifstream file(code);
  int exit_code = -1;
  file >> exit_code;
  EXPECT_EQ(exit_code, 1);
}

}  // namespace
}  // namespace stele::cli
