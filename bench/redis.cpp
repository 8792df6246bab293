// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "bench/redis.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

namespace stele::bench {

namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// -1: nobody listens there.
int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
  }
  ::close(fd);
  return -1;
}

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

}  // namespace

std::unique_ptr<Redis> Redis::start() {
  const std::uint16_t port = free_port();
  std::vector<std::string> words{"redis-server", "--port",    std::to_string(port), "--bind", "127.0.0.1",
                                 "--save",       "",          "--appendonly",       "no",     "--loglevel",
                                 "warning",      "--logfile", "/dev/null",          "--dir",  "/tmp"};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t pid = 0;
  if (posix_spawnp(&pid, argv[0], nullptr, nullptr, argv.data(), environ) != 0) return nullptr;
  std::unique_ptr<Redis> redis(new Redis(pid, port));
  for (int i = 0; i < 500; ++i) {
    if (const int fd = connect_to(port); fd >= 0) {
      ::close(fd);
      return redis;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  throw std::runtime_error("redis-server does not answer");
}

Redis::~Redis() {
  ::kill(pid_, SIGTERM);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

RedisClient::RedisClient(const Redis& redis) : socket_(connect_to(redis.port())), port_(redis.port()) {
  if (socket_ < 0) throw std::runtime_error("redis-server does not answer");
}

RedisClient::~RedisClient() { ::close(socket_); }

void RedisClient::add(std::initializer_list<std::string_view> words) {
  out_ += "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string_view word : words) {
    out_ += "$" + std::to_string(word.size()) + "\r\n";
    out_ += word;
    out_ += "\r\n";
  }
  ++awaited_;
}

/// Answers wait at the server meanwhile, which keeps them.
void RedisClient::send() {
  for (std::size_t sent = 0; sent < out_.size();) {
    const ssize_t count = ::send(socket_, out_.data() + sent, out_.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) throw std::runtime_error("redis-server has gone");
    sent += static_cast<std::size_t>(count);
  }
  out_.clear();
}

void RedisClient::finish() {
  send();
  for (; awaited_ > 0; --awaited_) read_answer();
}

std::string RedisClient::load_script(std::string_view script) {
  add({"SCRIPT", "LOAD", script});
  send();
  --awaited_;
  return read_answer();
}

std::string RedisClient::read_answer() {
  std::string line = read_line();
  if (line.front() == '-') throw std::runtime_error("redis: " + line);
  if (line.front() != '$' || line == "$-1") return line;
  const auto size = static_cast<std::size_t>(std::stoul(line.substr(1)));
  while (in_.size() - read_ < size + 2) receive();
  std::string bytes = in_.substr(read_, size);
  read_ += size + 2;
  return bytes;
}

std::string RedisClient::read_line() {
  std::size_t end;
  while ((end = in_.find("\r\n", read_)) == std::string::npos) receive();
  std::string line = in_.substr(read_, end - read_);
  read_ = end + 2;
  return line;
}

void RedisClient::receive() {
  in_.erase(0, read_);
  read_ = 0;
  char bytes[64u << 10];
  const ssize_t count = ::recv(socket_, bytes, sizeof bytes, 0);
  if (count <= 0) throw std::runtime_error("redis-server has gone");
  in_.append(bytes, static_cast<std::size_t>(count));
}

}  // namespace stele::bench
