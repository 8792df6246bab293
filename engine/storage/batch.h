// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Changes to keyspaces as a plain value: what a backend applies, what the outbox in SQLite and the
// files of large transactions hold, what recovery replays.
//
// Bytes (encode()):
//   u8  version = 1
//   operations, each: u8 kind (0 put, 1 erase, 2 erase_range) · u8 keyspace ·
//                     sized first key · put: sized value · erase_range: sized end key (exclusive)
//   u64 XXH3-64 of all bytes before
// "sized" is a varint length and the bytes.
#pragma once

#include "engine/storage/keyspace.h"

#include <functional>
#include <string>
#include <string_view>

namespace stele::storage {

class Batch {
 public:
  Batch() = default;

  void put(Keyspace keyspace, std::string_view key, std::string_view value);
  void erase(Keyspace keyspace, std::string_view key);
  /// Erases [begin, end). An empty or inverted range is nothing.
  void erase_range(Keyspace keyspace, std::string_view begin, std::string_view end);

  void reserve(std::size_t bytes) { operations_.reserve(bytes); }
  bool empty() const { return operations_.empty(); }
  std::size_t bytes() const { return operations_.size(); }
  std::size_t count() const { return count_; }

  struct Operation {
    enum class Kind : std::uint8_t { put = 0, erase = 1, erase_range = 2 };
    Kind kind;
    Keyspace keyspace;
    std::string_view key;    // begin for erase_range
    std::string_view value;  // end for erase_range
  };

  void add(const Operation& operation);

  /// Calls `visit` for each operation in order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    std::string_view rest = operations_;
    Operation operation;
    while (take(rest, operation)) visit(operation);
  }

  /// Appends the encoded bytes to `out`.
  void encode(std::string& out) const;
  /// Throws `corrupt`, naming `origin`, when the bytes are not a whole, intact batch.
  static Batch decode(std::string_view bytes, std::string_view origin);

 private:
  static bool take(std::string_view& rest, Operation& operation);

  std::string operations_;
  std::size_t count_ = 0;
};

}  // namespace stele::storage
