// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A redis-server of our own on a free port of the loopback, and clients that speak its protocol.
// https://redis.io/docs/latest/develop/reference/protocol-spec
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace stele::bench {

class Redis {
 public:
  /// Null when there is no redis-server in the PATH.
  static std::unique_ptr<Redis> start();
  ~Redis();
  Redis(const Redis&) = delete;

  std::uint16_t port() const { return port_; }

 private:
  Redis(pid_t pid, std::uint16_t port) : pid_(pid), port_(port) {}

  pid_t pid_;
  std::uint16_t port_;
};

/// Generic Cell Rate Algorithm: KEYS[1], ARGV[1] an event's share in us, ARGV[2] the burst in us.
inline constexpr std::string_view redis_throttle =
    "local t = redis.call('TIME') local now = t[1] * 1000000 + t[2] "
    "local tat = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) local new = tat + ARGV[1] "
    "if new - ARGV[2] > now then return 1 end "
    "redis.call('SET', KEYS[1], string.format('%.0f', new), 'PX', math.ceil((new - now) / 1000)) return 0";

class RedisClient {
 public:
  explicit RedisClient(const Redis& redis);
  ~RedisClient();
  RedisClient(const RedisClient&) = delete;

  bool is_of(const Redis& redis) const { return port_ == redis.port(); }
  void add(std::initializer_list<std::string_view> words);
  /// Sends what was added and reads the answers. Throws when one is an error.
  void finish();
  std::string load_script(std::string_view script);

 private:
  void send();
  std::string read_answer();  // a bulk's bytes, else the line
  std::string read_line();
  void receive();

  int socket_;
  std::uint16_t port_;
  std::string out_;
  int awaited_ = 0;
  std::string in_;
  std::size_t read_ = 0;
};

}  // namespace stele::bench
