// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Event streams on the key-value tier; layout.h says how they lie there.
#pragma once

#include "engine/base/json.h"
#include "engine/catalog/catalog.h"
#include "engine/events/cursor.h"
#include "engine/transaction/transaction.h"

#include <stele/events.h>
#include <stele/windows.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace stele::events {

/// A query checked and compiled.
Wanted wanted(const EventQuery& query, std::string_view stream, const json::Limits& limits);

/// A stream's verbs. Light; for one call. One thread.
class Streams {
 public:
  Streams(catalog::Catalog& catalog, Segments& segments, std::string_view stream, const json::Limits& limits)
      : catalog_(catalog), segments_(segments), stream_(stream), limits_(limits) {}

  std::string_view name() const { return stream_; }
  Streams other(std::string_view stream) const { return Streams(catalog_, segments_, stream, limits_); }

  void append(transaction::Transaction& transaction, std::span<const NewEvent> events) const;

  /// Committed events, then those that the transaction (null: none) has appended. The reader must outlive the cursor.
  /// `out_of_range` when `wanted.from` is below the earliest retained offset; `from` given: it was asked for.
  std::unique_ptr<Cursor> find(transaction::Reader& reader, const transaction::Transaction* own, Wanted wanted,
                               bool from_given) const;
  std::vector<Event> read(transaction::Reader& reader, const transaction::Transaction* own,
                          std::optional<std::uint64_t> offset, std::size_t limit) const;
  std::uint64_t end_offset(transaction::Reader& reader) const;
  /// Empty extent: there is no such stream.
  Extent extent(transaction::Reader& reader) const;
  StreamStats stats(transaction::Reader& reader) const;

  StreamOptions options(transaction::Reader& reader) const;
  void create(transaction::Transaction& transaction, const StreamOptions& options) const;
  void modify(transaction::Transaction& transaction, const StreamOptions& options) const;
  bool drop(transaction::Transaction& transaction) const;
  void truncate(transaction::Transaction& transaction, std::uint64_t offset) const;

  void create_window(transaction::Transaction& transaction, std::string_view name, const WindowOptions& options) const;
  bool drop_window(transaction::Transaction& transaction, std::string_view name) const;
  std::vector<WindowRow> window(transaction::Reader& reader, std::string_view name, const WindowQuery& query) const;
  std::vector<WindowInfo> windows(transaction::Reader& reader) const;
  /// Goes on filling each window from so many events that were there before it, and applies its retention. True: all
  /// are filled.
  bool keep_windows(transaction::Transaction& transaction, std::size_t events) const;

  /// The offset below which its retention lets events go now; at most the earliest one when there are none to go.
  std::uint64_t retention_cut(transaction::Reader& reader) const;

 private:
  catalog::Catalog::DefinitionPtr find_definition(transaction::Reader& reader) const;
  catalog::Catalog::DefinitionPtr require(transaction::Reader& reader) const;
  void refuse_when_appended(transaction::Transaction& transaction, std::uint64_t stream, std::string_view cure) const;

  catalog::Catalog& catalog_;
  Segments& segments_;
  std::string_view stream_;
  const json::Limits& limits_;
};

}  // namespace stele::events
