// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/events/streams.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/base/utf8.h"
#include "engine/events/append.h"
#include "engine/events/settings.h"

#include <algorithm>

namespace stele::events {

using catalog::Kind;
using storage::Keyspace;
using transaction::Direction;
using transaction::Reader;
using transaction::Record;
using transaction::ScanRecord;
using transaction::Transaction;

namespace {

std::optional<std::int64_t> microseconds(const std::optional<Timestamp>& time) {
  if (!time) return std::nullopt;
  return time->time_since_epoch().count();
}

void check_options(std::string_view stream, const StreamOptions& options) {
  const auto check = [&](bool sound, std::string_view what) {
    if (!sound)
      fail(ErrorCode::invalid, text("stream \"", stream, "\": retention ", what, "; leave it out for no bound"),
           {{"reason", "InvalidRetention"}});
  };
  check(!options.retention.age || options.retention.age->count() > 0, "by age must be more than 0 ms");
  check(!options.retention.bytes || (*options.retention.bytes > 0 && *options.retention.bytes <= INT64_MAX),
        "by bytes must be 1 to 2^63-1");
  check(!options.retention.count || (*options.retention.count > 0 && *options.retention.count <= INT64_MAX),
        "by count must be 1 to 2^63-1");
}

}  // namespace

Wanted wanted(const EventQuery& query, std::string_view stream, const json::Limits& limits) {
  Wanted out;
  out.from = query.from.value_or(0);
  out.to = query.to;
  out.from_time = microseconds(query.from_time);
  out.to_time = microseconds(query.to_time);
  out.key = query.key;
  out.backward = query.backward;
  if (query.limit) out.limit = *query.limit;
  if (query.to && *query.to < out.from)
    fail(ErrorCode::invalid,
         text("stream \"", stream, "\": the offsets wanted end (", *query.to, ") before they begin (", out.from, ")"),
         {{"reason", "InvalidRange"}});
  if (query.from_time && query.to_time && *query.to_time < *query.from_time)
    fail(ErrorCode::invalid, text("stream \"", stream, "\": the times wanted end before they begin"),
         {{"reason", "InvalidRange"}});
  if (!query.filter.empty()) {
    model::Filter filter = model::Filter::parse(query.filter, limits);
    if (!filter.empty()) out.filter = std::move(filter);
  }
  return out;
}

void Streams::append(Transaction& transaction, std::span<const NewEvent> events) const {
  // All are checked before the first is written.
  std::vector<Append::Pending> pending;
  pending.reserve(events.size());
  for (const NewEvent& event : events) {
    transaction.interrupt().check();
    if (event.key.size() > event_key_bytes_max)
      fail(ErrorCode::too_large,
           text("stream \"", stream_, "\": an event's key has ", event.key.size(), " bytes; the limit is ",
                event_key_bytes_max),
           {{"size", std::to_string(event.key.size())}, {"limit", std::to_string(event_key_bytes_max)}});
    pending.push_back({event.time ? event.time->time_since_epoch().count() : transaction.time_us(), event.key,
                       json::minify(event.data, limits_, "event")});
  }
  if (events.empty()) return;
  const auto definition = catalog_.find_or_create(transaction, Kind::stream, stream_);
  if (!definition->settings.empty())
    for (Window& window : parse_settings(definition->settings).windows)
      transaction.writes().late(std::make_shared<WindowDeltas>(definition->id, std::move(window), pending));
  transaction.writes().late(std::make_shared<Append>(definition->id, std::move(pending)));
}

catalog::Catalog::DefinitionPtr Streams::find_definition(Reader& reader) const {
  return catalog_.find(reader, Kind::stream, stream_);
}

catalog::Catalog::DefinitionPtr Streams::require(Reader& reader) const {
  auto found = find_definition(reader);
  if (!found)
    fail(ErrorCode::not_found, text("stream \"", stream_, "\": there is none of that name; append to it, or create it"),
         {{"reason", "NoStream"}, {"name", std::string(stream_)}});
  return found;
}

Extent Streams::extent(Reader& reader) const {
  const auto stream = find_definition(reader);
  if (stream) return segments_.extent(reader, stream->id);
  Extent none;
  none.closed = std::make_shared<const std::vector<Segment>>();
  return none;
}

std::unique_ptr<Cursor> Streams::find(Reader& reader, const Transaction* own, Wanted wanted, bool from_given) const {
  Extent at = extent(reader);
  if (from_given && wanted.from < at.earliest)
    fail(ErrorCode::out_of_range,
         text("stream \"", stream_, "\": events below offset ", at.earliest, " are no longer there, ", wanted.from,
              " was asked for; read from the earliest one on"),
         {{"reason", "Truncated"}, {"earliest", std::to_string(at.earliest)}, {"end", std::to_string(at.end())}});
  return open_cursor(reader, own, std::move(at), std::move(wanted));
}

std::vector<Event> Streams::read(Reader& reader, const Transaction* own, std::optional<std::uint64_t> offset,
                                 std::size_t limit) const {
  Wanted wanted;
  wanted.from = offset.value_or(0);
  wanted.limit = limit;
  const auto cursor = find(reader, own, std::move(wanted), offset.has_value());
  std::vector<Event> found;
  while (const Event* event = cursor->next()) found.push_back(*event);
  return found;
}

std::uint64_t Streams::end_offset(Reader& reader) const {
  const Extent at = extent(reader);
  if (at.stream != 0 && reader.records()) reader.note_read(Keyspace::events, state_key(at.stream), Record::plain);
  return at.end();
}

StreamStats Streams::stats(Reader& reader) const {
  const Extent at = extent(reader);
  StreamStats stats{at.earliest, at.end(), 0};
  at.for_each_segment([&](const Segment& segment) { stats.bytes += segment.bytes; });
  return stats;
}

StreamOptions Streams::options(Reader& reader) const {
  const auto definition = find_definition(reader);
  return definition ? parse_settings(definition->settings).options : StreamOptions();
}

void Streams::create(Transaction& transaction, const StreamOptions& options) const {
  check_options(stream_, options);
  catalog::Definition made = *catalog_.create(transaction, Kind::stream, stream_, {}, limits_);
  made.settings = to_json(Settings{options, {}});
  catalog_.store(transaction, made);
}

void Streams::modify(Transaction& transaction, const StreamOptions& options) const {
  check_options(stream_, options);
  catalog::Definition changed = *require(transaction);
  changed.settings = to_json(Settings{options, parse_settings(changed.settings).windows});
  catalog_.store(transaction, changed);
}

void Streams::refuse_when_appended(Transaction& transaction, std::uint64_t stream, std::string_view cure) const {
  for (const auto& late : transaction.pending().late()) {
    const auto* append = dynamic_cast<const Append*>(late.write.get());
    if (append && append->stream() == stream)
      fail(ErrorCode::invalid,
           text("stream \"", stream_, "\": this transaction has appended to it; ", cure, " in another"),
           {{"reason", "AppendedHere"}});
  }
}

bool Streams::drop(Transaction& transaction) const {
  const auto stream = find_definition(transaction);
  if (!stream) return false;
  refuse_when_appended(transaction, stream->id, "drop it");
  std::string prefix;
  key::append_id(prefix, stream->id);
  transaction.writes().erase_range(Keyspace::events, prefix, key::prefix_end(prefix));
  catalog_.drop(transaction, Kind::stream, stream_);
  return true;
}

void Streams::truncate(Transaction& transaction, std::uint64_t offset) const {
  const std::uint64_t stream = require(transaction)->id;
  const Extent at = segments_.extent(transaction, stream);
  if (offset > at.end())
    fail(ErrorCode::out_of_range,
         text("stream \"", stream_, "\": cannot be truncated at offset ", offset, ", which is beyond its end ",
              at.end()),
         {{"reason", "BeyondEnd"}, {"earliest", std::to_string(at.earliest)}, {"end", std::to_string(at.end())}});
  transaction.note_read(Keyspace::events, earliest_key(stream), Record::binding);
  if (offset <= at.earliest) return;
  // Segments go when all of their events do; the open one takes appends of others while we work, and stays.
  std::uint64_t first_there = at.state.open.first;
  std::uint64_t first_kept = at.state.open.first;
  at.for_each_segment([&](const Segment& segment) {
    first_there = std::min(first_there, segment.first);
    if (segment.end > offset) first_kept = std::min(first_kept, segment.first);
  });
  auto& writes = transaction.writes();
  writes.erase_range(Keyspace::events, offset_key(stream, at.earliest), offset_key(stream, offset));
  if (first_there < first_kept) {
    writes.erase_range(Keyspace::events, data_prefix(stream, first_there), data_prefix(stream, first_kept));
    writes.erase_range(Keyspace::events, segment_key(stream, first_there), segment_key(stream, first_kept));
  }
  const std::string bytes = fixed_bytes(offset);
  writes.put(Keyspace::events, earliest_key(stream), bytes);
}

// ---- windows

void Streams::create_window(Transaction& transaction, std::string_view name, const WindowOptions& options) const {
  const auto check = [&](bool sound, std::string_view rule) {
    if (!sound)
      fail(ErrorCode::invalid, text("stream \"", stream_, "\", window \"", name.substr(0, 60), "\": ", rule),
           {{"reason", "InvalidWindow"}});
  };
  constexpr auto longest = std::chrono::milliseconds(std::chrono::hours(24 * 366 * 100));
  check(!name.empty() && name.size() <= 255 && is_utf8(name), "a name is 1 to 255 bytes of UTF-8");
  check(options.width.count() > 0 && options.width <= longest, "its width must be 1 ms to 100 years");
  check(!options.retention || (options.retention->count() > 0 && *options.retention <= longest),
        "its retention must be 1 ms to 100 years");
  Window window;
  window.name = name;
  window.width_us = static_cast<std::int64_t>(options.width.count()) * 1000;
  window.by_key = options.by_key;
  window.aggregates = parse_aggregates(options.aggregates);
  window.aggregates_json = json::minify(options.aggregates, limits_, "aggregates");
  if (options.retention) window.retention_us = static_cast<std::int64_t>(options.retention->count()) * 1000;

  catalog::Definition changed = *catalog_.find_or_create(transaction, Kind::stream, stream_);
  refuse_when_appended(transaction, changed.id, "declare the window before that, or");  // it would not count them
  Settings settings = parse_settings(changed.settings);
  if (settings.window(name))
    fail(ErrorCode::exists, text("stream \"", stream_, "\", window \"", name, "\": is there already; drop it first"));
  check(settings.windows.size() < 32, "a stream has at most 32 windows");
  window.id = catalog_.new_id(transaction);
  // Who appends from this commit on counts its events itself; those before it are counted by fill_window.
  transaction.note_read(Keyspace::events, state_key(changed.id), Record::binding);
  window.fill_to = segments_.extent(transaction, changed.id).end();
  settings.windows.push_back(std::move(window));
  changed.settings = to_json(settings);
  catalog_.store(transaction, changed);
}

bool Streams::drop_window(Transaction& transaction, std::string_view name) const {
  const auto definition = find_definition(transaction);
  if (!definition) return false;
  Settings settings = parse_settings(definition->settings);
  const Window* window = settings.window(name);
  if (!window) return false;
  const std::string prefix = window_prefix(definition->id, window->id);
  transaction.writes().erase_range(Keyspace::events, prefix, key::prefix_end(prefix));
  transaction.writes().erase(Keyspace::events, window_progress_key(definition->id, window->id));
  std::erase_if(settings.windows, [&](const Window& other) { return other.name == name; });
  catalog::Definition changed = *definition;
  changed.settings = to_json(settings);
  catalog_.store(transaction, changed);
  return true;
}

std::vector<WindowRow> Streams::window(Reader& reader, std::string_view name, const WindowQuery& query) const {
  const auto definition = require(reader);
  const Settings settings = parse_settings(definition->settings);
  const Window* window = settings.window(name);
  if (!window)
    fail(ErrorCode::not_found,
         text("stream \"", stream_, "\": it has no window \"", name.substr(0, 60), "\"; declare it with create_window"),
         {{"reason", "NoWindow"}});
  return read_window(reader, definition->id, *window, query);
}

std::vector<WindowInfo> Streams::windows(Reader& reader) const {
  std::vector<WindowInfo> out;
  const auto definition = find_definition(reader);
  if (!definition) return out;
  for (const Window& window : parse_settings(definition->settings).windows) {
    WindowInfo& info = out.emplace_back();
    info.name = window.name;
    info.options = {std::chrono::milliseconds(window.width_us / 1000), window.by_key, window.aggregates_json, {}};
    if (window.retention_us) info.options.retention = std::chrono::milliseconds(*window.retention_us / 1000);
    info.fill_to = window.fill_to;
    info.filled = window_filled(reader, definition->id, window);
  }
  return out;
}

bool Streams::keep_windows(Transaction& transaction, std::size_t events) const {
  const auto definition = find_definition(transaction);
  if (!definition) return true;
  bool complete = true;
  for (const Window& window : parse_settings(definition->settings).windows) {
    complete = fill_window(transaction, segments_.extent(transaction, definition->id), window, events) && complete;
    trim_window(transaction, definition->id, window);
  }
  return complete;
}

namespace {

/// Walks the entries of offsets [from, to) until `visit(offset, entry)` is false.
template <class Visit>
void walk(Reader& reader, std::uint64_t stream, std::uint64_t from, std::uint64_t to, Direction direction,
          Visit&& visit) {
  const auto scan =
      reader.scan(Keyspace::events, {offset_key(stream, from), offset_key(stream, to)}, ScanRecord::none, direction);
  OffsetEntry entry;
  while (scan->next()) {
    if (!decode(scan->value(), entry))
      damaged(text("stream ", stream), text("an event (", key::describe_key(scan->key()), ")"));
    if (!visit(big_endian(scan->key().substr(scan->key().size() - 8)), entry)) return;
  }
}

/// The first event that is not older, past whole segments that are.
std::uint64_t cut_by_age(Reader& reader, const Extent& at, std::int64_t oldest) {
  std::uint64_t cut = at.earliest;
  bool found = false;
  at.for_each_segment([&](const Segment& segment) {
    if (found) return;
    if (segment.time_max < oldest) {
      cut = segment.end;
      return;
    }
    found = true;
    walk(reader, at.stream, std::max(cut, segment.first), segment.end, Direction::forward,
         [&](std::uint64_t offset, const OffsetEntry& entry) {
           if (entry.time >= oldest) return false;
           cut = offset + 1;
           return true;
         });
  });
  return cut;
}

/// The offset from which on there are at least so many bytes.
std::uint64_t cut_by_bytes(Reader& reader, const Extent& at, std::uint64_t bytes) {
  std::vector<Segment> segments;
  at.for_each_segment([&](const Segment& segment) { segments.push_back(segment); });
  std::uint64_t kept = 0;
  while (!segments.empty() && kept + segments.back().bytes <= bytes) {
    kept += segments.back().bytes;
    segments.pop_back();
  }
  if (segments.empty()) return at.earliest;
  std::uint64_t cut = segments.back().end;
  walk(reader, at.stream, std::max(segments.back().first, at.earliest), segments.back().end, Direction::backward,
       [&](std::uint64_t offset, const OffsetEntry& entry) {
         if (kept >= bytes) return false;
         kept += entry.key.size() + entry.data_bytes;
         cut = offset;
         return true;
       });
  return cut;
}

}  // namespace

std::uint64_t Streams::retention_cut(Reader& reader) const {
  const Retention rules = options(reader).retention;
  const Extent at = extent(reader);
  std::uint64_t cut = at.earliest;
  if (at.empty()) return cut;
  if (rules.count && at.end() > *rules.count) cut = std::max(cut, at.end() - *rules.count);
  if (rules.age) {
    std::int64_t oldest = 0;
    std::int64_t age_us = 0;
    if (!__builtin_mul_overflow(static_cast<std::int64_t>(rules.age->count()), std::int64_t{1000}, &age_us) &&
        !__builtin_sub_overflow(reader.time_us(), age_us, &oldest))
      cut = std::max(cut, cut_by_age(reader, at, oldest));
  }
  if (rules.bytes) cut = std::max(cut, cut_by_bytes(reader, at, *rules.bytes));
  return cut;
}

}  // namespace stele::events
