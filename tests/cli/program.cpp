// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/cli/program.h"

#include "engine/base/files.h"
#include "engine/base/json.h"
#include "engine/model/value.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <cstdlib>

#include <algorithm>
#include <array>
#include <filesystem>
#include <stdexcept>

namespace stele::cli {

namespace {

struct Child {
  pid_t pid;
  int in, out, err;
};

Child spawn(const std::vector<std::string>& arguments, Closed closed, const Prepare& prepare) {
  std::signal(SIGPIPE, SIG_IGN);
  int in[2], out[2], err[2];
  if (::pipe2(in, O_CLOEXEC) || ::pipe2(out, O_CLOEXEC) || ::pipe2(err, O_CLOEXEC)) throw std::runtime_error("pipe");
  std::vector<char*> words{const_cast<char*>(STELE_PROGRAM)};
  for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(in[0], 0);
    ::dup2(out[1], 1);
    ::dup2(err[1], 2);
    if (closed == Closed::input) ::close(0);
    if (closed == Closed::output) ::close(1);
    std::signal(SIGINT, SIG_DFL);  // who runs the tests in the background may have it ignored
    if (prepare) prepare();
    ::execv(STELE_PROGRAM, words.data());
    ::_exit(127);
  }
  for (const int fd : {in[0], out[1], err[1]}) ::close(fd);
  return {pid, in[1], out[0], err[0]};
}

std::string read_rest(int fd) {
  std::string all;
  std::array<char, 4096> buffer;
  for (ssize_t n; (n = ::read(fd, buffer.data(), buffer.size())) > 0;)
    all.append(buffer.data(), static_cast<std::size_t>(n));
  return all;
}

void wait_for(pid_t pid, Ended& ended) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (WIFEXITED(status)) ended.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
}

void write_while_read(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n <= 0) return;  // it has ended
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::string member_of_error(const std::string& answer, std::string_view member) {
  const model::Value value = model::parse(json::minify(answer, {1u << 30, 1000}, "answer"));
  if (value.find("ok")->boolean()) return "ok";
  return value.find("error")->find(member)->string();
}

}  // namespace

Ended run(const std::vector<std::string>& arguments, std::string_view input, Closed closed, const Prepare& prepare) {
  const auto begin = std::chrono::steady_clock::now();
  const Child child = spawn(arguments, closed, prepare);
  write_while_read(child.in, input);
  ::close(child.in);
  Ended ended;
  ended.out = read_rest(child.out);
  ended.err = read_rest(child.err);
  wait_for(child.pid, ended);
  ended.took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
  ::close(child.out);
  ::close(child.err);
  return ended;
}

Exec::Exec(const std::string& directory, const std::vector<std::string>& options, const Prepare& prepare) {
  std::vector<std::string> arguments{"exec", directory};
  arguments.insert(arguments.end(), options.begin(), options.end());
  const Child child = spawn(arguments, Closed::none, prepare);
  pid_ = child.pid;
  in_ = child.in;
  out_ = child.out;
  err_ = child.err;
}

Exec::~Exec() {
  if (pid_ > 0) kill();
  for (const int fd : {in_, out_, err_})
    if (fd >= 0) ::close(fd);
}

void Exec::send(std::string_view bytes) { write_while_read(in_, bytes); }

std::string Exec::answer() {
  std::size_t end;
  while ((end = buffer_.find('\n')) == std::string::npos) {
    std::array<char, 65536> piece;
    pollfd ready{out_, POLLIN, 0};
    if (::poll(&ready, 1, 60'000) <= 0) throw std::runtime_error("no answer within a minute");
    const ssize_t n = ::read(out_, piece.data(), piece.size());
    if (n <= 0) throw std::runtime_error("the program ended: " + read_rest(err_));
    buffer_.append(piece.data(), static_cast<std::size_t>(n));
  }
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  return line;
}

std::string Exec::ask(std::string_view request) {
  send(request);
  send("\n");
  return answer();
}

Ended Exec::end() {
  ::close(std::exchange(in_, -1));
  return wait();
}

Ended Exec::wait() {
  Ended ended;
  if (out_ >= 0) ended.out = read_rest(out_);
  ended.err = read_rest(err_);
  wait_for(std::exchange(pid_, -1), ended);
  return ended;
}

void Exec::kill() {
  ::kill(pid_, SIGKILL);
  Ended ended;
  wait_for(std::exchange(pid_, -1), ended);
}

void Exec::stop_listening() { ::close(std::exchange(out_, -1)); }

std::string code_of(const std::string& answer) { return member_of_error(answer, "code"); }
std::string message_of(const std::string& answer) { return member_of_error(answer, "message"); }

TemporaryDirectory::TemporaryDirectory() : path_(::testing::TempDir() + "stele-cli-XXXXXX") {
  if (!::mkdtemp(path_.data())) throw std::runtime_error("mkdtemp " + path_);
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string contents_of(const std::string& directory) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory))
    if (entry.is_regular_file()) files.push_back(entry.path().string());
  std::ranges::sort(files);
  std::string all;
  for (const std::string& file : files) all += file + "\n" + read_file(file) + "\n";
  return all;
}

}  // namespace stele::cli
