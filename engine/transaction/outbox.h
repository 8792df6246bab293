// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The outbox: how SQLite's log carries what the other tiers commit. Every transaction that writes SQL
// writes one row of the table _stele_outbox; SQLite's COMMIT of that row is the commit point of all tiers.
// The row's entries are the batches of earlier key-value commits that were not durable yet (the tail), and
// last the transaction's own.
//
// A row's bytes:
//   u8  version = 1
//   u64 gseq of the commit
//   u64 prev: gseq of the last key-value batch before the first entry (or, without entries, of the last one)
//   u64 durable: every commit up to here was on disk when the row was written
//   u64 key_value_durable: this key-value batch and all before it were in RocksDB's synced log
//   16 bytes store id (the UUID) · u64 epoch: SQLite itself would take the log of another store for its own
//   u32 number of entries, each:
//       u64 gseq · u64 previous_sql · u8 kind
//       kind 0, inline: sized batch
//       kind 1, file:   sized file name (in DIR/large) · u64 size · u64 checksum of the file · sized batch (applied after)
//   u64 XXH3-64 of all bytes before
#pragma once

#include "engine/base/uuid.h"
#include "engine/storage/batch.h"
#include "engine/storage/keyspace.h"
#include "engine/storage/relational.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::transaction {

using storage::Keyspace;

/// A batch kept in a file of its own (a large transaction).
struct LargeFile {
  std::string name;
  std::uint64_t size = 0;
  std::uint64_t checksum = 0;
};

struct OutboxEntry {
  std::uint64_t gseq = 0;
  std::uint64_t previous_sql = 0;
  std::optional<LargeFile> file;
  std::string_view batch;  // encoded; applied after the file's
};

/// Which store wrote a row: its identity, in 24 bytes.
struct Origin {
  UuidBytes store_id{};
  std::uint64_t epoch = 0;
  friend bool operator==(const Origin&, const Origin&) = default;
};
Origin origin_of(const storage::Identity& identity);

struct OutboxRow {
  std::uint64_t gseq = 0;
  std::uint64_t prev = 0;
  std::uint64_t durable = 0;
  std::uint64_t key_value_durable = 0;
  std::vector<OutboxEntry> entries;  // views into the decoded bytes
  Origin origin{};
};

std::string encode(const OutboxRow& row);
/// Throws `corrupt`.
OutboxRow decode_outbox_row(std::string_view bytes, std::int64_t slot);

/// The key-value tier's own account, written with every batch: which commit it holds last, and the last SQL
/// commit before that one (itself, for a commit over both). Two u64 under a reserved key of keyspace meta.
struct Marker {
  std::uint64_t gseq = 0;
  std::uint64_t previous_sql = 0;
};
extern const std::string_view marker_key;
extern const std::string_view identity_key;
std::string encode(const Marker& marker);
Marker decode_marker(std::string_view bytes);

}  // namespace stele::transaction
