// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// One SQLite connection, hardened, with its cache of prepared statements.
//
// Facts about a statement are true for the schema of the transaction it is prepared in: each begin
// reads the schema's number (the read that pins the moment), and a changed number empties the cache
// and makes SQLite load the schema anew before anything is prepared from it.
#pragma once

#include "backends/sqlite/authorizer.h"
#include "backends/sqlite/statement.h"
#include "backends/sqlite/statement_cache.h"
#include "engine/storage/relational.h"

#include <sqlite3.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace stele::sqlite {

struct CloseDatabase {
  void operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }
};

struct ConnectionOptions {
  std::string path;  // absolute, no symbolic link in it
  bool create = false;
  bool read_only = false;
  bool immutable = false;  // nobody writes, and there is no log: then no shared memory is needed
  std::size_t cache_bytes = 512u << 10;
};

class SqliteConnection final : public storage::Connection {
 public:
  explicit SqliteConnection(const ConnectionOptions& options);
  ~SqliteConnection() override;

  std::unique_ptr<storage::Statement> prepare(std::string_view sql, storage::Author author) override;
  void set_interrupt(const Interrupt* interrupt) override;
  void begin_read() override;
  void begin_write(int timeout_ms) override;
  void commit() override;
  void rollback() noexcept override;
  bool in_transaction() const override { return sqlite3_get_autocommit(db_.get()) == 0; }
  void savepoint(std::string_view name) override;
  void rollback_to(std::string_view name) override;
  void release(std::string_view name) override;
  std::int64_t changes() const override { return changes_; }
  std::int64_t last_insert_rowid() const override { return sqlite3_last_insert_rowid(db_.get()); }
  std::uint64_t data_version() override;

  sqlite3* handle() const { return db_.get(); }
  /// Runs the engine's own SQL to its end. For a connection's set-up and maintenance.
  void execute(const std::string& sql);
  /// The single value of the engine's own SQL, as text; empty when there is no row.
  std::string query_text(const std::string& sql);
  /// How long this connection, from now, waits for locks of other connections.
  void wait_for_others(int timeout_ms) {
    busy_deadline_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  }
  /// The database can be written, its log or shared memory not: SQLite opens those for reading only, without a word.
  [[noreturn]] void fail_log_read_only() const;
  /// Gives the file its log. Only for a file that is ours or new.
  void enter_wal_mode();

  // For SqliteStatement.
  void link(SqliteStatement& statement) noexcept;
  void unlink(SqliteStatement& statement) noexcept;
  void give_back(Prepared* form) noexcept { cache_.give_back(form); }
  std::size_t value_bytes_max(storage::Author author) const;
  void before_run(const Prepared& form);
  int run(const Prepared& form);  // one step
  void after_run(const Prepared& form);
  Error take_error(int result, std::string_view operation, const Prepared& form);

  /// While it lives, statements run with the engine's rights and limits (or a caller's).
  class Acting {
   public:
    Acting(SqliteConnection& connection, storage::Author author) : connection_(connection) {
      before_ = connection_.authorizer_.author;
      if (before_ != author) connection_.act_as(author);
    }
    ~Acting() {
      if (connection_.authorizer_.author != before_) connection_.act_as(before_);
    }
    Acting(const Acting&) = delete;
    Acting& operator=(const Acting&) = delete;

   private:
    SqliteConnection& connection_;
    storage::Author before_;
  };

 private:
  class Uninterrupted;
  void open(const ConnectionOptions& options);
  void harden(const ConnectionOptions& options);
  void act_as(storage::Author author);
  StatementHandle prepare_own(const char* sql);
  std::unique_ptr<Prepared> prepare_new(std::string_view sql, storage::Author author);
  int run_own(sqlite3_stmt* statement);
  void step_own(sqlite3_stmt* statement, std::string_view operation);
  std::int64_t read_own(sqlite3_stmt* statement, std::string_view operation);
  void read_schema_number();
  void forget_schema() noexcept;
  bool schema_can_fail_midway();
  void end_statements() noexcept;
  void refuse_nested(std::string_view operation) const;
  void run_savepoint(std::string_view verb, std::string_view name);
  static int on_progress(void* self);
  static int on_busy(void* self, int attempts);

  std::unique_ptr<sqlite3, CloseDatabase> db_;
  Authorizer authorizer_;
  StatementCache cache_{64};
  StatementHandle begin_, begin_immediate_, commit_, rollback_, schema_number_, data_version_, touch_schema_;
  const Interrupt* interrupt_ = nullptr;
  std::chrono::steady_clock::time_point busy_deadline_{};
  SqliteStatement* live_ = nullptr;
  std::optional<std::int64_t> known_schema_;
  bool schema_changed_ = false;  // by this connection, in the open transaction
  std::optional<bool> fails_midway_;
  std::int64_t changes_ = 0;
};

}  // namespace stele::sqlite
