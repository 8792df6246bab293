// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/events/streams.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/key_codec.h"

namespace stele::events {

using catalog::Kind;
using storage::Keyspace;
using transaction::Reader;
using transaction::ScanRecord;
using transaction::Transaction;

namespace {

Timestamp timestamp(std::int64_t us) { return Timestamp(std::chrono::microseconds(us)); }

/// What follows the gseq.
bool decode_payload(ByteReader reader, Event& event) {
  std::int64_t time_us = 0;
  std::string_view key;
  if (!reader.fixed(time_us) || !reader.sized(key)) return false;
  event.time = timestamp(time_us);
  event.key = key;
  event.data = reader.rest();
  return true;
}

}  // namespace

std::string sequence_key(std::uint64_t stream) {
  std::string out;
  key::append_id(out, stream);
  key::append_id(out, 0);
  return out;
}

std::string events_prefix(std::uint64_t stream) {
  std::string out;
  key::append_id(out, stream);
  key::append_id(out, 1);
  return out;
}

void Streams::append(Transaction& transaction, std::span<const NewEvent> events) const {
  // All are checked before the first is written.
  std::vector<std::string> payloads;
  payloads.reserve(events.size());
  for (const NewEvent& event : events) {
    transaction.interrupt().check();
    if (event.key.size() > key_bytes_max)
      fail(ErrorCode::too_large, text("stream \"", stream_, "\": an event's key has ", event.key.size(), " bytes; the limit is ",
                                      key_bytes_max),
           {{"size", std::to_string(event.key.size())}, {"limit", std::to_string(key_bytes_max)}});
    std::string& payload = payloads.emplace_back();
    append_fixed(payload, event.time ? event.time->time_since_epoch().count() : transaction.time_us());
    append_sized(payload, event.key);
    payload += json::minify(event.data, limits_, "event");
  }
  if (events.empty()) return;
  const std::uint64_t stream = catalog_.find_or_create(transaction, Kind::stream, stream_)->id;
  for (std::string& payload : payloads)
    transaction.writes().append(Keyspace::events, sequence_key(stream), events_prefix(stream), std::move(payload));
}

std::vector<Event> Streams::read(Reader& reader, const Transaction* own, std::uint64_t offset, std::size_t limit) const {
  std::vector<Event> found;
  const auto stream = catalog_.find(reader, Kind::stream, stream_);
  if (!stream) return found;
  const std::string prefix = events_prefix(stream->id);
  std::string from = prefix;
  key::append_u64(from, offset);
  const auto scan = reader.scan(Keyspace::events, {from, key::prefix_end(prefix)}, ScanRecord::returned);
  auto damaged = [&](std::string_view key) {
    fail(ErrorCode::corrupt, text("stream \"", stream_, "\": the event at ", key::describe_key(key), " cannot be read"));
  };
  while (found.size() < limit && scan->next()) {
    reader.interrupt().check();
    std::string_view rest = scan->key().substr(prefix.size());
    std::uint64_t number = 0;
    std::uint64_t gseq = 0;
    ByteReader bytes(scan->value());
    Event event;
    if (!key::read_u64(rest, number) || !bytes.fixed(gseq) || !decode_payload(bytes, event)) damaged(scan->key());
    event.offset = number;
    found.push_back(std::move(event));
  }
  if (!own) return found;
  for (const auto& append : own->pending().appends()) {
    if (found.size() >= limit) break;
    if (append.keyspace != Keyspace::events || append.prefix != prefix) continue;
    Event event;
    if (!decode_payload(ByteReader(append.payload), event)) damaged(prefix);
    found.push_back(std::move(event));
  }
  return found;
}

std::uint64_t Streams::end_offset(Reader& reader) const {
  const auto stream = catalog_.find(reader, Kind::stream, stream_);
  std::string bytes;
  std::uint64_t next = 0;
  if (!stream || !reader.get(Keyspace::events, sequence_key(stream->id), bytes)) return 0;
  if (!ByteReader(bytes).fixed(next))
    fail(ErrorCode::corrupt, text("stream \"", stream_, "\": its next offset cannot be read"));
  return next;
}

}  // namespace stele::events
