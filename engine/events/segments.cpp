// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/events/segments.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/key_codec.h"

namespace stele::events {

using storage::Keyspace;
using transaction::Reader;
using transaction::Record;
using transaction::ScanRecord;

Extent Segments::extent(Reader& reader, std::uint64_t stream) {
  static const Known none = std::make_shared<const std::vector<Segment>>();
  Extent extent;
  extent.stream = stream;
  std::string bytes;
  if (reader.get(Keyspace::events, state_key(stream), bytes, Record::none) && !decode(bytes, extent.state))
    damaged(text("stream ", stream), "its state");
  if (reader.get(Keyspace::events, earliest_key(stream), bytes, Record::none) &&
      !ByteReader(bytes).fixed(extent.earliest))
    damaged(text("stream ", stream), "its earliest offset");
  extent.closed = none;
  if (extent.state.open.first == 0) return extent;
  {
    std::lock_guard guard(mutex_);
    if (const auto known = known_.find(stream); known != known_.end()) extent.closed = known->second;
  }
  const std::uint64_t loaded = extent.closed->empty() ? 0 : extent.closed->back().end;
  if (loaded >= extent.state.open.first) return extent;
  auto longer = std::make_shared<std::vector<Segment>>(*extent.closed);
  const auto scan = reader.scan(
      Keyspace::events, {segment_key(stream, loaded), key::prefix_end(segments_prefix(stream))}, ScanRecord::none);
  while (scan->next())
    if (!decode(scan->value(), longer->emplace_back())) damaged(text("stream ", stream), "a segment");
  extent.closed = std::move(longer);
  std::lock_guard guard(mutex_);
  Known& known = known_[stream];
  if (!known || known->size() < extent.closed->size()) known = extent.closed;
  return extent;
}

}  // namespace stele::events
