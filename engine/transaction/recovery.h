// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Bringing the tiers back to one moment after whatever happened. In this order:
//   1. The lock is held; SQLite is open and has read its own log.
//   2. SQLite's log is synced, before anything read from it may reach RocksDB: what is only in the page cache
//      could still be lost, and RocksDB must never be ahead.
//   3. RocksDB is open behind the append barrier and has read its own log.
//   4. Identities, markers and floors are compared; what cannot be is refused as `corrupt`, and nothing is
//      changed: guessing would lose acknowledged commits silently.
//      The files of large transactions and the batches that are to be applied are read once before the first is.
//   5. The outbox entries after RocksDB's marker are applied in order, each with its marker (a second crash
//      in the middle is harmless), and synced.
//   6. Leftover files of large transactions go.
#pragma once

#include "engine/storage/key_value.h"
#include "engine/storage/relational.h"
#include "engine/transaction/durable_floor.h"
#include "engine/transaction/large_files.h"
#include "engine/transaction/order.h"
#include "engine/transaction/outbox.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stele::transaction {

/// What the two logs hold, read without changing anything. `stele check` reads it, too.
struct LogState {
  Marker marker;                      // RocksDB's account
  std::uint64_t newest_sql = 0;       // SQLite's: the newest outbox row's commit
  std::uint64_t newest_row_prev = 0;
  std::uint64_t floor = 0;            // of outbox rows and DIR/durable
  std::uint64_t key_value_floor = 0;  // of outbox rows
  std::optional<Origin> origin;       // of this store; unknown when stele.json is damaged
  std::vector<storage::OutboxRow> rows;  // keeps the bytes that `decoded` views
  std::vector<OutboxRow> decoded;        // by gseq
};

LogState read_logs(storage::RelationalStore& relational, storage::Connection& connection, storage::KeyValueStore& key_value,
                   const Floor& floor, const std::optional<Origin>& origin);

/// The first thing in which the two logs contradict each other or the floors; empty when they fit.
std::optional<std::string> contradiction(const LogState& state);

struct Recovered {
  std::uint64_t replayed = 0;
  std::uint64_t gseq = 0;  // of the whole store
};

/// Steps 4 to 6. Fills `order` in, whose origin is set already.
Recovered recover(storage::RelationalStore& relational, storage::KeyValueStore& key_value, const Floor& floor,
                  LargeFiles& large, CommitOrder& order);

/// `corrupt` unless all parts carry the identity that stele.json names.
void check_identity(const storage::Identity& expected, storage::RelationalStore& relational, storage::KeyValueStore& key_value);

std::string encode_identity(const storage::Identity& identity);

}  // namespace stele::transaction
