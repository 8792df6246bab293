// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/events/windows.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/events/cursor.h"
#include "engine/events/group_records.h"
#include "engine/events/layout.h"

#include <algorithm>
#include <limits>

namespace stele::events {

using storage::Keyspace;
using transaction::Reader;
using transaction::Record;
using transaction::ScanRecord;
using transaction::Transaction;

namespace {

constexpr std::size_t rows_passed_max = 24;  // a new scan costs about as much

[[noreturn]] void damaged_row(const Window& window) {
  fail(ErrorCode::corrupt,
       text("window \"", window.name, "\": a row cannot be read; drop the window and declare it again"));
}

}  // namespace

bool Window::reads_data() const {
  return std::ranges::any_of(aggregates,
                             [](const Aggregate& aggregate) { return aggregate.of != Aggregate::Of::count; });
}

std::int64_t Window::start_of(std::int64_t time) const {
  const std::int64_t past = time % width_us;
  const std::int64_t back = past < 0 ? past + width_us : past;
  return time < std::numeric_limits<std::int64_t>::min() + back ? std::numeric_limits<std::int64_t>::min()
                                                                : time - back;
}

std::string window_prefix(std::uint64_t stream, std::uint64_t window) {
  std::string out = stream_prefix(stream, StreamPart::window_rows);
  key::append_id(out, window);
  return out;
}

std::string window_row_key(std::uint64_t stream, const Window& window, std::int64_t time, std::string_view event_key) {
  std::string out = window_prefix(stream, window.id);
  append_time(out, window.start_of(time));
  key::append_name(out, window.by_key ? event_key : std::string_view());
  return out;
}

std::string window_progress_key(std::uint64_t stream, std::uint64_t window) {
  std::string out = stream_prefix(stream, StreamPart::window_progress);
  key::append_id(out, window);
  return out;
}

WindowDeltas::WindowDeltas(std::uint64_t stream, Window window, std::span<const Append::Pending> events)
    : stream_(stream), window_(std::move(window)) {
  const bool reads_data = window_.reads_data();
  model::Value data;
  for (const Append::Pending& event : events) {
    if (reads_data) data = model::parse(event.data);
    totals_.try_emplace(window_row_key(stream_, window_, event.time, event.key), window_.aggregates)
        .first->second.add(window_.aggregates, reads_data ? &data : nullptr);
  }
}

void WindowDeltas::resolve(transaction::LateWrites& commit) const {
  std::string bytes;
  for (const auto& [key, delta] : totals_) {
    bytes.clear();
    if (const std::string* now = commit.state(Keyspace::events, key)) {
      Totals totals(window_.aggregates);
      if (!totals.decode(window_.aggregates, *now)) damaged_row(window_);
      totals.merge(window_.aggregates, delta);
      totals.encode(window_.aggregates, bytes);
    } else {
      delta.encode(window_.aggregates, bytes);
    }
    commit.set_state(Keyspace::events, key, bytes);
  }
}

std::vector<WindowRow> read_window(Reader& reader, std::uint64_t stream, const Window& window,
                                   const WindowQuery& query) {
  std::int64_t width = window.width_us;
  if (query.width) {
    const bool fits = query.width->count() > 0 &&
                      query.width->count() <= std::numeric_limits<std::int64_t>::max() / 1000 &&
                      query.width->count() * 1000 % window.width_us == 0;
    if (!fits)
      fail(ErrorCode::invalid,
           text("window \"", window.name, "\": a width of ", query.width->count(), " ms is no multiple of its ",
                window.width_us / 1000, " ms"),
           {{"reason", "InvalidWidth"}});
    width = query.width->count() * 1000;
  }
  if (query.from && query.to && *query.to < *query.from)
    fail(ErrorCode::invalid, text("window \"", window.name, "\": the times wanted end before they begin"),
         {{"reason", "InvalidRange"}});
  if (query.key && !window.by_key)
    fail(ErrorCode::invalid, text("window \"", window.name, "\": it is not by key"), {{"reason", "NotByKey"}});
  Window wide = window;
  wide.width_us = width;
  const std::string prefix = window_prefix(stream, window.id);
  std::string low = prefix;
  std::string high = key::prefix_end(prefix);
  if (query.from) append_time(low, query.from->time_since_epoch().count());
  if (query.to) append_time(high = prefix, query.to->time_since_epoch().count());
  std::string suffix;
  if (query.key) key::append_name(suffix, *query.key);

  std::vector<WindowRow> out;
  const auto add = [&](std::int64_t at, std::string_view name, const Totals& totals) {
    out.push_back({Timestamp(std::chrono::microseconds(at)), unescaped(name), totals.values(window.aggregates)});
  };
  const bool merged = width != window.width_us;
  std::map<std::pair<std::int64_t, std::string>, Totals> rows;
  if (low < high) {
    Totals totals(window.aggregates);
    auto scan = reader.scan(Keyspace::events, {low, high}, ScanRecord::range);
    std::size_t passed = 0;  // rows of other keys, one after the other
    while (scan->next()) {
      reader.interrupt().check();
      std::string_view rest = scan->key().substr(prefix.size());
      std::uint64_t start = 0;
      if (!key::read_u64(rest, start)) damaged_row(window);
      if (query.key && rest != suffix) {
        if (++passed < rows_passed_max) continue;
        passed = 0;
        // To the key's row of this stretch, or of the next.
        std::int64_t next = time_of(start);
        if (rest > suffix && __builtin_add_overflow(next, window.width_us, &next)) break;
        append_time(low = prefix, next);
        low += suffix;
        if (low >= high) break;
        scan = reader.scan(Keyspace::events, {low, high}, ScanRecord::range);
        continue;
      }
      passed = 0;
      if (!totals.decode(window.aggregates, scan->value())) damaged_row(window);
      if (!merged) {
        add(time_of(start), rest, totals);
        continue;
      }
      const std::int64_t at = wide.start_of(time_of(start));
      // Mostly in order: a row that is not merged is the last.
      const auto row = rows.try_emplace(rows.end(), {at, std::string(rest)}, window.aggregates);
      row->second.merge(window.aggregates, totals);
    }
  }
  for (const auto& [where, totals] : rows) add(where.first, where.second, totals);
  return out;
}

std::uint64_t window_filled(Reader& reader, std::uint64_t stream, const Window& window) {
  std::string bytes;
  std::uint64_t filled = 0;
  if (reader.get(Keyspace::events, window_progress_key(stream, window.id), bytes, Record::binding))
    ByteReader(bytes).fixed(filled);
  return std::min(filled, window.fill_to);
}

bool fill_window(Transaction& own, const Extent& at, const Window& window, std::size_t events) {
  const std::uint64_t known = window_filled(own, at.stream, window);
  std::uint64_t filled = std::max(known, at.earliest);
  const auto note_progress = [&] {
    own.writes().put(Keyspace::events, window_progress_key(at.stream, window.id), fixed_bytes(std::min(filled, window.fill_to)));
    return filled >= window.fill_to;
  };
  if (known >= window.fill_to) return true;
  if (filled >= window.fill_to) return note_progress();  // what it was to count has been truncated
  Wanted wanted;
  wanted.from = filled;
  wanted.to = window.fill_to;
  wanted.limit = events;
  const auto cursor = open_cursor(own, nullptr, at, std::move(wanted));
  std::vector<Append::Pending> batch;
  while (const Event* event = cursor->next()) {
    batch.push_back({event->time.time_since_epoch().count(), event->key, event->data});
    filled = *event->offset + 1;
  }
  if (batch.empty()) filled = window.fill_to;
  own.writes().late(std::make_shared<WindowDeltas>(at.stream, window, batch));
  return note_progress();
}

void trim_window(Transaction& own, std::uint64_t stream, const Window& window) {
  std::int64_t oldest = 0;
  if (!window.retention_us || __builtin_sub_overflow(own.time_us() - window.width_us, *window.retention_us, &oldest))
    return;
  const std::string prefix = window_prefix(stream, window.id);
  std::string end = prefix;
  append_time(end, window.start_of(oldest));
  if (own.scan(Keyspace::events, {prefix, end}, ScanRecord::none)->next())
    own.writes().erase_range(Keyspace::events, prefix, end);
}

}  // namespace stele::events
