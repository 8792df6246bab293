// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/memory/cursor.h"

#include "engine/base/error.h"

#include <algorithm>

namespace stele::memory {

namespace {

/// Each move takes the lock and copies the entry out, so views live on beside a writer. The place in
/// the map stays: an entry visible at a pinned moment is not reclaimed.
class MemoryCursor final : public storage::Cursor {
 public:
  MemoryCursor(SharedMaps& shared, storage::Keyspace keyspace, storage::KeyRange range, Moment moment)
      : shared_(shared), entries_(shared.maps.entries(keyspace)), range_(std::move(range)), moment_(moment) {}
  ~MemoryCursor() override { shared_.unpin(moment_); }
  MemoryCursor(const MemoryCursor&) = delete;
  MemoryCursor& operator=(const MemoryCursor&) = delete;

  void first() override { seek(range_.begin); }
  void seek(std::string_view key) override {
    std::shared_lock guard(shared_.mutex);
    at_ = entries_.lower_bound(std::max<std::string_view>(key, range_.begin));
    settle_forward();
  }
  void last() override {
    std::shared_lock guard(shared_.mutex);
    at_ = range_.end.empty() ? entries_.end() : entries_.lower_bound(range_.end);
    settle_backward();
  }
  void next() override {
    expect_valid();
    std::shared_lock guard(shared_.mutex);
    ++at_;
    settle_forward();
  }
  void previous() override {
    expect_valid();
    std::shared_lock guard(shared_.mutex);
    settle_backward();
  }

  bool valid() const override { return valid_; }
  std::string_view key() const override { return key_; }
  std::string_view value() const override { return value_; }

 private:
  void settle_forward() {
    for (valid_ = false; at_ != entries_.end() && (range_.end.empty() || at_->first < range_.end); ++at_) {
      if (take()) return;
    }
  }
  /// To the nearest entry before at_.
  void settle_backward() {
    for (valid_ = false; at_ != entries_.begin();) {
      --at_;
      if (at_->first < range_.begin) return;
      if (take()) return;
    }
  }
  bool take() {
    const std::string* value = value_at(at_->second, moment_);
    if (value == nullptr) return false;
    key_ = at_->first;
    value_ = *value;
    return valid_ = true;
  }
  void expect_valid() const {
    if (!valid_) fail(ErrorCode::invalid, "cursor: next or previous without a current entry; call first, last or seek");
  }

  SharedMaps& shared_;
  const Entries& entries_;
  const storage::KeyRange range_;
  const Moment moment_;
  Entries::const_iterator at_;
  bool valid_ = false;
  std::string key_, value_;
};

}  // namespace

std::unique_ptr<storage::Cursor> make_cursor(SharedMaps& shared, storage::Keyspace keyspace, storage::KeyRange range,
                                             Moment moment) {
  return std::make_unique<MemoryCursor>(shared, keyspace, std::move(range), moment);
}

}  // namespace stele::memory
