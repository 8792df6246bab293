// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/storage/row_versions.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

namespace stele::storage {

/// The nearest rows seen so far, at most `capacity`, in the order of their distances; of equal ones the first come
/// stay. An array kept sorted: with the tens to hundreds of a search it beats heaps, and says which place a row took.
class Nearest {
 public:
  struct Entry {
    float distance;
    Row row;
  };

  void reset(std::size_t capacity) {
    capacity_ = capacity;
    size_ = 0;
    if (entries_.size() < capacity + 1) entries_.resize(capacity + 1);
  }

  std::size_t size() const { return size_; }
  bool full() const { return size_ == capacity_; }
  Entry& operator[](std::size_t i) { return entries_[i]; }
  const Entry* begin() const { return entries_.data(); }
  const Entry* end() const { return entries_.data() + size_; }

  /// Whether a row at that distance has a place.
  bool takes(float distance) const { return size_ < capacity_ || distance < entries_[size_ - 1].distance; }

  /// Only for what it takes(). The place where the row is now.
  std::size_t insert(float distance, Row row) {
    Entry* const entries = entries_.data();
    const auto place = static_cast<std::size_t>(
        std::upper_bound(entries, entries + size_, distance, [](float d, const Entry& e) { return d < e.distance; }) -
        entries);
    const std::size_t moved = size_ - place - (size_ == capacity_ ? 1 : 0);
    std::memmove(entries + place + 1, entries + place, moved * sizeof(Entry));
    if (size_ < capacity_) ++size_;
    entries[place] = {distance, row};
    return place;
  }

  /// Behind all others; only while it is not full.
  void append(Entry entry) { entries_[size_++] = entry; }
  void truncate(std::size_t size) { size_ = std::min(size_, size); }

 private:
  std::vector<Entry> entries_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace stele::storage
