// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/events/append.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/events/layout.h"

#include <algorithm>

namespace stele::events {

using storage::Keyspace;

namespace {
constexpr std::size_t bytes_around = 80;  // of an event: its two keys, its times
}

Append::Append(std::uint64_t stream, std::vector<Pending> events) : stream_(stream), events_(std::move(events)) {
  for (const Pending& event : events_) bytes_ += 2 * event.key.size() + event.data.size() + bytes_around;
}

void Append::resolve(transaction::LateWrites& commit) const {
  const std::string at_state = state_key(stream_);
  State state;
  if (const std::string* now = commit.state(Keyspace::events, at_state); now && !decode(*now, state))
    damaged(text("stream ", stream_), "its state");
  std::string offset_key = offsets_prefix(stream_);
  const std::size_t offset_at = offset_key.size();
  std::string data_key = data_prefix(stream_, state.open.first);
  const std::size_t segment_at = data_key.size();
  std::string value;
  for (const Pending& event : events_) {
    if (state.open.end - state.open.first >= segment_events_max || state.open.bytes >= segment_bytes_max) {
      commit.add(Keyspace::events, segment_key(stream_, state.open.first), encode(state.open));
      state.open = {.first = state.next, .end = state.next};
      data_key = data_prefix(stream_, state.open.first);
    }
    offset_key.resize(offset_at);
    key::append_u64(offset_key, state.next);
    value.clear();
    append_fixed(value, commit.gseq());
    append_fixed(value, state.open.first);
    append_fixed(value, event.time);
    append_varint(value, event.data.size());
    value += event.key;
    commit.add(Keyspace::events, offset_key, value);

    data_key.resize(segment_at);
    key::append_name(data_key, event.key);
    append_data_suffix(data_key, event.time, state.next);
    commit.add(Keyspace::events, data_key, event.data);

    state.open.end = ++state.next;
    state.open.bytes += event.key.size() + event.data.size();
    state.open.time_min = std::min(state.open.time_min, event.time);
    state.open.time_max = std::max(state.open.time_max, event.time);
  }
  commit.set_state(Keyspace::events, at_state, encode(state));
}

}  // namespace stele::events
