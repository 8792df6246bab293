// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/transaction/scan.h"

#include "engine/base/error.h"
#include "engine/transaction/store.h"

namespace stele::transaction {

TransactionScan::TransactionScan(Transaction& transaction, Keyspace keyspace, storage::KeyRange range, ScanRecord record,
                                 Direction direction)
    : transaction_(transaction),
      keyspace_(keyspace),
      range_(std::move(range)),
      record_(record),
      forward_(direction == Direction::forward),
      before_(transaction.as_of_.value_or(transaction.writes_.statement())),
      overlaid_(transaction.writes_.touches(keyspace)),
      snapshot_(transaction.key_value_),
      base_(transaction.store().key_value().scan(keyspace, range_, snapshot_.get())) {
  transaction_.scans_.push_back(this);
  if (overlaid_) seek_own();
  if (!records()) return;
  recorded_ = forward_ ? transaction_.reads_.add_range(keyspace_, range_.begin, Record::plain)
                       : transaction_.reads_.add_range_down(keyspace_, range_.end, Record::plain);
}

TransactionScan::~TransactionScan() { std::erase(transaction_.scans_, this); }

void TransactionScan::read_to_end() {
  if (!done_) record_end();
}

void TransactionScan::record_end() {
  if (!records()) return;
  if (forward_) {
    transaction_.reads_.extend_to_end(recorded_, range_.end);
  } else {
    transaction_.reads_.extend_down(recorded_, range_.begin);
  }
}

void TransactionScan::end() noexcept {
  base_.reset();
  snapshot_.reset();
}

bool TransactionScan::records() const { return transaction_.validates() && record_ != ScanRecord::none; }

void TransactionScan::seek_own() {
  const auto& entries = transaction_.writes_.entries(keyspace_);
  undone_ = transaction_.writes_.undone();
  if (forward_) {
    own_ = started_ ? entries.upper_bound(key_) : entries.lower_bound(range_.begin);
  } else {
    const std::string& below = started_ ? key_ : range_.end;
    own_ = below.empty() ? entries.end() : entries.lower_bound(below);
  }
}

/// The nearest own entry ahead of which something is visible to this scan, or null. What was written since the scan
/// was opened may be passed by: it is not visible.
const WriteSet::Map::value_type* TransactionScan::next_own(const WriteSet::Version*& version) {
  if (!overlaid_) return nullptr;
  if (undone_ != transaction_.writes_.undone()) seek_own();
  const auto& entries = transaction_.writes_.entries(keyspace_);
  if (forward_) {
    for (; own_ != entries.end() && (range_.end.empty() || own_->first < range_.end); ++own_)
      if ((version = own_->second.visible(before_))) return &*own_;
    return nullptr;
  }
  for (; own_ != entries.begin(); --own_) {
    const auto& entry = *std::prev(own_);
    if (entry.first < range_.begin) return nullptr;
    if ((version = entry.second.visible(before_))) return &entry;
  }
  return nullptr;
}

void TransactionScan::move_base() { forward_ ? base_->next() : base_->previous(); }

bool TransactionScan::next() {
  if (done_) return false;
  if (!base_)
    fail(ErrorCode::closed, "cursor: its transaction has ended; read it to the end before that");
  if (!started_) forward_ ? base_->first() : base_->last();
  for (;;) {
    const WriteSet::Version* version = nullptr;
    const auto* own = next_own(version);
    const bool base_valid = base_->valid();
    if (!own && !base_valid) {
      done_ = true;
      record_end();
      return false;
    }
    started_ = true;
    const int order = own && base_valid ? own->first.compare(base_->key()) : 0;
    if (own && (!base_valid || order == 0 || (order < 0) == forward_)) {
      if (base_valid && order == 0) move_base();
      forward_ ? ++own_ : --own_;
      key_ = own->first;
      if (!version->value) continue;  // erased by this transaction
      value_ = *version->value;
      record_returned();
      return true;
    }
    key_.assign(base_->key());
    value_.assign(base_->value());
    move_base();
    if (overlaid_ && transaction_.writes_.erased_before(keyspace_, key_, before_)) continue;
    record_returned();
    return true;
  }
}

void TransactionScan::record_returned() {
  if (!records()) return;
  forward_ ? transaction_.reads_.extend(recorded_, key_) : transaction_.reads_.extend_down(recorded_, key_);
}

}  // namespace stele::transaction
