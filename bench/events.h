// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Event i: one of 1,000 keys, 10 ms after the one before it, {"val":0..9999,"payload":200 letters of 4,096 kinds}; made
// from i alone. Appended durably, 1,000 at a time; then the events of one key in 600 s are read, about 60. RocksDB
// holds them by (key, time) with an index by time, SQLite in a table with indexes on (key, time) and on time.
#pragma once

#include "bench/workload.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace stele::bench {

class EventStore {
 public:
  virtual ~EventStore() = default;
  /// Events [first, first + 1000), on disk when it returns.
  virtual void append(std::uint32_t first) = 0;
  /// How many bytes of data the key's events in [from, to) ms have.
  virtual std::uint64_t range(std::uint32_t key, std::int64_t from, std::int64_t to) = 0;
  /// One event, on disk when it returns. Any thread.
  virtual void append_one(std::uint32_t) {}
  /// Reads count, sum and greatest value of each key and minute; the sum of the sums.
  virtual std::int64_t window() { return 0; }
};

std::unique_ptr<EventStore> make_stele_events(const std::string& directory);
/// With a window by key and minute: count, sum, max.
std::unique_ptr<EventStore> make_stele_window_events(const std::string& directory);
std::unique_ptr<EventStore> make_rocksdb_events(const std::string& directory);
std::unique_ptr<EventStore> make_sqlite_events(const std::string& directory);
std::unique_ptr<EventStore> make_sqlite_kept_up_events(const std::string& directory);

class EventRuns {
 public:
  using Make = std::function<std::unique_ptr<EventStore>(const std::string& directory)>;

  EventRuns(std::string directory, std::uint32_t count, double seconds)
      : directory_(std::move(directory)), count_(count), seconds_(seconds) {}

  /// Anew, all events; events a second.
  Figures append(const std::string& subject, const Make& make);
  /// Ranges a second, over what was appended. Throws when the subject finds others than the one before it.
  Figures range(const std::string& subject, const Make& make);
  /// Reads of all rows of the window a second. Throws when the subject's sum differs.
  Figures window(const std::string& subject, const Make& make);
  static constexpr int threads_single = 16;
  /// Single durable appends a second, by threads_single threads.
  Figures append_one(const Make& make);
  /// From the call of append to the moment that another thread has the event (or, without a tail, its end).
  Figures tail(bool tailed);

  /// Closes the stores: Google Benchmark keeps this to the end of the process, which is too late for RocksDB.
  void close() { stores_.clear(); }

 private:
  EventStore& of(const std::string& subject, const Make& make);

  const std::string directory_;
  const std::uint32_t count_;
  const double seconds_;
  std::map<std::string, std::unique_ptr<EventStore>> stores_;
  std::uint64_t bytes_ = 0;  // of the first thousand ranges
  std::int64_t sum_ = 0;     // of the first window
};

}  // namespace stele::bench
