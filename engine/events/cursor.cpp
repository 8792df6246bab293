// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/events/cursor.h"

#include "engine/base/bytes.h"
#include "engine/base/checksum.h"
#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/events/append.h"
#include "engine/events/stored_cursor.h"

#include <algorithm>
#include <limits>

namespace stele::events {

using storage::Keyspace;
using transaction::Direction;
using transaction::Reader;
using transaction::Record;
using transaction::Scan;
using transaction::ScanRecord;
using transaction::Transaction;

namespace {

Timestamp timestamp(std::int64_t us) { return Timestamp(std::chrono::microseconds(us)); }

[[noreturn]] void damaged_event(const Extent& extent, std::uint64_t offset) {
  damaged(text("stream ", extent.stream), text("event ", offset));
}

Direction direction(const Wanted& wanted) { return wanted.backward ? Direction::backward : Direction::forward; }

/// In the order of offsets: their entries first, then, for a chunk of those that are wanted, the data in the order of
/// its keys.
class ByOffset final : public Cursor {
 public:
  ByOffset(Reader& reader, Extent extent, Wanted wanted, std::uint64_t* scanned)
      : reader_(reader), extent_(std::move(extent)), wanted_(std::move(wanted)), scanned_(scanned) {
    // Runs of segments that may hold any.
    extent_.for_each_segment([&](const Segment& segment) {
      if (!wanted_.admits(segment)) return;
      const std::uint64_t first = std::max({segment.first, extent_.earliest, wanted_.from});
      const std::uint64_t end = std::min(segment.end, wanted_.to.value_or(segment.end));
      if (first >= end) return;
      if (!runs_.empty() && runs_.back().end == first) {
        runs_.back().end = end;
      } else {
        runs_.push_back({first, end});
      }
    });
    if (!wanted_.backward) std::reverse(runs_.begin(), runs_.end());  // taken from the back
  }

  const Event* next() override {
    if (given_ == chunk_.size()) fill();
    return given_ < chunk_.size() ? &chunk_[given_++].event : nullptr;
  }

 private:
  struct Run {
    std::uint64_t first;
    std::uint64_t end;
  };
  struct Row {
    Event event;
    std::string data_key;
    bool wanted = false;
  };
  static constexpr std::size_t rows_max = 512;
  static constexpr std::uint64_t data_bytes_max = 1u << 20;

  void fill() {
    do {
      chunk_.clear();
      given_ = 0;
      read_entries();
      read_data();
      const std::size_t read = chunk_.size();
      std::erase_if(chunk_, [](const Row& row) { return !row.wanted; });
      left_ -= std::min<std::uint64_t>(left_, chunk_.size());
      rows_ = std::min(rows_ * 4, rows_max);
      if (read == 0) break;
    } while (chunk_.empty());
  }

  void read_entries() {
    std::uint64_t bytes = 0;
    const std::size_t rows = static_cast<std::size_t>(std::min<std::uint64_t>(rows_, left_));
    while (chunk_.size() < rows && bytes < data_bytes_max) {
      if (!scan_ && !begin_run()) return;
      if (!scan_->next()) {
        scan_.reset();
        continue;
      }
      reader_.interrupt().check();
      OffsetEntry entry;
      const std::uint64_t offset = big_endian(scan_->key().substr(scan_->key().size() - 8));
      if (!decode(scan_->value(), entry)) damaged_event(extent_, offset);
      if (entry.gseq > wanted_.gseq_max) {
        runs_.clear();
        scan_.reset();
        return;
      }
      if (scanned_) *scanned_ = offset + 1;
      if (!wanted_.admits_time(entry.time) || !wanted_.admits_place(offset, entry.key)) continue;
      Row& row = chunk_.emplace_back();
      row.event = {offset, timestamp(entry.time), std::string(entry.key), {}};
      row.data_key = data_key_prefix(extent_.stream, entry.segment, entry.key);
      append_data_suffix(row.data_key, entry.time, offset);
      bytes += entry.data_bytes;
    }
  }

  bool begin_run() {
    if (runs_.empty()) {
      // That there are no more is of this moment.
      if (!wanted_.to || *wanted_.to > extent_.end()) reader_.note_moment(Keyspace::events, state_key(extent_.stream));
      return false;
    }
    scan_ = reader_.scan(Keyspace::events,
                         {offset_key(extent_.stream, runs_.back().first), offset_key(extent_.stream, runs_.back().end)},
                         ScanRecord::none, direction(wanted_));
    runs_.pop_back();
    return true;
  }

  void read_data() {
    if (!wanted_.data && !wanted_.filter) {
      for (Row& row : chunk_) row.wanted = true;
      return;
    }
    if (chunk_.empty()) return;
    if (chunk_.size() == 1) {
      Row& row = chunk_.front();
      if (!reader_.get(Keyspace::events, row.data_key, row.event.data, Record::none))
        damaged_event(extent_, *row.event.offset);
      decide(row);
      return;
    }
    order_.resize(chunk_.size());
    for (std::size_t i = 0; i < order_.size(); ++i) order_[i] = &chunk_[i];
    std::ranges::sort(order_, {}, [](const Row* row) -> const std::string& { return row->data_key; });
    keys_.clear();
    for (const Row* row : order_) keys_.push_back(row->data_key);
    std::size_t found = 0;
    reader_.get_many(
        Keyspace::events, keys_,
        [&](std::size_t i, std::string_view data) {
          order_[i]->event.data.assign(data);
          ++found;
          return true;
        },
        Record::none);
    if (found != order_.size()) damaged_event(extent_, *chunk_.front().event.offset);
    for (Row& row : chunk_) decide(row);
  }

  void decide(Row& row) {
    row.wanted =
        !wanted_.filter || (row.event.data.starts_with('{') && wanted_.filter->matches_json(row.event.data, scratch_));
  }

  Reader& reader_;
  const Extent extent_;
  const Wanted wanted_;
  std::uint64_t* const scanned_;
  std::vector<Run> runs_;
  std::unique_ptr<Scan> scan_;
  std::uint64_t left_ = wanted_.limit;
  std::size_t rows_ = 16;
  std::vector<Row> chunk_;
  std::size_t given_ = 0;
  std::vector<Row*> order_;
  std::vector<std::string_view> keys_;
  model::Scratch scratch_;
};

/// Of one key, in the order of times: a merge of the segments that reach into the wanted time, opened as it gets to
/// them.
class ByKey final : public Cursor {
 public:
  ByKey(Reader& reader, Extent extent, Wanted wanted)
      : reader_(reader), extent_(std::move(extent)), wanted_(std::move(wanted)) {
    extent_.for_each_segment([&](const Segment& segment) {
      if (wanted_.admits(segment) && segment.end > wanted_.from && (!wanted_.to || segment.first < *wanted_.to))
        ahead_.push_back(segment);
    });
    // Taken from the back: the one that begins first.
    std::ranges::stable_sort(ahead_, [&](const Segment& a, const Segment& b) {
      return wanted_.backward ? a.time_max < b.time_max : a.time_min > b.time_min;
    });
    if (!wanted_.to || *wanted_.to > extent_.end()) reader_.note_moment(Keyspace::events, state_key(extent_.stream));
  }

  const Event* next() override {
    while (left_ > 0) {
      Open* open = nearest();
      if (!open) return nullptr;
      reader_.interrupt().check();
      event_.offset = open->offset;
      event_.time = timestamp(open->time);
      event_.data.assign(open->scan->value());
      advance(*open);
      if (*event_.offset < std::max(wanted_.from, extent_.earliest) || (wanted_.to && *event_.offset >= *wanted_.to))
        continue;
      if (wanted_.filter && !(event_.data.starts_with('{') && wanted_.filter->matches_json(event_.data, scratch_)))
        continue;
      event_.key = *wanted_.key;
      --left_;
      return &event_;
    }
    return nullptr;
  }

 private:
  struct Open {
    std::unique_ptr<Scan> scan;  // null: at its end
    std::int64_t time = 0;
    std::uint64_t offset = 0;
  };

  bool before(const Open& a, const Open& b) const {
    const bool less = std::pair(a.time, a.offset) < std::pair(b.time, b.offset);
    return less != wanted_.backward;
  }

  Open* nearest() {
    for (;;) {
      std::erase_if(open_, [](const Open& open) { return !open.scan; });
      const auto least = std::ranges::min_element(open_, [&](const Open& a, const Open& b) { return before(a, b); });
      const bool next_reaches =
          !ahead_.empty() && (least == open_.end() || (wanted_.backward ? ahead_.back().time_max >= least->time
                                                                        : ahead_.back().time_min <= least->time));
      if (!next_reaches) return least == open_.end() ? nullptr : &*least;
      begin(ahead_.back());
      ahead_.pop_back();
    }
  }

  void begin(const Segment& segment) {
    const std::string prefix = data_key_prefix(extent_.stream, segment.first, *wanted_.key);
    std::string low = prefix;
    append_data_suffix(low, wanted_.from_time.value_or(std::numeric_limits<std::int64_t>::min()), 0);
    std::string high = prefix;
    if (wanted_.to_time) {
      append_data_suffix(high, *wanted_.to_time, 0);
    } else {
      high = key::prefix_end(std::move(high));
    }
    Open& open = open_.emplace_back();
    if (low >= high) return;
    open.scan = reader_.scan(Keyspace::events, {std::move(low), std::move(high)}, ScanRecord::none, direction(wanted_));
    advance(open);
  }

  void advance(Open& open) {
    if (!open.scan->next()) {
      open.scan.reset();
    } else if (!read_data_suffix(open.scan->key(), open.time, open.offset)) {
      damaged_event(extent_, 0);
    }
  }

  Reader& reader_;
  const Extent extent_;
  const Wanted wanted_;
  std::vector<Segment> ahead_;
  std::vector<Open> open_;
  std::uint64_t left_ = wanted_.limit;
  Event event_;
  model::Scratch scratch_;
};

/// Committed events and, after them (backward: before them), those of the transaction.
class WithOwn final : public Cursor {
 public:
  WithOwn(std::unique_ptr<Cursor> committed, std::vector<Event> own, const Wanted& wanted)
      : committed_(std::move(committed)), own_(std::move(own)), own_first_(wanted.backward), left_(wanted.limit) {}

  const Event* next() override {
    if (left_ == 0) return nullptr;
    const Event* event = own_first_ ? next_own() : committed_->next();
    if (!event) event = own_first_ ? committed_->next() : next_own();
    if (event) --left_;
    return event;
  }

 private:
  const Event* next_own() { return given_ < own_.size() ? &own_[given_++] : nullptr; }

  std::unique_ptr<Cursor> committed_;
  std::vector<Event> own_;
  std::size_t given_ = 0;
  bool own_first_;
  std::uint64_t left_;
};

std::vector<Event> own_events(const Transaction& own, std::uint64_t stream, const Wanted& wanted) {
  std::vector<Event> found;
  model::Scratch scratch;
  if (wanted.to) return found;
  for (const auto& late : own.pending().late()) {
    if (late.statement >= own.current_statement()) break;
    const auto* append = dynamic_cast<const Append*>(late.write.get());
    if (!append || append->stream() != stream) continue;
    for (const Append::Pending& event : append->events()) {
      if (!wanted.admits_time(event.time) || (wanted.key && event.key != *wanted.key)) continue;
      if (wanted.filter && !(event.data.starts_with('{') && wanted.filter->matches_json(event.data, scratch))) continue;
      found.push_back({std::nullopt, timestamp(event.time), event.key, event.data});
    }
  }
  if (wanted.backward) std::ranges::reverse(found);
  return found;
}

}  // namespace

bool Wanted::admits(const Segment& segment) const {
  return (!from_time || segment.time_max >= *from_time) && (!to_time || segment.time_min < *to_time);
}

bool Wanted::admits_place(std::uint64_t offset, std::string_view event_key) const {
  if (places.empty()) return true;
  const auto& place = places[checksum(event_key) % places.size()];
  return place && offset >= *place;
}

std::unique_ptr<Cursor> open_cursor(Reader& reader, const Transaction* own, Extent extent, Wanted wanted,
                                    std::uint64_t* scanned) {
  std::vector<Event> appended;
  if (own) appended = own_events(*own, extent.stream, wanted);
  Wanted copy;
  if (!appended.empty()) copy.limit = wanted.limit, copy.backward = wanted.backward;
  std::unique_ptr<Cursor> cursor;
  if (wanted.key) {
    cursor = std::make_unique<ByKey>(reader, std::move(extent), std::move(wanted));
  } else if (wanted.in_any_order && wanted.data) {
    cursor = std::make_unique<StoredCursor>(reader, std::move(extent), std::move(wanted));
  } else {
    cursor = std::make_unique<ByOffset>(reader, std::move(extent), std::move(wanted), scanned);
  }
  if (appended.empty()) return cursor;
  return std::make_unique<WithOwn>(std::move(cursor), std::move(appended), copy);
}

}  // namespace stele::events
