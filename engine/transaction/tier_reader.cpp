// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/transaction/tier_reader.h"

#include <utility>

namespace stele::transaction {

namespace {

class CursorScan final : public Scan {
 public:
  CursorScan(std::unique_ptr<storage::Cursor> cursor, Direction direction)
      : cursor_(std::move(cursor)), forward_(direction == Direction::forward) {}
  bool next() override {
    if (std::exchange(started_, true)) {
      forward_ ? cursor_->next() : cursor_->previous();
    } else {
      forward_ ? cursor_->first() : cursor_->last();
    }
    return cursor_->valid();
  }
  std::string_view key() const override { return cursor_->key(); }
  std::string_view value() const override { return cursor_->value(); }

 private:
  std::unique_ptr<storage::Cursor> cursor_;
  const bool forward_;
  bool started_ = false;
};

}  // namespace

std::unique_ptr<Scan> TierReader::scan(Keyspace keyspace, storage::KeyRange range, ScanRecord, Direction direction) {
  return std::make_unique<CursorScan>(cursor(keyspace, std::move(range)), direction);
}

}  // namespace stele::transaction
