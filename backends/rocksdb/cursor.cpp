// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/rocksdb/cursor.h"

#include "backends/rocksdb/errors.h"
#include "backends/rocksdb/uncounted.h"
#include "engine/base/error.h"

#include <rocksdb/db.h>
#include <rocksdb/iterator.h>
#include <rocksdb/options.h>

namespace stele::rocks {

namespace {

std::string_view view(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

class RocksCursor final : public storage::Cursor {
 public:
  RocksCursor(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family, rocksdb::ReadOptions options,
              storage::KeyRange range, const std::string& path)
      : range_(std::move(range)), begin_(range_.begin), end_(range_.end), path_(path) {
    empty_ = !range_.end.empty() && range_.begin >= range_.end;
    if (!range_.begin.empty()) options.iterate_lower_bound = &begin_;
    if (!range_.end.empty()) options.iterate_upper_bound = &end_;
    iterator_.reset(db.NewIterator(options, family));
  }

  void first() override {
    if (empty_) return;
    const Uncounted uncounted;
    iterator_->SeekToFirst();
    moved();
  }
  void last() override {
    if (empty_) return;
    const Uncounted uncounted;
    iterator_->SeekToLast();
    moved();
  }
  void seek(std::string_view key) override {
    if (empty_) return;
    const Uncounted uncounted;
    iterator_->Seek(key < range_.begin ? std::string_view(range_.begin) : key);
    moved();
  }
  void next() override {
    expect_valid();
    const Uncounted uncounted;
    iterator_->Next();
    moved();
  }
  void previous() override {
    expect_valid();
    const Uncounted uncounted;
    iterator_->Prev();
    moved();
  }

  bool valid() const override { return valid_; }
  std::string_view key() const override { return view(iterator_->key()); }
  std::string_view value() const override { return view(iterator_->value()); }

 private:
  void moved() {
    valid_ = iterator_->Valid();
    if (!valid_) check(iterator_->status(), "scan", path_);  // "no such entry" and "could not read" look alike
  }
  void expect_valid() const {
    if (!valid_) fail(ErrorCode::invalid, "cursor: next or previous without a current entry; call first, last or seek");
  }

  const storage::KeyRange range_;
  const rocksdb::Slice begin_, end_;  // RocksDB keeps pointers to them
  const std::string& path_;           // of the store, which outlives its cursors
  std::unique_ptr<rocksdb::Iterator> iterator_;
  bool empty_ = false;  // RocksDB expects begin <= end
  bool valid_ = false;
};

}  // namespace

std::unique_ptr<storage::Cursor> make_cursor(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family,
                                             const rocksdb::ReadOptions& options, storage::KeyRange range,
                                             const std::string& path) {
  return std::make_unique<RocksCursor>(db, family, options, std::move(range), path);
}

}  // namespace stele::rocks
