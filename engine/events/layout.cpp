// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/events/layout.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/key_codec.h"

namespace stele::events {

namespace {

constexpr std::uint64_t sign = std::uint64_t{1} << 63;

bool read(ByteReader& reader, Segment& segment) {
  return reader.fixed(segment.first, segment.end, segment.bytes, segment.time_min, segment.time_max) &&
         segment.first <= segment.end;
}

}  // namespace

void damaged(std::string_view whose, std::string_view what) {
  fail(ErrorCode::corrupt,
       text(whose, ": ", what, " cannot be read; run `stele check` and restore the store from a backup"));
}

std::string stream_prefix(std::uint64_t stream, StreamPart part) {
  std::string out;
  key::append_id(out, stream);
  key::append_id(out, static_cast<std::uint64_t>(part));
  return out;
}

void append_time(std::string& out, std::int64_t time) { key::append_u64(out, static_cast<std::uint64_t>(time) ^ sign); }

std::int64_t time_of(std::uint64_t element) { return static_cast<std::int64_t>(element ^ sign); }

std::string state_key(std::uint64_t stream) { return stream_prefix(stream, StreamPart::state); }
std::string earliest_key(std::uint64_t stream) { return stream_prefix(stream, StreamPart::earliest); }
std::string offsets_prefix(std::uint64_t stream) { return stream_prefix(stream, StreamPart::offsets); }
std::string segments_prefix(std::uint64_t stream) { return stream_prefix(stream, StreamPart::segments); }
std::string groups_prefix(std::uint64_t stream) { return stream_prefix(stream, StreamPart::groups); }

std::string offset_key(std::uint64_t stream, std::uint64_t offset) {
  std::string out = offsets_prefix(stream);
  key::append_u64(out, offset);
  return out;
}

std::string segment_key(std::uint64_t stream, std::uint64_t first) {
  std::string out = segments_prefix(stream);
  key::append_u64(out, first);
  return out;
}

std::string data_prefix(std::uint64_t stream, std::uint64_t segment) {
  std::string out = stream_prefix(stream, StreamPart::data);
  key::append_u64(out, segment);
  return out;
}

std::string data_key_prefix(std::uint64_t stream, std::uint64_t segment, std::string_view key) {
  std::string out = data_prefix(stream, segment);
  key::append_name(out, key);
  return out;
}

void append_data_suffix(std::string& out, std::int64_t time, std::uint64_t offset) {
  append_time(out, time);
  key::append_u64(out, offset);
}

bool read_data_suffix(std::string_view data_key, std::int64_t& time, std::uint64_t& offset) {
  if (data_key.size() < 16) return false;
  time = time_of(big_endian(data_key.substr(data_key.size() - 16, 8)));
  offset = big_endian(data_key.substr(data_key.size() - 8));
  return true;
}

std::string encode(const Segment& segment) {
  return fixed_bytes(segment.first, segment.end, segment.bytes, segment.time_min, segment.time_max);
}

std::string encode(const State& state) { return fixed_bytes(state.next) + encode(state.open); }

std::string encode(const OffsetEntry& entry) {
  std::string out = fixed_bytes(entry.gseq, entry.segment, entry.time);
  append_varint(out, entry.data_bytes);
  out += entry.key;
  return out;
}

bool decode(std::string_view bytes, Segment& segment) {
  ByteReader reader(bytes);
  return read(reader, segment) && reader.empty();
}

bool decode(std::string_view bytes, State& state) {
  ByteReader reader(bytes);
  return reader.fixed(state.next) && read(reader, state.open) && reader.empty() && state.open.end == state.next;
}

bool decode(std::string_view bytes, OffsetEntry& entry) {
  ByteReader reader(bytes);
  if (!reader.fixed(entry.gseq, entry.segment, entry.time) || !reader.varint(entry.data_bytes)) return false;
  entry.key = reader.rest();
  return true;
}

}  // namespace stele::events
