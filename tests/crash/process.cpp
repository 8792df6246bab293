// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/crash/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace stele::crash {

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void stop(const std::string& what) {
  std::fprintf(stderr, "crash harness: %s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(2);
}

/// An unnamed file for a child's output: a pipe would have to be emptied while it runs.
int temporary() {
  const int fd = static_cast<int>(::memfd_create("output", MFD_CLOEXEC));
  if (fd < 0) stop("memfd_create");
  return fd;
}

std::string contents(int fd) {
  std::string bytes(static_cast<std::size_t>(::lseek(fd, 0, SEEK_END)), '\0');
  if (::pread(fd, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) stop("read a child's output");
  ::close(fd);
  return bytes;
}

pid_t start(const Command& command, int out, int err) {
  std::vector<char*> words;
  for (const std::string& word : command.words) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const pid_t child = ::fork();
  if (child < 0) stop("fork");
  if (child > 0) return child;
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  for (const auto& [name, value] : command.environment) ::setenv(name.c_str(), value.c_str(), 1);
  ::execv(words[0], words.data());
  ::_exit(127);
}

/// Empty while the child runs on at `until`.
std::optional<int> wait_until(pid_t child, Clock::time_point until) {
  for (;;) {
    int state = 0;
    if (::waitpid(child, &state, WNOHANG) == child) return state;
    const auto now = Clock::now();
    if (now >= until) return std::nullopt;
    std::this_thread::sleep_for(std::min<Clock::duration>(until - now, std::chrono::milliseconds(1)));
  }
}

}  // namespace

bool Ended::killed() const { return signal == SIGKILL && !timed_out; }

std::string Ended::words() const {
  std::string how = timed_out ? "no end in sight, killed"
                    : signal  ? std::string("signal ") + ::strsignal(signal)
                              : "exit " + std::to_string(status);
  std::string tail = err.size() > 600 ? "…" + err.substr(err.size() - 600) : err;
  while (!tail.empty() && tail.back() == '\n') tail.pop_back();
  return how + ": " + tail;
}

Ended run(const Command& command) {
  const int out = temporary();
  const int err = temporary();
  const pid_t child = start(command, out, err);
  const auto begun = Clock::now();
  std::optional<int> state;
  Ended ended;
  if (command.kill_after) {
    state = wait_until(child, begun + *command.kill_after);
    if (!state) ::kill(child, SIGKILL);
  }
  if (!state) state = wait_until(child, begun + command.timeout);
  if (!state) {
    ended.timed_out = true;
    ::kill(child, SIGKILL);
    state = wait_until(child, Clock::time_point::max());
  }
  if (WIFSIGNALED(*state)) ended.signal = WTERMSIG(*state);
  if (WIFEXITED(*state)) ended.status = WEXITSTATUS(*state);
  ended.out = contents(out);
  ended.err = contents(err);
  return ended;
}

Scratch::Scratch(const std::string& name) {
  const char* wanted = std::getenv("STELE_CRASH_DIR");
  const bool memory = ::access("/dev/shm", W_OK) == 0;
  fs::path base = wanted ? fs::path(wanted) : memory ? fs::path("/dev/shm") : fs::temp_directory_path();
  std::string pattern = (fs::canonical(base) / ("stele-" + name + "-XXXXXX")).string();
  if (!::mkdtemp(pattern.data())) stop("mkdtemp " + pattern);
  path_ = pattern;
}

Scratch::~Scratch() {
  std::error_code ignored;
  if (!keep_) fs::remove_all(path_, ignored);
}

}  // namespace stele::crash
