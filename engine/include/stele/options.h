// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

namespace stele {

/// When a commit is acknowledged.
enum class Durability : std::uint8_t {
  sync,     // after the log's fdatasync: survives power loss
  relaxed,  // before it: the last 100 ms may be lost by power loss or by the process dying;
            // what survives is still whole transactions, in order
};

/// What a transaction's reads are checked against when it commits.
enum class Isolation : std::uint8_t {
  serializable,  // as if transactions ran one after the other
  snapshot,      // plain reads are not checked: write skew is possible, lost updates are not
};

struct Options {
  bool create_if_missing = true;
  Durability durability = Durability::sync;  // default of every write

  std::size_t memory_bytes = 256u << 20;           // caches and write buffers of all tiers together
  std::size_t transaction_bytes_max = 64u << 20;   // a larger one is refused: too_large
  std::size_t document_bytes_max = 16u << 20;
  std::uint32_t document_depth_max = 128;          // at most 1000
  std::size_t aggregate_memory_bytes = 100u << 20;  // of one pipeline's stages that gather rows; beyond it they use files
  std::uint64_t wal_bytes_max = 1u << 30;          // beyond it the oldest snapshot is expired
  std::uint32_t readers_max = 64;                  // SQL snapshots open at once; others wait lock_timeout
  std::chrono::milliseconds lock_timeout{5000};    // for the SQL writer lock or a SQL snapshot; then `busy`

  // Backends by registry name (a program that builds Stele from source may add others: engine/storage/registry.h).
  std::string relational = "sqlite";
  std::string key_value = "rocksdb";
  std::string vector_index = "hnsw";  // or "flat", which compares with every vector; may differ at each opening
};

// Deadline and cancel end whatever the transaction does or waits for with the error `interrupted` (detail "reason":
// deadline or cancel), and every later call in it. A deadline counts from the begin; request_stop() on the token's
// std::stop_source is for any thread. Both are noticed within 100 ms; what is finished first is a commit or a sync that has
// begun, and one call of one SQL function, which over texts of megabytes may take long (GLOB, instr, replace, trim).
//
//   std::stop_source stop;                       // stop.request_stop() in another thread
//   db.read({.cancel = stop.get_token()}, [](const stele::Snapshot& at) { … });

struct ReadOptions {
  std::optional<std::chrono::milliseconds> deadline = {};
  bool durable = false;  // return only after all that was seen is on disk
  std::stop_token cancel = {};
};

struct WriteOptions {
  Isolation isolation = Isolation::serializable;
  std::optional<Durability> durability = {};          // default: the database's
  std::optional<std::chrono::milliseconds> deadline = {};
  bool writes_sql = false;  // take the SQL writer lock at begin: no conflict on SQL reads later
  std::stop_token cancel = {};
};

}  // namespace stele
