// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/pipeline/sorter.h"

#include "engine/base/bytes.h"
#include "engine/pipeline/row_codec.h"

#include <algorithm>

namespace stele::pipeline {

// Runs

struct Runs::Head {
  SpillReader reader;
  std::string_view key, content;

  bool advance() {
    std::string_view record;
    if (!reader.next(record)) return false;
    ByteReader bytes(record);
    if (!bytes.sized(key)) fail(ErrorCode::corrupt, "a temporary file of a pipeline came back changed");
    content = bytes.rest();
    return true;
  }
};

// Of two heads the one to come later: equal keys in the order of the runs.
struct Runs::Later {
  const std::vector<Head>& heads;
  bool operator()(std::uint32_t a, std::uint32_t b) const {
    const int c = heads[a].key.compare(heads[b].key);
    return c != 0 ? c > 0 : a > b;
  }
};

Runs::Runs(const Execution& execution, std::string what)
    : directory_(execution.settings.spill_directory),
      bytes_max_(execution.settings.spill_bytes_max),
      what_(std::move(what)) {}

Runs::~Runs() = default;
Runs::Runs(Runs&&) noexcept = default;

void Runs::begin() {
  if (!file_) file_ = std::make_shared<SpillFile>(directory_, bytes_max_, what_);
  runs_.push_back({file_, file_->size(), 0});
}

void Runs::append(std::string_view key, std::string_view content) {
  record_.clear();
  append_varint(record_, key.size());
  const std::uint32_t size = static_cast<std::uint32_t>(record_.size() + key.size() + content.size());
  std::string head;
  append_fixed(head, size);
  head += record_;
  file_->append(head);
  file_->append(key);
  file_->append(content);
}

void Runs::end() {
  file_->flush();
  runs_.back().end = file_->size();
  bytes_ += runs_.back().end - runs_.back().begin;
}

void Runs::adopt(Runs&& later) {
  std::ranges::move(later.runs_, std::back_inserter(runs_));
  bytes_ += later.bytes_;
  later.runs_.clear();
}

void Runs::open_heads(std::size_t from, std::size_t count, std::size_t buffer_bytes) {
  heads_.clear();
  order_.clear();
  taken_ = UINT32_MAX;
  heads_.reserve(count);  // their views point into themselves: they stay where they are
  for (std::size_t i = from; i < from + count; ++i) {
    heads_.push_back({SpillReader(*runs_[i].file, runs_[i].begin, runs_[i].end, buffer_bytes), {}, {}});
    if (!heads_.back().advance()) heads_.pop_back();
  }
  for (std::uint32_t i = 0; i < heads_.size(); ++i) order_.push_back(i);
  std::ranges::make_heap(order_, Later{heads_});
}

bool Runs::next(std::string_view& key, std::string_view& content) {
  if (taken_ != UINT32_MAX && heads_[taken_].advance()) {
    order_.push_back(taken_);
    std::ranges::push_heap(order_, Later{heads_});
  }
  taken_ = UINT32_MAX;
  if (order_.empty()) return false;
  std::ranges::pop_heap(order_, Later{heads_});
  taken_ = order_.back();
  order_.pop_back();
  key = heads_[taken_].key;
  content = heads_[taken_].content;
  return true;
}

// Replaces the runs by fewer, each of `fan_in` neighbours.
void Runs::merge_some(Execution& execution, std::size_t fan_in, std::size_t buffer_bytes) {
  Runs merged(execution, what_);
  for (std::size_t from = 0; from < runs_.size(); from += fan_in) {
    open_heads(from, std::min(fan_in, runs_.size() - from), buffer_bytes);
    merged.begin();
    std::string_view key, content;
    while (next(key, content)) {
      execution.tick(key.size() + content.size());
      merged.append(key, content);
    }
    merged.end();
  }
  heads_.clear();
  runs_ = std::move(merged.runs_);
  file_ = std::move(merged.file_);
  bytes_ += merged.bytes_;
}

void Runs::begin_merge(Execution& execution, std::size_t memory_bytes) {
  constexpr std::size_t buffer_least = std::size_t{16} << 10, buffer_most = std::size_t{1} << 20;
  memory_bytes /= 3;  // a reader has a buffer, and what it reads to put behind it
  const std::size_t fan_in = std::max<std::size_t>(memory_bytes / buffer_least, 4);
  while (runs_.size() > fan_in) merge_some(execution, fan_in, buffer_least);
  const std::size_t each = memory_bytes / std::max<std::size_t>(runs_.size(), 1);
  open_heads(0, runs_.size(), std::clamp(each, buffer_least, buffer_most));
}

// Sorter

namespace {

std::uint64_t prefix_of(std::string_view key) {
  char first[8] = {};
  key.copy(first, sizeof first);
  return big_endian({first, sizeof first});
}

}  // namespace

Sorter::Sorter(Execution& execution, std::size_t memory_bytes, std::string what)
    : execution_(execution), memory_bytes_(memory_bytes), runs_(execution, std::move(what)) {}

void Sorter::add(std::string_view key, std::string_view content) {
  execution_.tick(key.size() + content.size());
  if (arena_.bytes() + entries_.capacity() * sizeof(Entry) + content.size() > memory_bytes_ && !entries_.empty()) spill();
  entries_.push_back({prefix_of(key), arena_.store(key, content), static_cast<std::uint32_t>(key.size()),
                      static_cast<std::uint32_t>(content.size()), static_cast<std::uint32_t>(entries_.size())});
  ++count_;
}

void Sorter::sort_entries() {
  const auto before = [this](const Entry& a, const Entry& b) {
    execution_.tick(32);
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    const int c = a.key().compare(b.key());
    return c != 0 ? c < 0 : a.number < b.number;
  };
  std::sort(entries_.begin(), entries_.end(), before);
}

void Sorter::spill() {
  sort_entries();
  runs_.begin();
  for (const Entry& entry : entries_) {
    execution_.tick(entry.content_size);
    runs_.append(entry.key(), entry.content());
  }
  runs_.end();
  entries_.clear();
  entries_.shrink_to_fit();
  arena_.clear();
}

void Sorter::finish() {
  if (runs_.empty()) return sort_entries();
  if (!entries_.empty()) spill();
  runs_.begin_merge(execution_, memory_bytes_ / 2);
}

bool Sorter::next(std::string_view& key, std::string_view& content) {
  if (!runs_.empty()) {
    if (!runs_.next(key, content)) return false;
  } else {
    if (position_ == entries_.size()) return false;
    key = entries_[position_].key();
    content = entries_[position_].content();
    ++position_;
  }
  execution_.tick(content.size());
  return true;
}

bool Sorter::next_row(Value& row) {
  std::string_view key, content;
  if (!next(key, content)) return false;
  ByteReader bytes(content);
  read_row(bytes, row);
  return true;
}

}  // namespace stele::pipeline
