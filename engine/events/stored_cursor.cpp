// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/events/stored_cursor.h"

#include "engine/base/error.h"
#include "engine/base/key_codec.h"

#include <algorithm>

namespace stele::events {

using storage::Keyspace;

StoredCursor::StoredCursor(transaction::Reader& reader, Extent extent, Wanted wanted)
    : reader_(reader), extent_(std::move(extent)), wanted_(std::move(wanted)) {
  extent_.for_each_segment([&](const Segment& segment) {
    if (wanted_.admits(segment) && segment.end > wanted_.from && (!wanted_.to || segment.first < *wanted_.to))
      ahead_.push_back(segment);
  });
  std::ranges::reverse(ahead_);
}

const Event* StoredCursor::next() {
  const std::uint64_t from = std::max(wanted_.from, extent_.earliest);
  while (scan_ || begin_segment()) {
    if (!scan_->next()) {
      scan_.reset();
      continue;
    }
    reader_.interrupt().check();
    if (!read_key(scan_->key())) damaged(text("stream ", extent_.stream), "the key of an event's data");
    if (offset_ < from || (wanted_.to && offset_ >= *wanted_.to) || !wanted_.admits_time(time_)) continue;
    event_.offset = offset_;
    event_.time = Timestamp(std::chrono::microseconds(time_));
    event_.data.assign(scan_->value());
    return &event_;
  }
  return nullptr;
}

bool StoredCursor::begin_segment() {
  if (ahead_.empty()) {
    // That there are no more is of this moment.
    if (!wanted_.to || *wanted_.to > extent_.end()) reader_.note_moment(Keyspace::events, state_key(extent_.stream));
    return false;
  }
  std::string prefix = data_prefix(extent_.stream, ahead_.back().first);
  ahead_.pop_back();
  prefix_bytes_ = prefix.size();
  std::string end = key::prefix_end(prefix);
  scan_ = reader_.scan(Keyspace::events, {std::move(prefix), std::move(end)}, transaction::ScanRecord::none);
  return true;
}

bool StoredCursor::read_key(std::string_view data_key) {
  constexpr std::size_t suffix_bytes = 16;
  if (data_key.size() < prefix_bytes_ + suffix_bytes || !read_data_suffix(data_key, time_, offset_)) return false;
  std::string_view name = data_key.substr(prefix_bytes_, data_key.size() - suffix_bytes - prefix_bytes_);
  if (name == name_) return true;
  name_ = name;
  return key::read_name(name, event_.key) && name.empty();
}

}  // namespace stele::events
