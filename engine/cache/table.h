// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::cache {

inline constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
inline constexpr std::size_t cache_key_bytes_max = 8000;

struct Entry {
  std::string value;
  std::int64_t expires = never;  // µs of the store's time

  bool live(std::int64_t now) const { return expires > now; }
};

/// What an update makes of a live entry, or of none; false: it stays as it was. Refers to its callable.
class Change {
 public:
  template <class Callable>
  Change(Callable& callable)  // NOLINT: meant to be implicit
      : object_(&callable),
        call_([](void* object, std::optional<Entry>& entry) { return (*static_cast<Callable*>(object))(entry); }) {}
  bool operator()(std::optional<Entry>& entry) const { return call_(object_, entry); }

 private:
  void* object_;
  bool (*call_)(void*, std::optional<Entry>&);
};

/// A cache's keys, as one caller sees them: on disk or in memory, inside a transaction or not.
class Table {
 public:
  virtual ~Table() = default;
  virtual std::int64_t now() = 0;
  /// False: absent or expired.
  virtual bool read(std::string_view key, Entry& entry) = 0;
  /// Atomic: nobody changes the key in between.
  virtual void update(std::string_view key, Change change) = 0;
  /// Whatever was there.
  virtual void write(std::string_view key, std::optional<Entry> entry) = 0;
  /// Live keys after `cursor`, about `count`; then the new cursor, empty at the end.
  virtual std::string scan(std::string_view cursor, std::size_t count, std::vector<std::string>& keys) = 0;
  virtual void flush() = 0;
};

}  // namespace stele::cache
