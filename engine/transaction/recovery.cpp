// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/transaction/recovery.h"

#include "engine/base/error.h"
#include "engine/base/step.h"

#include <algorithm>

namespace stele::transaction {

std::string encode_identity(const storage::Identity& identity) {
  return text(identity.store_id, " ", identity.epoch);
}

void check_identity(const storage::Identity& expected, storage::RelationalStore& relational, storage::KeyValueStore& key_value) {
  const auto found = relational.identity(relational.writer());
  if (!found)
    fail(ErrorCode::corrupt, "relational.db: carries no store id, so it is not the file of a Stele database, or its log (relational.db-wal) is damaged; "
         "restore the whole directory from a backup",
         {{"file", "relational.db"}});
  auto compare = [&](std::string_view file, const std::string& id) {
    if (id == encode_identity(expected)) return;
    fail(ErrorCode::corrupt,
         text(file, ": belongs to store ", id, ", stele.json to store ", encode_identity(expected),
              " (id and epoch); a part of another database was put here: restore all parts of one backup"),
         {{"file", std::string(file)}});
  };
  compare("relational.db", encode_identity(*found));
  std::string id;
  if (!key_value.get(Keyspace::meta, identity_key, nullptr, id)) id = "(none)";
  compare("kv", id);
}

LogState read_logs(storage::RelationalStore& relational, storage::Connection& connection, storage::KeyValueStore& key_value,
                   const Floor& floor, const std::optional<Origin>& origin) {
  LogState state;
  state.origin = origin;
  std::string bytes;
  if (key_value.get(Keyspace::meta, marker_key, nullptr, bytes)) state.marker = decode_marker(bytes);
  state.floor = floor.gseq;
  state.rows = relational.outbox(connection);
  for (const storage::OutboxRow& row : state.rows) {
    if (row.bytes.empty()) continue;  // pre-filled, never used
    state.decoded.push_back(decode_outbox_row(row.bytes, row.slot));
    const OutboxRow& decoded = state.decoded.back();
    state.floor = std::max(state.floor, decoded.durable);
    state.key_value_floor = std::max(state.key_value_floor, decoded.key_value_durable);
  }
  std::ranges::sort(state.decoded, {}, &OutboxRow::gseq);
  if (!state.decoded.empty()) {
    state.newest_sql = state.decoded.back().gseq;
    state.newest_row_prev = state.decoded.back().prev;
  }
  return state;
}

std::optional<std::string> contradiction(const LogState& state) {
  for (const OutboxRow& row : state.decoded) {
    if (state.origin && row.origin != *state.origin)
      return text("the outbox row of commit ", row.gseq, " in relational.db (or its log, relational.db-wal) belongs to "
                  "another database: store ", uuid_text(row.origin.store_id), " ", row.origin.epoch, ", not ",
                  uuid_text(state.origin->store_id), " ", state.origin->epoch, " (id and epoch)");
  }
  const std::uint64_t marker = state.marker.gseq;
  if (state.marker.previous_sql > state.newest_sql)
    return text("the key-value tier (kv) is ahead: it builds on SQL commit ", state.marker.previous_sql,
                ", but relational.db ends at commit ", state.newest_sql,
                "; an older relational.db was put back, or the disk lost synced data");
  if (marker < state.key_value_floor)
    return text("the key-value tier (kv) ends at commit ", marker, ", but its log was durable up to commit ",
                state.key_value_floor, "; kv was damaged or an older copy was put back");
  if (std::max(marker, state.newest_sql) < state.floor)
    return text("the store ends at commit ", std::max(marker, state.newest_sql), ", but commit ", state.floor,
                " was acknowledged as durable; a log (of kv, or relational.db-wal) was damaged or older files were put back");
  // From the newest row back: each row's prev is the last key-value commit before its entries. It is in the key-value
  // tier already, or it is the last entry of an older row that must be here.
  std::uint64_t prev = state.newest_row_prev;
  while (prev > marker) {
    const auto row = std::ranges::find_if(state.decoded, [&](const OutboxRow& candidate) {
      return !candidate.entries.empty() && candidate.entries.back().gseq == prev;
    });
    if (row == state.decoded.end())
      return text("commit ", prev, " is missing: it is neither in the key-value tier (kv, which ends at commit ", marker,
                  ") nor in the outbox of relational.db");
    if (row->prev >= prev) return text("the outbox row of commit ", row->gseq, " refers to itself");
    prev = row->prev;
  }
  return std::nullopt;
}

namespace {

/// In order, each once: a row may carry again what an older one carried.
std::vector<const OutboxEntry*> entries_after(const Marker& marker, const std::vector<OutboxRow>& rows) {
  std::vector<const OutboxEntry*> entries;
  std::uint64_t last = marker.gseq;
  for (const OutboxRow& row : rows) {
    for (const OutboxEntry& entry : row.entries) {
      if (entry.gseq <= last) continue;
      entries.push_back(&entry);
      last = entry.gseq;
    }
  }
  return entries;
}

storage::Batch batch_of(const OutboxEntry& entry, const LargeFiles& large) {
  storage::Batch batch;
  if (entry.file) batch = storage::Batch::decode(large.read(*entry.file), "large/" + entry.file->name);
  const std::string source = text("outbox entry ", entry.gseq);
  storage::Batch::decode(entry.batch, source).for_each([&](const storage::Batch::Operation& operation) {
    batch.add(operation);
  });
  batch.put(Keyspace::meta, marker_key, encode(Marker{entry.gseq, entry.previous_sql}));
  return batch;
}

}  // namespace

Recovered recover(storage::RelationalStore& relational, storage::KeyValueStore& key_value, const Floor& floor,
                  LargeFiles& large, CommitOrder& order) {
  LogState state = read_logs(relational, relational.writer(), key_value, floor, order.origin);
  if (const auto problem = contradiction(state))
    fail(ErrorCode::corrupt, text("recovery: ", *problem, "; no data was changed: run `stele check`, restore the whole directory from a backup"));

  Recovered result;
  std::uint64_t last_key_value = state.marker.gseq;
  const std::vector<const OutboxEntry*> pending = entries_after(state.marker, state.decoded);
  for (const OutboxEntry* entry : pending) batch_of(*entry, large);  // throws while nothing is changed
  for (const OutboxEntry* entry : pending) {
    key_value.apply(batch_of(*entry, large));
    last_key_value = entry->gseq;
    ++result.replayed;
    step("recovery.replayed");
  }
  key_value.flush_log();
  key_value.sync_log();
  step("recovery.synced");
  large.remove_all();

  result.gseq = std::max(last_key_value, state.newest_sql);
  order.gseq = result.gseq;
  order.last_key_value = last_key_value;
  order.last_sql = state.newest_sql;
  order.published.store(result.gseq);
  order.published_sql.store(state.newest_sql);
  order.meta_changed.store(result.gseq);
  order.sql_logged.store(state.newest_sql);
  // Every row's entries are durable in the key-value log now, so any slot of the ring may be written next.
  return result;
}

}  // namespace stele::transaction
