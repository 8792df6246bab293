// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Pins the tiers at one instant, without waiting for a sync: both pins are taken between two reads
// of the publication counter, and taken again if a commit became visible in between. After eight tries the
// order lock is taken once, under which nothing can.
#pragma once

#include "engine/storage/key_value.h"
#include "engine/storage/relational.h"
#include "engine/transaction/order.h"

#include <atomic>
#include <cstdint>
#include <memory>

namespace stele::transaction {

class SnapshotGate {
 public:
  SnapshotGate(CommitOrder& order, storage::KeyValueStore& key_value) : order_(order), key_value_(key_value) {}

  struct Moment {
    std::uint64_t gseq = 0;  // the last commit seen
    std::shared_ptr<storage::KeyValueSnapshot> key_value;
  };

  /// Pins the key-value tier and, where `sql` is given, begins its read transaction.
  Moment pin(storage::Connection* sql);

  /// Begins `sql`'s read transaction at the moment `gseq`; false when SQL has been committed since.
  bool pin_sql_at(storage::Connection& sql, std::uint64_t gseq);

  std::uint64_t retries() const { return retries_.load(std::memory_order_relaxed); }

 private:
  void check_whole() const;
  static constexpr int tries_max = 8;
  CommitOrder& order_;
  storage::KeyValueStore& key_value_;
  std::atomic<std::uint64_t> retries_{0};
};

}  // namespace stele::transaction
