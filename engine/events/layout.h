// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// How streams lie in keyspace events. Events are gathered in segments, runs of offsets: inside a segment their data is
// in the order of keys and times, so what one key did in a while is one short scan, and a segment goes as a whole.
//
//   (id stream, id 0)                    ->  the state: u64 next offset · the open segment
//   (id stream, id 1, u64 offset)        ->  u64 gseq · u64 segment · i64 time in µs · varint bytes of data · key
//   (id stream, id 2, u64 segment, name key, u64 time + 2^63, u64 offset)
//                                        ->  the data, JSON text
//   (id stream, id 3, u64 segment)       ->  a closed segment
//   (id stream, id 4)                    ->  u64 earliest offset; absent: 0
//   (id stream, id 5, …)                 ->  consumer groups: group_records.h
//   (id stream, id 6, …), (…, id 7, …)   ->  windows: windows.h
//
// A segment is named by its first offset; as a value: u64 first · u64 end · u64 bytes of keys and data · i64 least time
// · i64 greatest time; the open one ends at the next offset. Numbers in values are little-endian. Segments are closed
// when they have 65,536 events or 16 MB. The state is written by late writes alone (append.h). Entries below the
// earliest offset may be there still and are not looked at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stele::events {

inline constexpr std::size_t event_key_bytes_max = 4000;  // escaped, it must fit into a key
inline constexpr std::uint64_t segment_events_max = 65'536;
inline constexpr std::uint64_t segment_bytes_max = 16u << 20;

struct Segment {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  std::uint64_t bytes = 0;
  std::int64_t time_min = INT64_MAX;
  std::int64_t time_max = INT64_MIN;

  bool overlaps(std::int64_t from_time, std::int64_t to_time) const {
    return time_min < to_time && time_max >= from_time;
  }
};

struct State {
  std::uint64_t next = 0;
  Segment open;
};

/// What stands under an offset. Views the bytes it was read from.
struct OffsetEntry {
  std::uint64_t gseq = 0;
  std::uint64_t segment = 0;
  std::int64_t time = 0;
  std::uint64_t data_bytes = 0;
  std::string_view key;
};

/// The parts of a stream's keys, as above.
enum class StreamPart : std::uint64_t {
  state,
  offsets,
  data,
  segments,
  earliest,
  groups,
  window_rows,
  window_progress
};

std::string stream_prefix(std::uint64_t stream, StreamPart part);
/// A time, in the order of times.
void append_time(std::string& out, std::int64_t time);
std::int64_t time_of(std::uint64_t element);

std::string state_key(std::uint64_t stream);
std::string earliest_key(std::uint64_t stream);
std::string offsets_prefix(std::uint64_t stream);
std::string offset_key(std::uint64_t stream, std::uint64_t offset);
std::string segments_prefix(std::uint64_t stream);
std::string segment_key(std::uint64_t stream, std::uint64_t first);
std::string groups_prefix(std::uint64_t stream);
std::string data_prefix(std::uint64_t stream, std::uint64_t segment);
/// data_prefix · key: what one key's entries begin with.
std::string data_key_prefix(std::uint64_t stream, std::uint64_t segment, std::string_view key);
void append_data_suffix(std::string& out, std::int64_t time, std::uint64_t offset);
/// The last two elements of a data key.
bool read_data_suffix(std::string_view data_key, std::int64_t& time, std::uint64_t& offset);

std::string encode(const State& state);
std::string encode(const Segment& segment);
std::string encode(const OffsetEntry& entry);
bool decode(std::string_view bytes, State& state);
bool decode(std::string_view bytes, Segment& segment);
bool decode(std::string_view bytes, OffsetEntry& entry);

/// `corrupt`: what is stored for `whose` ("stream 7") cannot be read.
[[noreturn]] void damaged(std::string_view whose, std::string_view what);

}  // namespace stele::events
