// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/transaction/tier_reader.h"

#include <utility>

namespace stele::transaction {

namespace {

class CursorScan final : public Scan {
 public:
  explicit CursorScan(std::unique_ptr<storage::Cursor> cursor) : cursor_(std::move(cursor)) {}
  bool next() override {
    if (std::exchange(started_, true)) {
      cursor_->next();
    } else {
      cursor_->first();
    }
    return cursor_->valid();
  }
  std::string_view key() const override { return cursor_->key(); }
  std::string_view value() const override { return cursor_->value(); }

 private:
  std::unique_ptr<storage::Cursor> cursor_;
  bool started_ = false;
};

}  // namespace

std::unique_ptr<Scan> TierReader::scan(Keyspace keyspace, storage::KeyRange range, ScanRecord) {
  return std::make_unique<CursorScan>(cursor(keyspace, std::move(range)));
}

}  // namespace stele::transaction
