// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The built program as a child process, spoken to through pipes.
#pragma once

#include <gtest/gtest.h>

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::cli {

struct Ended {
  int code = -1;   // exit code, or -1
  int signal = 0;  // that ended it, or 0
  std::string out;
  std::string err;
  std::chrono::milliseconds took{0};
};

enum class Closed { none, input, output };

/// Runs in the child before the program begins: limits, mounts. When it cannot do that the child exits with `cannot`.
using Prepare = std::function<void()>;
constexpr int cannot = 99;

/// Runs the program to its end on `input`; `closed` is not there at all from its start.
Ended run(const std::vector<std::string>& arguments, std::string_view input = "", Closed closed = Closed::none,
          const Prepare& prepare = {});

/// A running `stele exec`.
class Exec {
 public:
  explicit Exec(const std::string& directory, const std::vector<std::string>& options = {}, const Prepare& prepare = {});
  ~Exec();  // kills it when it still runs

  /// Sends one line and waits for its answer (without the end of line).
  std::string ask(std::string_view request);
  void send(std::string_view bytes);
  std::string answer();

  pid_t pid() const { return pid_; }
  Ended end();            // of input, and waits
  Ended wait();           // until it ends by itself
  void kill();            // -9, and waits
  void stop_listening();  // closes the pipe that the answers come through

 private:
  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
  int err_ = -1;
  std::string buffer_;
};

/// Of an answer: the error's code, or "ok"; the error's message.
std::string code_of(const std::string& answer);
std::string message_of(const std::string& answer);

/// An empty directory that goes with the test.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  std::string path(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

/// Every file under `directory` with its bytes, as one text to compare.
std::string contents_of(const std::string& directory);

}  // namespace stele::cli
