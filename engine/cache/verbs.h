// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What Redis's verbs do to a key, over any table. https://redis.io/commands; throttle: Generic Cell Rate Algorithm, as
// redis-cell has it (github.com/brandur/redis-cell).
//
// Values of throttle and count are 8 and 24 bytes of their own, little-endian: i64 theoretical arrival time in ns;
// i64 number of the window · u64 its count · u64 that of the one before.
#pragma once

#include "engine/cache/table.h"

#include <stele/cache.h>

#include <optional>
#include <string>
#include <string_view>

namespace stele::cache {

class Verbs {
 public:
  Verbs(Table& table, std::string_view cache) : table_(table), cache_(cache) {}

  std::optional<std::string> get(std::string_view key) const;
  std::int64_t pttl(std::string_view key) const;
  SetResult set(std::string_view key, std::string_view value, const SetOptions& options) const;
  bool del(std::string_view key) const;
  bool expire(std::string_view key, std::chrono::milliseconds ttl, ExpireIf when) const;
  bool expire_at(std::string_view key, Timestamp at, ExpireIf when) const;
  bool persist(std::string_view key) const;
  std::int64_t incr(std::string_view key, std::int64_t by) const;
  double incrbyfloat(std::string_view key, double by) const;
  ThrottleResult throttle(std::string_view key, const ThrottleOptions& options) const;
  WindowResult count(std::string_view key, const WindowLimit& limit) const;

 private:
  void check_key(std::string_view key) const;
  bool set_expiry(std::string_view key, std::int64_t expires, ExpireIf when) const;
  [[noreturn]] void refuse(ErrorCode code, std::string_view key, std::string_view what, std::string_view reason) const;

  Table& table_;
  std::string_view cache_;
};

}  // namespace stele::cache
