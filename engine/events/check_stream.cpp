// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/events/check_stream.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/json.h"
#include "engine/base/key_codec.h"
#include "engine/events/cursor.h"
#include "engine/events/group_records.h"
#include "engine/events/layout.h"
#include "engine/events/settings.h"

#include <algorithm>
#include <limits>

namespace stele::events {

using storage::Keyspace;
using transaction::Direction;
using transaction::Reader;
using transaction::Record;
using transaction::ScanRecord;

namespace {

constexpr json::Limits any_size{std::numeric_limits<std::size_t>::max(), 1000};
constexpr std::size_t rows_a_pass = 100'000;  // of a window, recounted in memory

class StreamCheck {
 public:
  StreamCheck(Reader& reader, const catalog::Definition& stream,
              const std::function<void(const std::string& what)>& report)
      : reader_(reader), stream_(stream), report_(report) {}

  void run(bool deep) {
    read_extent();
    check_end();
    if (!deep) return;
    check_events();
    check_segments();
    check_groups();
    for (const Window& window : parse_settings(stream_.settings).windows) check_window(window);
  }

 private:
  void damage(const std::string& what) { report_(what); }

  /// Not through Segments: what is damaged is not to be remembered.
  void read_extent() {
    at_.stream = stream_.id;
    std::string bytes;
    if (reader_.get(Keyspace::events, state_key(stream_.id), bytes, Record::plain) && !decode(bytes, at_.state))
      damage("its state cannot be read");
    if (reader_.get(Keyspace::events, earliest_key(stream_.id), bytes, Record::plain) &&
        !ByteReader(bytes).fixed(at_.earliest))
      damage("its earliest offset cannot be read");
    auto closed = std::make_shared<std::vector<Segment>>();
    for_each(segments_prefix(stream_.id), [&](std::string_view, std::string_view value) {
      if (Segment segment; decode(value, segment))
        closed->push_back(segment);
      else
        damage("a segment cannot be read");
    });
    at_.closed = std::move(closed);
  }

  /// Calls `visit(rest of the key, value)` for each key with the prefix.
  template <class Visit>
  void for_each(const std::string& prefix, Visit&& visit) {
    const auto scan = reader_.scan(Keyspace::events, {prefix, key::prefix_end(prefix)}, ScanRecord::none);
    while (scan->next()) {
      reader_.interrupt().check();
      visit(scan->key().substr(prefix.size()), scan->value());
    }
  }

  static std::uint64_t offset_of(std::string_view rest) {
    std::uint64_t offset = 0;
    if (!key::read_u64(rest, offset) || !rest.empty())
      fail(ErrorCode::corrupt, text("a key cannot be read: ", key::describe_key(rest)));
    return offset;
  }

  storage::KeyRange retained_offsets() const {
    return {offset_key(stream_.id, at_.earliest), key::prefix_end(offsets_prefix(stream_.id))};
  }

  void check_end() {
    const auto scan = reader_.scan(Keyspace::events, retained_offsets(), ScanRecord::none, Direction::backward);
    const bool any = scan->next();
    const std::uint64_t end = any ? offset_of(scan->key().substr(offsets_prefix(stream_.id).size())) + 1 : at_.earliest;
    if (end == at_.end()) return;
    damage(any ? text("its last event has offset ", end - 1, ", but its next offset is ", at_.end())
               : text("it has no events, but its next offset is ", at_.end()));
  }

  void check_events() {
    std::uint64_t expected = at_.earliest;
    std::uint64_t last_gseq = 0;
    const std::size_t prefix = offsets_prefix(stream_.id).size();
    const auto scan = reader_.scan(Keyspace::events, retained_offsets(), ScanRecord::none);
    while (scan->next()) {
      reader_.interrupt().check();
      const std::uint64_t offset = offset_of(scan->key().substr(prefix));
      if (offset != expected) damage(text("events ", expected, " to ", offset - 1, " are missing"));
      expected = offset + 1;
      try {
        check_event(offset, scan->value(), last_gseq);
      } catch (const Error& error) {
        if (error.code() == ErrorCode::interrupted) throw;
        damage(text("event ", offset, ": ", error.message()));
      }
    }
  }

  /// An event as its offset's entry has it, and as it stands among the data.
  void check_event(std::uint64_t offset, std::string_view bytes, std::uint64_t& last_gseq) {
    OffsetEntry entry;
    if (!decode(bytes, entry)) fail(ErrorCode::corrupt, "cannot be read");
    if (entry.gseq < last_gseq)
      fail(ErrorCode::corrupt,
           text("was written by commit ", entry.gseq, ", the one before it by the later commit ", last_gseq));
    last_gseq = entry.gseq;
    std::string key = data_key_prefix(stream_.id, entry.segment, entry.key);
    append_data_suffix(key, entry.time, offset);
    std::string data;
    if (!reader_.get(Keyspace::events, key, data, Record::plain)) fail(ErrorCode::corrupt, "its data is missing");
    if (data.size() != entry.data_bytes)
      fail(ErrorCode::corrupt, text("its data has ", data.size(), " bytes instead of ", entry.data_bytes));
    json::minify(data, any_size, "event");
    Segment& segment = counted_[entry.segment];
    segment.bytes += entry.key.size() + entry.data_bytes;
    segment.time_min = std::min(segment.time_min, entry.time);
    segment.time_max = std::max(segment.time_max, entry.time);
    ++segment.end;
  }

  void check_segments() {
    std::optional<std::uint64_t> expected;
    const auto check = [&](const Segment& segment) {
      const std::string part = text("the segment from ", segment.first, " to ", segment.end);
      if (expected && *expected != segment.first) damage(text(part, " should begin at ", *expected));
      expected = segment.end;
      if (segment.end <= at_.earliest) return;  // on its way out
      const Segment& counted = counted_[segment.first];
      const std::uint64_t events = segment.end - std::max(segment.first, at_.earliest);
      if (counted.end != events) damage(text(part, " should have ", events, " events, and has ", counted.end));
      const bool fits = segment.first < at_.earliest
                            ? counted.time_min >= segment.time_min && counted.time_max <= segment.time_max
                            : counted.bytes == segment.bytes && counted.time_min == segment.time_min &&
                                  counted.time_max == segment.time_max;
      if (events > 0 && !fits) damage(text(part, " does not tell the times and bytes of its events"));
      check_data(segment, events, part);
    };
    for (const Segment& segment : *at_.closed) check(segment);
    if (at_.state.open.end > at_.state.open.first) check(at_.state.open);
  }

  /// Each event has its data; so a data entry of no event shows in the count.
  void check_data(const Segment& segment, std::uint64_t events, std::string_view part) {
    std::uint64_t entries = 0;
    for_each(data_prefix(stream_.id, segment.first), [&](std::string_view rest, std::string_view) {
      std::int64_t time = 0;
      std::uint64_t offset = 0;
      if (read_data_suffix(rest, time, offset) && offset >= at_.earliest) ++entries;
    });
    if (entries > events) damage(text(part, " holds the data of ", entries - events, " events that are not there"));
  }

  void check_groups() {
    for (const std::string& name : list_group_names()) {
      const std::string part = text("group \"", name, "\": ");
      std::string bytes;
      GroupRecord record;
      reader_.get(Keyspace::events, group_key(stream_.id, name), bytes, Record::plain);
      if (!decode(bytes, record)) damage(part + "its record cannot be read");
      for_each(committed_prefix(stream_.id, name), [&](std::string_view rest, std::string_view value) {
        std::uint64_t offset = 0;
        if (offset_of(rest) >= record.partitions || !ByteReader(value).fixed(offset) || offset > at_.end())
          damage(text(part, "partition ", offset_of(rest), " is committed up to ", offset, ", the stream ends at ",
                      at_.end(), " and the group has ", record.partitions, " partitions"));
      });
      for_each(members_prefix(stream_.id, name), [&](std::string_view rest, std::string_view value) {
        MemberRecord member;
        if (!decode(value, member)) damage(text(part, "member \"", unescaped(rest), "\" cannot be read"));
      });
      for_each(pending_prefix(stream_.id, name), [&](std::string_view rest, std::string_view value) {
        PendingRecord pending;
        if (!decode(value, pending) || pending.deliveries == 0 || offset_of(rest) >= at_.end())
          damage(text(part, "the claim of event ", offset_of(rest), " cannot be, or cannot be read"));
      });
    }
  }

  std::vector<std::string> list_group_names() {
    std::vector<std::string> names;
    std::string low = groups_prefix(stream_.id);
    const std::string prefix = low;
    const std::string high = key::prefix_end(prefix);
    while (low < high) {
      const auto scan = reader_.scan(Keyspace::events, {low, high}, ScanRecord::none);
      if (!scan->next()) break;
      const std::string name = unescaped(scan->key().substr(prefix.size()));
      if (scan->key() != group_key(stream_.id, name)) damage(text("group \"", name, "\": its record is missing"));
      names.push_back(name);
      low = key::prefix_end(group_prefix(stream_.id, name));
    }
    return names;
  }

  void check_window(const Window& window) {
    const std::string part = text("window \"", window.name, "\": ");
    const std::string prefix = window_prefix(stream_.id, window.id);
    const std::uint64_t filled = window_filled(reader_, stream_.id, window);
    const bool whole = at_.earliest == 0 && !window.retention_us;
    std::string low = prefix;
    // A pass recounts the first rows_a_pass rows from `low` on.
    for (std::string high = key::prefix_end(prefix); !low.empty();) {
      std::string end = high;
      std::map<std::string, Totals> recounted;
      if (whole) recounted = recount(window, filled, low, end);
      const auto scan = reader_.scan(Keyspace::events, {low, end}, ScanRecord::none);
      std::uint64_t rows = 0;
      while (scan->next()) {
        reader_.interrupt().check();
        ++rows;
        Totals stored(window.aggregates);
        if (!stored.decode(window.aggregates, scan->value())) {
          damage(text(part, "a row cannot be read: ", key::describe_key(scan->key())));
        } else if (whole) {
          const auto found = recounted.find(std::string(scan->key()));
          if (found == recounted.end() || !found->second.agrees(window.aggregates, stored))
            damage(text(part, "the row ", row_name(scan->key().substr(prefix.size())), " has ",
                        stored.values(window.aggregates), ", its events come to ",
                        found == recounted.end() ? "nothing" : found->second.values(window.aggregates)));
        }
      }
      if (whole && rows < recounted.size())
        damage(text(part, recounted.size() - rows, " rows that its events come to are missing"));
      low = end == high ? "" : end;
    }
  }

  static std::string row_name(std::string_view rest) {
    std::uint64_t start = 0;
    key::read_u64(rest, start);
    return text("of ", time_of(start), " us, key \"", unescaped(rest), "\"");
  }

  /// Of rows from `low` on; `end` comes down to where it left off.
  std::map<std::string, Totals> recount(const Window& window, std::uint64_t filled, const std::string& low,
                                        std::string& end) {
    std::map<std::string, Totals> rows;
    Wanted wanted;
    wanted.data = window.reads_data();
    const auto cursor = open_cursor(reader_, nullptr, at_, std::move(wanted));
    model::Value data;
    while (const Event* event = cursor->next()) {
      if (*event->offset >= filled && *event->offset < window.fill_to) continue;  // not counted yet
      const std::string key = window_row_key(stream_.id, window, event->time.time_since_epoch().count(), event->key);
      if (key < low || key >= end) continue;
      if (window.reads_data()) data = model::parse(event->data);
      rows.try_emplace(key, window.aggregates)
          .first->second.add(window.aggregates, window.reads_data() ? &data : nullptr);
      if (rows.size() > rows_a_pass) {
        end = rows.rbegin()->first;
        rows.erase(end);
      }
    }
    return rows;
  }

  Reader& reader_;
  const catalog::Definition& stream_;
  const std::function<void(const std::string& what)>& report_;
  Extent at_;
  std::map<std::uint64_t, Segment> counted_;  // by first offset; `end` is the number of events
};

}  // namespace

void check_stream(Reader& reader, const catalog::Definition& stream, bool deep,
                  const std::function<void(const std::string& what)>& report) {
  StreamCheck(reader, stream, report).run(deep);
}

}  // namespace stele::events
