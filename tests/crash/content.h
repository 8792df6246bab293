// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What the crash workload keeps in a store, so that a verifier can say afterwards whether anything is missing, torn
// or out of order. Threads count from 0; numbers from 1, with 0 for "none".
//
// SQL
//   item(k, version)                      overwritten by cross commits; documents hold the same version of the same k
//   cross_log(id, k, doc_thread, doc_n)   one row a cross commit, with the document commit it saw
//   sql_log(thread, n, doc_thread, doc_n) one row a SQL-only commit, with the document commit it saw
//   sql_latest(thread, n)                 the newest SQL-only commit of a thread
//   guard(id), dead_log(id)               for transactions that SQLite ends by itself: dead_log stays empty
// Keyspace documents
//   item/K     u64 version · filler of that version
//   count/T    the newest document commit of thread T: Count · filler
//   dead/…     never there
// Keyspace events: one event a cross commit, holding its id.
#pragma once

#include "engine/transaction/store.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace stele::crash {

inline constexpr std::uint64_t item_count = 40;
inline constexpr std::uint64_t threads_max = 8;
inline constexpr std::string_view event_prefix = "event/";
inline constexpr std::string_view event_sequence = "next_event";

/// A document commit: its thread's number n, and what it saw of the SQL tier.
struct Count {
  std::uint64_t n = 0;
  std::uint64_t sql_thread = 0;
  std::uint64_t sql_n = 0;     // SQL-only commit seen
  std::uint64_t cross_id = 0;  // cross commit seen
};

std::string item_key(std::uint64_t k);
std::string count_key(std::uint64_t thread);
std::string dead_key(std::uint64_t id);

/// `bytes` bytes that only this version has.
std::string filler(std::uint64_t version, std::size_t bytes);
std::string encode_item(std::uint64_t version, std::size_t bytes);
/// Empty when the bytes are not those that encode_item made.
std::optional<std::uint64_t> decode_item(std::string_view bytes);
std::string encode(const Count& count, std::size_t bytes);
std::optional<Count> decode_count(std::string_view bytes);

using TransactionPtr = std::shared_ptr<transaction::Transaction>;

/// The verbs the workload uses, as the facade calls them: each one is a statement of its transaction.
std::shared_ptr<transaction::SqlCursor> sql(transaction::Transaction& tx, std::string_view text,
                                            const std::vector<Value>& values = {});
std::optional<std::int64_t> number(transaction::Transaction& tx, std::string_view text,
                                   const std::vector<Value>& values = {});
std::optional<std::string> get(transaction::Transaction& tx, std::string_view key);
void put(transaction::Transaction& tx, std::string_view key, std::string_view value);
void append_event(transaction::Transaction& tx, std::uint64_t id);
Count read_count(transaction::Transaction& tx, std::uint64_t thread);

/// Opens the store with buffers so small that flushes, log switches, checkpoints, log restarts and large-transaction
/// files all happen within a second; creates the tables when they are not there.
std::shared_ptr<transaction::Store> open_store(const std::string& directory);
void create_tables(transaction::Store& store);

/// A finding: printed by main, which then exits with 3.
struct Violation {
  std::string what;
};
[[noreturn]] void violated(const std::string& what);

}  // namespace stele::crash
