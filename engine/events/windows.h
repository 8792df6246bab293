// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Declared aggregates over a stream, kept up by late writes in the commit of each append.
//
//   (id stream, id 6, id window, u64 start + 2^63, name key)
//                                  ->  totals (aggregates.h); start in µs, the key empty when not by key
//   (id stream, id 7, id window)   ->  u64 events counted of those below fill_to
#pragma once

#include "engine/events/aggregates.h"
#include "engine/events/append.h"
#include "engine/events/segments.h"
#include "engine/transaction/transaction.h"

#include <stele/windows.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stele::events {

struct Window {
  std::uint64_t id = 0;
  std::string name;
  std::int64_t width_us = 0;
  bool by_key = false;
  std::string aggregates_json;
  std::vector<Aggregate> aggregates;
  std::optional<std::int64_t> retention_us;
  std::uint64_t fill_to = 0;  // events below it were there before, and are counted by fill()

  bool reads_data() const;
  std::int64_t start_of(std::int64_t time) const;
};

std::string window_prefix(std::uint64_t stream, std::uint64_t window);
/// Of the row that counts an event.
std::string window_row_key(std::uint64_t stream, const Window& window, std::int64_t time, std::string_view key);
std::string window_progress_key(std::uint64_t stream, std::uint64_t window);

/// Adds events to a window's totals when it is resolved.
class WindowDeltas final : public transaction::LateWrite {
 public:
  WindowDeltas(std::uint64_t stream, Window window, std::span<const Append::Pending> events);

  void resolve(transaction::LateWrites& commit) const override;
  std::size_t bytes() const override { return totals_.size() * 100; }

 private:
  std::uint64_t stream_;
  Window window_;
  std::map<std::string, Totals> totals_;  // by key of the store
};

/// Rows in the order of (start, key); of committed events.
std::vector<WindowRow> read_window(transaction::Reader& reader, std::uint64_t stream, const Window& window,
                                   const WindowQuery& query);

/// How many events below fill_to are counted.
std::uint64_t window_filled(transaction::Reader& reader, std::uint64_t stream, const Window& window);
/// Counts some more of them; true: none are left.
bool fill_window(transaction::Transaction& own, const Extent& at, const Window& window, std::size_t events);
/// Erases the stretches that its retention lets go.
void trim_window(transaction::Transaction& own, std::uint64_t stream, const Window& window);

}  // namespace stele::events
