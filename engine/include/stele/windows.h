// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A window is a declared aggregate over a stream: for each stretch of time, and each key or all together, what the
// events in it come to. It is kept up in the commit of each append, late events included, so asking costs the rows it
// returns and not the events. Declaring one over existing events fills it from them. A stream has up to 32.
//
//   db.stream("results").create_window("hourly", {.width = 1h, .by_key = true,
//       .aggregates = R"({"shown": "count", "accepted": {"sum": "accepted"}, "users": {"distinct": "user"}})"});
//   for (const auto& row : db.stream("results").window("hourly", {.width = 24h})) …
#pragma once

#include <stele/events.h>

#include <chrono>
#include <optional>
#include <string>

namespace stele {

struct WindowOptions {
  std::chrono::milliseconds width{0};  // 1 ms to 100 years; stretches begin at multiples of it since 1970
  bool by_key = false;
  /// By the names of the results, 1 to 32: "count", or {"sum" | "min" | "max" | "avg" | "distinct" | "quantiles": path
  /// in the data}. Events that have no number there (distinct: nothing) do not count, but for "count". sum, min and max
  /// of integers are exact; a sum is a double when one of its terms is, or beyond 64 bits, as $sum has it. distinct
  /// tells values apart as filters do (2 is 2.0); it is exact up to 128 of them, then an estimate (HyperLogLog, 2048
  /// registers) with a standard error of 2.3 %: one in three is off by more, one in twenty by more than 4.6 %.
  /// quantiles are p50, p90, p95, p99, within 1 % of the value (DDSketch).
  std::string aggregates = {};
  std::optional<std::chrono::milliseconds> retention =
      {};  // 1 ms to 100 years: stretches that ended so long ago may go
};

struct WindowQuery {
  std::optional<std::string> key = {};
  std::optional<Timestamp> from = {};                   // stretches that begin at it or later
  std::optional<Timestamp> to = {};                     // and before this, which is not before `from`
  std::optional<std::chrono::milliseconds> width = {};  // merged: a multiple of the declared one
};

struct WindowRow {
  Timestamp start;
  std::string key;     // empty when the window is not by key
  /// {"shown":12,"accepted":3,…}; of no values the sum and the distinct ones are 0, all else is null.
  std::string values;
};

struct WindowInfo {
  std::string name;
  WindowOptions options;
  std::uint64_t fill_to = 0;  // events below it were there before it was declared
  std::uint64_t filled = 0;   // and are counted up to here; equal: it is complete
};

}  // namespace stele
