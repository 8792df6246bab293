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
  using Entry = std::pair<const std::string, WriteSet::Versions>;
  const Entry* next_own(const WriteSet::Version*& version) const;
  const Entry* previous_own(const WriteSet::Version*& version) const;
  void move_base();
  void record_returned();
  void record_end();
  ReadSet& ranges();
  bool records() const;

  Transaction& transaction_;
  Keyspace keyspace_;
  storage::KeyRange range_;
  ScanRecord record_;
  const bool forward_;
  WriteSet::Statement before_;
  std::shared_ptr<storage::KeyValueSnapshot> snapshot_;
  std::unique_ptr<storage::Cursor> base_;
  std::size_t recorded_ = 0;  // index of the range in the read set
  bool started_ = false;
  bool done_ = false;
  std::string key_;
  std::string value_;
};

}  // namespace stele::transaction
