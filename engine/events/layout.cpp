// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/events/layout.h"

#include "engine/base/bytes.h"
#include "engine/base/key_codec.h"

namespace stele::events {

namespace {

enum Part : std::uint64_t { state = 0, offsets = 1, data = 2, segments = 3, earliest = 4, groups = 5 };

std::string prefix(std::uint64_t stream, Part part) {
  std::string out;
  key::append_id(out, stream);
  key::append_id(out, part);
  return out;
}

constexpr std::uint64_t sign = std::uint64_t{1} << 63;

bool read(ByteReader& reader, Segment& segment) {
  return reader.fixed(segment.first) && reader.fixed(segment.end) && reader.fixed(segment.bytes) &&
         reader.fixed(segment.time_min) && reader.fixed(segment.time_max) && segment.first <= segment.end;
}

}  // namespace

std::string state_key(std::uint64_t stream) { return prefix(stream, state); }
std::string earliest_key(std::uint64_t stream) { return prefix(stream, earliest); }
std::string offsets_prefix(std::uint64_t stream) { return prefix(stream, offsets); }
std::string segments_prefix(std::uint64_t stream) { return prefix(stream, segments); }
std::string groups_prefix(std::uint64_t stream) { return prefix(stream, groups); }

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
  std::string out = prefix(stream, data);
  key::append_u64(out, segment);
  return out;
}

std::string data_key_prefix(std::uint64_t stream, std::uint64_t segment, std::string_view key) {
  std::string out = data_prefix(stream, segment);
  key::append_name(out, key);
  return out;
}

void append_data_suffix(std::string& out, std::int64_t time, std::uint64_t offset) {
  key::append_u64(out, static_cast<std::uint64_t>(time) ^ sign);
  key::append_u64(out, offset);
}

bool read_data_suffix(std::string_view data_key, std::int64_t& time, std::uint64_t& offset) {
  if (data_key.size() < 16) return false;
  time = static_cast<std::int64_t>(big_endian(data_key.substr(data_key.size() - 16, 8)) ^ sign);
  offset = big_endian(data_key.substr(data_key.size() - 8));
  return true;
}

std::string encode(const Segment& segment) {
  std::string out;
  append_fixed(out, segment.first);
  append_fixed(out, segment.end);
  append_fixed(out, segment.bytes);
  append_fixed(out, segment.time_min);
  append_fixed(out, segment.time_max);
  return out;
}

std::string encode(const State& state) {
  std::string out;
  append_fixed(out, state.next);
  return out + encode(state.open);
}

std::string encode(const OffsetEntry& entry) {
  std::string out;
  append_fixed(out, entry.gseq);
  append_fixed(out, entry.segment);
  append_fixed(out, entry.time);
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
  if (!reader.fixed(entry.gseq) || !reader.fixed(entry.segment) || !reader.fixed(entry.time) ||
      !reader.varint(entry.data_bytes))
    return false;
  entry.key = reader.rest();
  return true;
}

}  // namespace stele::events
