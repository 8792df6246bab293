// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The log of recent commits against which transactions are validated when they commit (backward
// validation: first committer wins). It reaches back to the oldest open transaction, at most
// `bytes_max`; an older transaction cannot be validated any more and gets `conflict`.
#pragma once

#include "engine/transaction/read_set.h"
#include "engine/transaction/write_set.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace stele::transaction {

/// What one commit wrote: keys, key ranges and SQL tables, without values.
struct CommitRecord {
  std::uint64_t gseq = 0;
  std::string keys;  // each: u8 keyspace · sized key
  struct Range {
    Keyspace keyspace;
    std::string begin;
    std::string end;
  };
  std::vector<Range> ranges;
  std::vector<TableHash> tables;
  bool all_tables = false;  // DDL, or a commit by another program

  void add_key(Keyspace keyspace, std::string_view key);
  std::size_t bytes() const { return sizeof *this + keys.size() + ranges.size() * 64 + tables.size() * 8; }
};

/// What of a transaction is validated.
struct Footprint {
  const ReadSet* reads = nullptr;
  const WriteSet* writes = nullptr;
  bool plain_reads = true;  // false at Isolation::snapshot
  bool sql_reads = true;    // false once the transaction holds the SQL writer lock
};

class RecentCommits {
 public:
  static constexpr std::size_t bytes_max = 64u << 20;

  /// Called in gseq order, under the order lock.
  void add(std::shared_ptr<const CommitRecord> record);
  /// Records up to `gseq` are needed by nobody.
  void forget_through(std::uint64_t gseq);

  /// Checks a transaction against the commits in (from, now]; throws `conflict` naming the first
  /// clash. Returns the newest gseq checked. Any thread.
  std::uint64_t validate(const Footprint& footprint, std::uint64_t from) const;

 private:
  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<const CommitRecord>> records_;
  std::size_t bytes_ = 0;
  std::uint64_t forgotten_through_ = 0;  // records at or below are gone
  std::uint64_t newest_ = 0;
};

}  // namespace stele::transaction
