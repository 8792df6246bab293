// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/cli/program.h"

#include <stele/version.h>

#include <algorithm>
#include <filesystem>

namespace stele::cli {
namespace {

void expect_usage(const Ended& ended, const std::string& names) {
  EXPECT_EQ(ended.code, 2);
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
  EXPECT_NE(ended.err.find(names), std::string::npos) << ended.err;
}

TEST(CommandLine, wrong_arguments_are_one_line_and_exit_2) {
  TemporaryDirectory temporary;
  const std::string directory = temporary.path("db");
  expect_usage(run({}), "--help");
  expect_usage(run({"frobnicate"}), "frobnicate");
  expect_usage(run({"exec"}), "DIR");
  expect_usage(run({"check"}), "DIR");
  expect_usage(run({"exec", directory, "--frob"}), "unknown option --frob");
  expect_usage(run({"exec", directory, "--read-only"}), "--read-only is not offered yet");
  expect_usage(run({"check", directory, "--read-only"}), "unknown option --read-only");
  expect_usage(run({"--frob"}), "unknown option --frob");
  expect_usage(run({"exec", directory, "--durability"}), "durability");
  expect_usage(run({"exec", directory, "--durability", "perhaps"}), "perhaps");
  expect_usage(run({"exec", directory, "another"}), "unknown argument another");
  expect_usage(run({"exec", "-dash"}), "-d");
  EXPECT_FALSE(std::filesystem::exists(directory));
}

TEST(CommandLine, help_teaches_and_version_is_the_librarys) {
  const Ended help = run({"--help"});
  EXPECT_EQ(help.code, 0);
  for (const char* word : {"exec", "check", "relational.db", "Exit codes"})
    EXPECT_NE(help.out.find(word), std::string::npos) << word;
  const Ended exec_help = run({"exec", "--help"});
  for (const char* word : {R"({"op":"begin")", "only one may have written SQL", "$event"})
    EXPECT_NE(exec_help.out.find(word), std::string::npos) << word;
  EXPECT_NE(run({"check", "--help"}).out.find("--deep"), std::string::npos);
  EXPECT_EQ(run({"--version"}).out, std::string("stele ") + version() + "\n");
}

/// The examples that the help shows are right requests.
TEST(CommandLine, every_example_of_the_help_is_answered) {
  TemporaryDirectory temporary;
  Exec exec(temporary.path("db"));
  exec.ask(R"({"op":"sql","sql":"CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT) STRICT"})");
  const std::string help = run({"exec", "--help"}).out;
  int examples = 0;
  int transactions = 0;
  for (std::size_t at = 0; (at = help.find("\n  {\"op\":", at)) != std::string::npos; ++at) {
    std::string request = help.substr(at + 3, help.find('\n', at + 1) - at - 3);
    ++examples;
    if (request.find("\"begin\"") != std::string::npos) ++transactions;
    if (const std::size_t tx = request.find("\"tx\":1"); tx != std::string::npos) {
      exec.ask(R"({"op":"begin"})");
      const std::string own = "\"tx\":" + std::to_string(++transactions);
      exec.ask(R"({"op":"savepoint","name":"before",)" + own + "}");
      request.replace(tx, 6, own);
    }
    EXPECT_EQ(code_of(exec.ask(request)), "ok") << request;
  }
  EXPECT_GE(examples, 19);
}

TEST(CommandLine, closed_input_is_the_end_of_input) {
  TemporaryDirectory temporary;
  const Ended ended = run({"exec", temporary.path("db")}, "", Closed::input);
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(run({"check", temporary.path("db"), "--deep"}).out, "sound\n");
}

TEST(CommandLine, closed_output_ends_it_quietly) {
  TemporaryDirectory temporary;
  const Ended ended = run({"exec", temporary.path("db")}, "{\"op\":\"collections\"}\n", Closed::output);
  EXPECT_EQ(ended.signal, 0);
  EXPECT_EQ(ended.err, "");
  EXPECT_EQ(run({"--help"}, "", Closed::output).signal, 0);
}

TEST(CommandLine, a_reader_that_goes_away_ends_it_quietly) {
  TemporaryDirectory temporary;
  Exec exec(temporary.path("db"));
  EXPECT_EQ(code_of(exec.ask(R"({"op":"insert","collection":"c","docs":[{"_id":1}]})")), "ok");
  exec.stop_listening();
  exec.send("{\"op\":\"collections\"}\n{\"op\":\"collections\"}\n");
  const Ended ended = exec.end();
  EXPECT_EQ(ended.signal, 0);
  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(ended.err, "");
  EXPECT_EQ(run({"check", temporary.path("db"), "--deep"}).out, "sound\n");
}

}  // namespace
}  // namespace stele::cli
