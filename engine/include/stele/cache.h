// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A cache holds values under keys, both any bytes, with a time to live: sessions, limits, results worth keeping for a
// while. What has expired is invisible at once; its space comes back in the background. The verbs and what they answer
// are Redis's.
//
// A cache comes into being with its first write, then on disk. One made with CacheOptions::memory is gone when the
// database closes, and is faster. Bounds let the least recently used keys go.
//
// Inside a transaction writes commit with it. Outside, each call is one of its own, `relaxed` unless WriteOptions say
// otherwise. A transaction sees memory caches as they are, not as of its snapshot; when it writes anything, it
// conflicts if a key that it has read there was changed since (at Isolation::snapshot only a key that it has written,
// too). What a scan gave is not checked. While it commits, and when Database::write runs alone, others' writes of those
// keys wait.
//
// Time is the database's own, which never steps: not with the wall clock, not over a reopening.
#pragma once

#include <stele/error.h>
#include <stele/events.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stele {

struct CacheOptions {
  bool memory = false;
  // Beyond them the least recently used go: in memory those of a share of the keys, when there are many; on disk with
  // the write that needs the room, in its transaction, but for what that has written itself. On disk the order of use
  // is not kept over a reopening, and takes memory: about 150 bytes and the key, for each key.
  std::optional<std::uint64_t> bytes_max = {};  // keys, values and what keeping them takes; 1 or more
  std::optional<std::uint64_t> keys_max = {};   // 1 or more
};

enum class SetIf : std::uint8_t { always, absent, present };  // NX: absent, XX: present

struct SetOptions {
  std::optional<std::chrono::milliseconds> ttl = {};  // EX, PX; 1 ms to 100 years
  std::optional<Timestamp> expire_at = {};            // EXAT, PXAT; after 1970; one that is past deletes
  bool keep_ttl = false;                              // the one it has; otherwise it has none
  SetIf when = SetIf::always;
  bool get = false;  // GET: also gives the value before, which costs a read
};

struct SetResult {
  bool set = false;
  std::optional<std::string> previous;  // with SetOptions::get: the value before, also when it was not set
};

enum class ExpireIf : std::uint8_t {
  always,
  none,
  some,
  greater,
  less
};  // Redis: NX, XX, GT, LT; no time to live is for ever

struct ScanResult {
  std::string cursor;  // for the next call; empty: that was all
  std::vector<std::string> keys;
};

/// GCRA, as redis-cell: `max_burst` at once beyond the first, then `count` a `period`. Numbers are up to 1,000,000,000,
/// `count` is 1 or more, `period` 1 ms to a year; others are `invalid`.
struct ThrottleOptions {
  std::uint64_t max_burst = 0;
  std::uint64_t count = 1;
  std::chrono::milliseconds period{1000};
  std::uint64_t quantity = 1;  // 0: only asks
};

struct ThrottleResult {
  bool limited = false;
  std::uint64_t limit = 0;  // max_burst + 1
  std::uint64_t remaining = 0;
  std::optional<std::chrono::microseconds> retry_after;  // when limited; none: so much at once is never allowed
  std::chrono::microseconds reset_after{0};              // until all of the limit is there again
};

/// Up to `max` in a window: windows that begin at multiples of their length, or one that slides, for which the count of
/// the window before is taken to be spread evenly. `max` and `quantity` are up to 2^53, `window` 1 ms to a year; others
/// are `invalid`.
struct WindowLimit {
  std::uint64_t max = 1;
  std::chrono::milliseconds window{60'000};
  bool sliding = false;
  std::uint64_t quantity = 1;
};

struct WindowResult {
  bool limited = false;
  std::uint64_t count = 0;  // in the window, with this when it was not limited
  std::uint64_t remaining = 0;
  std::chrono::microseconds reset_after{0};  // until the window ends
};

namespace detail {
class CacheState;
}

class CacheReader {
 public:
  CacheReader(std::shared_ptr<detail::Scope> scope, std::string name);
  CacheReader(const CacheReader&);
  CacheReader& operator=(const CacheReader&);
  CacheReader(CacheReader&&) noexcept;
  CacheReader& operator=(CacheReader&&) noexcept;
  ~CacheReader();

  const std::string& name() const noexcept { return name_; }

  // A handle is for one thread at a time; caches are for any number. Keys are up to 8,000 bytes, longer ones are
  // `too_large`.
  std::optional<std::string> get(std::string_view key) const;
  std::vector<std::optional<std::string>> mget(std::span<const std::string> keys) const;
  bool exists(std::string_view key) const { return pttl(key) != -2; }
  /// Seconds, rounded; -1: no time to live; -2: no such key.
  std::int64_t ttl(std::string_view key) const;
  std::int64_t pttl(std::string_view key) const;  // milliseconds
  /// About `count` keys, from an empty cursor on. A key that is there from the first call to the last is given once or
  /// more.
  ScanResult scan(std::string_view cursor = {}, std::size_t count = 1000) const;
  CacheOptions options() const;

 protected:
  const std::shared_ptr<detail::Scope>& scope() const;
  std::shared_ptr<detail::Scope> scope_;
  std::string name_;
  std::unique_ptr<detail::CacheState> state_;
};

class Cache : public CacheReader {
 public:
  using CacheReader::CacheReader;

  /// Makes the cache; `exists` when it is there.
  void create(const CacheOptions& options = {});
  /// False: there was none.
  bool drop();

  SetResult set(std::string_view key, std::string_view value, const SetOptions& options = {});
  /// The value before. The new one has no time to live.
  std::optional<std::string> getset(std::string_view key, std::string_view value);
  bool del(std::string_view key);
  std::uint64_t del(std::span<const std::string> keys);
  /// False: no such key, or the condition was not met. A time of 0 or less deletes the key; one beyond 100 years,
  /// either way, is `invalid`.
  bool expire(std::string_view key, std::chrono::milliseconds ttl, ExpireIf when = ExpireIf::always);
  bool expire_at(std::string_view key, Timestamp at, ExpireIf when = ExpireIf::always);
  bool persist(std::string_view key);  // false: no such key, or it had no time to live

  /// Of an absent key as if it were 0; the time to live stays. `invalid` when the value is no 64-bit integer,
  /// out_of_range when the sum is none.
  std::int64_t incr(std::string_view key, std::int64_t by = 1);
  /// The same of doubles; `invalid` for NaN and infinity.
  double incrbyfloat(std::string_view key, double by);

  /// Removes all keys.
  void flush();

  ThrottleResult throttle(std::string_view key, const ThrottleOptions& options);
  WindowResult count(std::string_view key, const WindowLimit& limit);
};

}  // namespace stele
