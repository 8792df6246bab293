// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/transaction/read_set.h"

#include "engine/base/key_codec.h"

#include <algorithm>

namespace stele::transaction {

namespace {
bool below_end(std::string_view key, const std::string& end) { return end.empty() || key < end; }
}  // namespace

std::string ReadSet::point(Keyspace keyspace, std::string_view key) {
  std::string out;
  out.reserve(key.size() + 1);
  out += static_cast<char>(keyspace);
  out += key;
  return out;
}

void ReadSet::add_point(Keyspace keyspace, std::string_view key, Record record) {
  if (record == Record::none) return;
  auto& points = record == Record::binding ? binding_ : plain_;
  if (points.insert(point(keyspace, key)).second) bytes_ += key.size() + 1;
  if (plain_.size() + binding_.size() > points_max || bytes_ > bytes_max) coarsen();
}

std::size_t ReadSet::add_range(Keyspace keyspace, std::string_view begin, Record record) {
  // An empty range: end == begin. It is never "no upper bound", because keys are not empty.
  ranges_.push_back({keyspace, std::string(begin), std::string(begin.empty() ? std::string_view("\0", 1) : begin),
                     record == Record::binding});
  return ranges_.size() - 1;
}

std::size_t ReadSet::add_range_down(Keyspace keyspace, std::string_view end, Record record) {
  std::string begin = end.empty() ? std::string(key_bytes_max + 1, '\xFF') : std::string(end);  // above every key
  ranges_.push_back({keyspace, std::move(begin), std::string(end), record == Record::binding});
  return ranges_.size() - 1;
}

void ReadSet::extend_down(std::size_t range, std::string_view key) {
  if (std::string& begin = ranges_[range].begin; key < begin) begin.assign(key);
}

void ReadSet::extend(std::size_t range, std::string_view key) {
  std::string& end = ranges_[range].end;
  if (end.empty() || key < end) return;
  end.assign(key);
  end += '\0';  // the smallest key above
}

void ReadSet::extend_to_end(std::size_t range, std::string_view end) {
  std::string& current = ranges_[range].end;
  if (current.empty() || (!end.empty() && end <= current)) return;
  current.assign(end);
}

void ReadSet::coarsen() {
  for (Points* points : {&plain_, &binding_}) {
    std::array<std::pair<std::string, std::string>, storage::keyspace_count> bounds;
    for (const std::string& entry : *points) {
      auto& [lowest, highest] = bounds[static_cast<std::size_t>(entry.front())];
      const std::string_view key = std::string_view(entry).substr(1);
      if (lowest.empty() || key < lowest) lowest = key;
      if (key >= highest) highest = key;
    }
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      if (bounds[i].first.empty()) continue;
      ranges_.push_back({static_cast<Keyspace>(i), bounds[i].first, bounds[i].second + '\0', points == &binding_});
    }
    points->clear();
  }
  bytes_ = 0;
}

bool ReadSet::reads_key(Keyspace keyspace, std::string_view key, bool all) const {
  if (!binding_.empty() || (all && !plain_.empty())) {
    const std::string entry = point(keyspace, key);
    if (binding_.contains(entry) || (all && plain_.contains(entry))) return true;
  }
  return std::any_of(ranges_.begin(), ranges_.end(), [&](const Range& range) {
    return range.keyspace == keyspace && (all || range.binding) && key >= range.begin && below_end(key, range.end);
  });
}

bool ReadSet::reads_within(Keyspace keyspace, std::string_view begin, std::string_view end, bool all) const {
  auto within = [&](const Points& points) {
    return std::any_of(points.begin(), points.end(), [&](const std::string& entry) {
      const std::string_view key = std::string_view(entry).substr(1);
      return entry.front() == static_cast<char>(keyspace) && key >= begin && key < end;
    });
  };
  if (within(binding_) || (all && within(plain_))) return true;
  return std::any_of(ranges_.begin(), ranges_.end(), [&](const Range& range) {
    return range.keyspace == keyspace && (all || range.binding) && range.begin < end && below_end(begin, range.end);
  });
}

}  // namespace stele::transaction
