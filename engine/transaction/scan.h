// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/transaction/transaction.h"

namespace stele::transaction {

/// A key range as a transaction sees it: its snapshot of the key-value tier, overlaid with what the
/// transaction wrote before the statement that opened the scan. Stays at that moment whatever is written later.
class TransactionScan final : public Scan {
 public:
  TransactionScan(Transaction& transaction, Keyspace keyspace, storage::KeyRange range, ScanRecord record, Direction direction);

  ~TransactionScan() override;
  TransactionScan(const TransactionScan&) = delete;
  TransactionScan& operator=(const TransactionScan&) = delete;

  bool next() override;
  std::string_view key() const override { return key_; }
  std::string_view value() const override { return value_; }

  /// The transaction moves to a later moment, and this scan stays where it is: so all of its range counts as read.
  void read_to_end();
  /// The transaction ends: gives up what it holds of the store.
  void end() noexcept;

 private:
  void seek_own();
  const WriteSet::Map::value_type* next_own(const WriteSet::Version*& version);
  void move_base();
  void record_returned();
  void record_end();
  bool records() const;

  Transaction& transaction_;
  Keyspace keyspace_;
  storage::KeyRange range_;
  ScanRecord record_;
  const bool forward_;
  const WriteSet::Statement before_;
  const bool overlaid_;  // false: the transaction had written nothing here that this scan could see
  std::shared_ptr<storage::KeyValueSnapshot> snapshot_;
  std::unique_ptr<storage::Cursor> base_;
  WriteSet::Map::const_iterator own_;  // the nearest own entry ahead, or the end; backward: one past it, or the begin
  std::uint64_t undone_ = 0;
  std::size_t recorded_ = 0;  // index of the range in the read set
  bool started_ = false;
  bool done_ = false;
  std::string key_;
  std::string value_;
};

}  // namespace stele::transaction
