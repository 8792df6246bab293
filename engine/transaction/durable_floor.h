// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// DIR/durable: a floor under what recovery may find. Without it a log cut short by bit rot would look
// like one that simply ended earlier, and acknowledged commits would be gone without a word.
//
// Two slots of 80 bytes at offsets 0 and 4096, written alternately and synced; the valid one with the higher
// turn counts. A slot: 36 bytes store id (UUID text) · u32 zero · u64 epoch · u64 turn · u64 gseq (all commits up to
// here are durable) · u64 time mark in µs (StoreClock) · u64 XXH3-64 of the bytes before.
#pragma once

#include "engine/base/files.h"
#include "engine/storage/relational.h"

#include <cstdint>
#include <optional>
#include <string>

namespace stele::transaction {

struct Floor {
  std::uint64_t gseq = 0;
  std::int64_t time_us = 0;
};

class DurableFloor {
 public:
  /// Reads the newer valid slot; a file without one (or of another store) is `corrupt`.
  DurableFloor(std::string path, const storage::Identity& identity);
  /// The same, of a file that cannot be written to.
  static Floor look(std::string path, const storage::Identity& identity) { return DurableFloor(std::move(path), identity, false).floor_; }
  static void create(const std::string& path, const storage::Identity& identity);

  const Floor& found() const { return floor_; }
  /// Writes and syncs the older slot. One thread.
  void raise(const Floor& floor);

 private:
  DurableFloor(std::string path, const storage::Identity& identity, bool for_writing);

  std::string path_;
  storage::Identity identity_;
  File file_;
  Floor floor_;
  std::uint64_t turn_ = 0;
};

}  // namespace stele::transaction
