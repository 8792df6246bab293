// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/crash/content.h"

#include "backends/rocksdb/open.h"
#include "backends/sqlite/open.h"
#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/storage/registry.h"
#include "tests/support/numbered_append.h"

namespace stele::crash {

using storage::Keyspace;

std::string item_key(std::uint64_t k) { return text("item/", k); }
std::string count_key(std::uint64_t thread) { return text("count/", thread); }
std::string dead_key(std::uint64_t id) { return text("dead/", id); }

std::string filler(std::uint64_t version, std::size_t bytes) {
  std::string out;
  std::mt19937_64 random(version);
  while (out.size() < bytes) append_fixed(out, random());
  out.resize(bytes);
  return out;
}

std::string encode_item(std::uint64_t version, std::size_t bytes) {
  std::string out;
  append_fixed(out, version);
  return out + filler(version, bytes);
}

std::optional<std::uint64_t> decode_item(std::string_view bytes) {
  std::uint64_t version = 0;
  ByteReader reader(bytes);
  if (!reader.fixed(version) || reader.rest() != filler(version, reader.rest().size())) return std::nullopt;
  return version;
}

std::string encode(const Count& count, std::size_t bytes) {
  std::string out;
  for (const std::uint64_t field : {count.n, count.sql_thread, count.sql_n, count.cross_id}) append_fixed(out, field);
  return out + filler(count.n, bytes);
}

std::optional<Count> decode_count(std::string_view bytes) {
  Count count;
  ByteReader reader(bytes);
  if (!reader.fixed(count.n) || !reader.fixed(count.sql_thread) || !reader.fixed(count.sql_n) ||
      !reader.fixed(count.cross_id) || reader.rest() != filler(count.n, reader.rest().size()))
    return std::nullopt;
  return count;
}

std::shared_ptr<transaction::SqlCursor> sql(transaction::Transaction& tx, std::string_view statement,
                                            const std::vector<Value>& values) {
  return tx.statement([&] { return tx.sql(statement, {.positional = values, .named = {}}); });
}

std::optional<std::int64_t> number(transaction::Transaction& tx, std::string_view statement,
                                   const std::vector<Value>& values) {
  const auto rows = sql(tx, statement, values);
  if (!rows->next() || rows->type(0) == storage::ColumnType::null) return std::nullopt;
  return rows->integer(0);
}

std::optional<std::string> get(transaction::Transaction& tx, std::string_view key) {
  std::string value;
  if (!tx.statement([&] { return tx.get(Keyspace::documents, key, value); })) return std::nullopt;
  return value;
}

void put(transaction::Transaction& tx, std::string_view key, std::string_view value) {
  tx.statement([&] { tx.writes().put(Keyspace::documents, key, value); });
}

void append_event(transaction::Transaction& tx, std::uint64_t id) {
  std::string payload;
  append_fixed(payload, id);
  tx.statement(
      [&] { tx.writes().late(testing::numbered_append(Keyspace::events, event_sequence, event_prefix, payload)); });
}

Count read_count(transaction::Transaction& tx, std::uint64_t thread) {
  const auto bytes = get(tx, count_key(thread));
  if (!bytes) return {};
  const auto count = decode_count(*bytes);
  if (!count) violated(text("document count/", thread, " is not what any commit wrote"));
  return *count;
}

std::shared_ptr<transaction::Store> open_store(const std::string& directory) {
  storage::registry().add_relational("sqlite", sqlite::open_sqlite);
  storage::registry().add_key_value("rocksdb", rocks::open_rocksdb,
                                    {.durable_log = true, .append_barrier = true, .snapshots = true});
  Options options;
  options.memory_bytes = 32u << 20;
  transaction::Tuning tuning;
  tuning.write_buffer_bytes = 96u << 10;
  tuning.log_buffer_bytes = 64u << 10;
  tuning.checkpoint_bytes = 256u << 10;
  tuning.restart_bytes = 1u << 20;
  tuning.large_bytes = 16u << 10;
  auto store = transaction::Store::open(directory, options, tuning);
  create_tables(*store);
  return store;
}

void create_tables(transaction::Store& store) {
  const auto tx =
      store.begin({.isolation = Isolation::serializable, .durability = {}, .deadline = {}, .writes_sql = true});
  if (number(*tx, "SELECT 1 FROM sqlite_schema WHERE name = 'dead_log'")) return;
  sql(*tx, "CREATE TABLE item(k INTEGER PRIMARY KEY, version INTEGER) STRICT");
  sql(*tx, "CREATE TABLE cross_log(id INTEGER PRIMARY KEY, k INTEGER, doc_thread INTEGER, doc_n INTEGER) STRICT");
  sql(*tx,
      "CREATE TABLE sql_log(thread INTEGER, n INTEGER, doc_thread INTEGER, doc_n INTEGER, PRIMARY KEY(thread, n)) "
      "STRICT");
  sql(*tx, "CREATE TABLE sql_latest(thread INTEGER PRIMARY KEY, n INTEGER) STRICT");
  sql(*tx, "CREATE TABLE guard(id INTEGER PRIMARY KEY ON CONFLICT ROLLBACK) STRICT");
  sql(*tx, "INSERT INTO guard VALUES(1)");
  sql(*tx, "CREATE TABLE dead_log(id INTEGER PRIMARY KEY) STRICT");
  tx->commit();
}

void violated(const std::string& what) { throw Violation{what}; }

}  // namespace stele::crash
