// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Event streams on the key-value tier.
//
//   keyspace events: (id stream, id 0)              ->  u64 next offset, little-endian (the sequence)
//                    (id stream, id 1, u64 offset)  ->  u64 gseq · i64 time in µs · sized key · JSON text
// Offsets are given at commit (late append), so concurrent appends do not conflict.
#pragma once

#include "engine/base/json.h"
#include "engine/catalog/catalog.h"
#include "engine/transaction/transaction.h"

#include <stele/events.h>

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace stele::events {

/// A stream's verbs. Light; for one call. One thread.
class Streams {
 public:
  Streams(catalog::Catalog& catalog, std::string_view stream, const json::Limits& limits)
      : catalog_(catalog), stream_(stream), limits_(limits) {}

  void append(transaction::Transaction& transaction, std::span<const NewEvent> events) const;
  /// Committed events from `offset` on, then, when there is room, those this transaction has appended.
  std::vector<Event> read(transaction::Reader& reader, const transaction::Transaction* own, std::uint64_t offset,
                          std::size_t limit) const;
  std::uint64_t end_offset(transaction::Reader& reader) const;

 private:
  catalog::Catalog& catalog_;
  std::string_view stream_;
  const json::Limits& limits_;
};

std::string sequence_key(std::uint64_t stream);
std::string events_prefix(std::uint64_t stream);

}  // namespace stele::events
