// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The relational store over one SQLite file in WAL mode. Pages have 4096 bytes, 8 of them reserved.
//
// Tables of our own:
//   _stele_meta(key TEXT PRIMARY KEY, value)     store_id (UUID text), epoch, format (1)
//   _stele_outbox(slot INTEGER PRIMARY KEY,      a ring; gseq 0: the slot has not been used yet
//                 gseq INTEGER, bytes BLOB)
// The ring is filled at creation, so that a commit on a nearly full disk need not grow the file.
#pragma once

#include "backends/sqlite/connection.h"
#include "backends/sqlite/log_file.h"
#include "backends/sqlite/reader_pool.h"
#include "engine/storage/relational.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace stele::sqlite {

class SqliteStore final : public storage::RelationalStore {
 public:
  explicit SqliteStore(const storage::RelationalOptions& options);

  storage::Connection& writer() override { return *writer_; }
  std::shared_ptr<storage::Connection> reader() override { return readers_->lease(); }
  std::unique_ptr<storage::Connection> extra_connection() override;

  std::optional<storage::Identity> identity(storage::Connection& connection) override;
  void create(const storage::Identity& identity) override;
  std::vector<storage::OutboxRow> outbox(storage::Connection& connection) override;
  void put_outbox(std::int64_t slot, std::uint64_t gseq, std::string_view bytes) override;

  void sync_log() override;
  std::uint64_t log_bytes() const override { return log_bytes_.load(std::memory_order_relaxed); }
  storage::CheckpointResult checkpoint() override;
  void truncate_log() override;
  void compact() override;
  std::vector<std::string> verify(const Interrupt& interrupt) override;
  std::uint64_t memory_bytes() const override;

 private:
  ConnectionOptions connection_options(std::size_t cache_bytes) const;
  void open_writer();
  void open_log();
  void require_writable(std::string_view operation) const;
  storage::CheckpointResult run_checkpoint(SqliteConnection& connection, int mode);
  void write_own_tables(const storage::Identity& identity);
  bool write_outbox(sqlite3_stmt* statement, std::int64_t slot, std::uint64_t gseq, std::string_view bytes);
  static int on_commit(void* self, sqlite3* db, const char* database, int log_pages);

  std::string path_;
  const storage::RelationalOptions options_;
  const bool immutable_;
  std::shared_ptr<ReaderPool> readers_;
  std::unique_ptr<SqliteConnection> writer_;
  std::unique_ptr<SqliteConnection> checkpointer_;  // the checkpointer's thread only
  StatementHandle update_outbox_, insert_outbox_;   // of the writer; so they go before it
  std::optional<LogFile> log_;
  std::atomic<std::uint64_t> log_bytes_{0};
};

}  // namespace stele::sqlite
