// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The contract of a relational backend: SQL, one write connection, many pinned read connections,
// and the log that carries every transaction that writes SQL. tests/contract/ checks it.
//
// Who calls what: a Connection and its Statements belong to one thread at a time. The write
// connection is used only by the holder of the SQL writer lock. sync_log may be called by any
// thread, beside a writer. checkpoint: the checkpointer only.
//
// COMMIT makes a transaction visible at once and does not sync; sync_log does. All failures are
// stele::Error with the engine's code in detail "sqlite" (or the backend's name) and, for io, file
// and operation.
#pragma once

#include "engine/base/interrupt.h"

#include <stele/error.h>
#include <stele/value.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stele::storage {

enum class ColumnType : std::uint8_t { null, integer, real, text, blob };

/// What a statement touches, found when it was prepared. Table names are lower case. Views and
/// triggers are resolved to the tables behind them.
struct StatementFacts {
  std::vector<std::string> tables_read;
  std::vector<std::string> tables_written;
  bool writes = false;         // changes data or schema
  bool changes_schema = false;
  bool may_fail_midway = false;  // OR FAIL, RAISE(FAIL) or triggers: needs a savepoint around it
};

/// A prepared statement with its parameters, being run. Dropping it ends the run and gives the
/// prepared form back to its connection's cache. Must be dropped before its connection.
class Statement {
 public:
  virtual ~Statement() = default;

  virtual const StatementFacts& facts() const = 0;

  /// Positional: exactly as many values as parameters. Named: exactly the statement's names, with
  /// or without prefix. Otherwise `invalid`, naming the parameter.
  virtual void bind(std::span<const Value> values) = 0;
  virtual void bind(std::span<const NamedValue> values) = 0;

  /// True: on a row. False: done.
  virtual bool step() = 0;

  virtual int column_count() const = 0;
  /// Outlives the statement.
  virtual std::shared_ptr<const std::vector<std::string>> column_names() const = 0;
  // Of the current row. Views live until the next step.
  virtual ColumnType column_type(int column) const = 0;
  virtual std::int64_t integer(int column) const = 0;
  virtual double real(int column) const = 0;
  virtual std::string_view text(int column) const = 0;
  virtual std::span<const std::byte> blob(int column) const = 0;
};

/// Who wrote the SQL text. A caller's statement passes the authorizer (no transaction control,
/// ATTACH, VACUUM, TEMP objects, writing pragmas, `_stele_*` tables) and the limits; each refusal is
/// `invalid` or `unsupported` and names the cure. The engine's own statements pass freely.
enum class Author : std::uint8_t { caller, engine };

class Connection {
 public:
  virtual ~Connection() = default;

  /// One statement; text after it (other than blanks and comments), an empty text or NUL is
  /// `invalid`. Syntax errors carry detail "offset" (bytes).
  virtual std::unique_ptr<Statement> prepare(std::string_view sql, Author author) = 0;

  /// Polled while statements run and while waiting for the file lock; null: none. Must outlive its use.
  virtual void set_interrupt(const Interrupt* interrupt) = 0;

  /// Begins a read transaction and pins its moment at once.
  virtual void begin_read() = 0;
  /// Begins the write transaction. Another process holding the file: `busy` after `timeout_ms`.
  virtual void begin_write(int timeout_ms) = 0;
  /// Visible at once, not synced. After an error, in_transaction() tells whether it is still open.
  virtual void commit() = 0;
  virtual void rollback() noexcept = 0;  // also ends a read transaction; no-op outside one

  /// False when none was begun, and when the engine has ended it by itself (ROLLBACK conflict
  /// clauses, a full disk, an interrupted write …): the caller must check before and after each statement.
  virtual bool in_transaction() const = 0;

  virtual void savepoint(std::string_view name) = 0;
  virtual void rollback_to(std::string_view name) = 0;
  virtual void release(std::string_view name) = 0;

  virtual std::int64_t changes() const = 0;            // rows, by the last finished statement
  virtual std::int64_t last_insert_rowid() const = 0;

  /// Changes when a commit by somebody else (not this connection) became visible to it.
  virtual std::uint64_t data_version() = 0;
};

/// A row of the outbox; `engine/transaction/outbox.h` says what is in it.
struct OutboxRow {
  std::int64_t slot = 0;
  std::uint64_t gseq = 0;
  std::string bytes;
};

/// Which store this is. Every tier holds the same two.
struct Identity {
  std::string store_id;  // UUID text
  std::uint64_t epoch = 0;
  friend bool operator==(const Identity&, const Identity&) = default;
};

struct CheckpointResult {
  std::uint64_t log_frames = 0;          // in the log
  std::uint64_t checkpointed_frames = 0;  // of them in the main file
};

class RelationalStore {
 public:
  virtual ~RelationalStore() = default;

  /// The one write connection.
  virtual Connection& writer() = 0;
  /// A read connection from the pool, given back when dropped. More than `readers_max` in use: `busy`.
  virtual std::shared_ptr<Connection> reader() = 0;
  /// A connection that waits for nobody else's slot (checks, compaction).
  virtual std::unique_ptr<Connection> extra_connection() = 0;

  /// Empty when the tables for it are missing. Set once, at creation or by repair.
  virtual std::optional<Identity> identity(Connection& connection) = 0;
  virtual void create(const Identity& identity) = 0;  // our tables, pre-filled outbox, synced
  virtual std::vector<OutboxRow> outbox(Connection& connection) = 0;
  /// Inside the write transaction: replaces the row of that slot.
  virtual void put_outbox(std::int64_t slot, std::uint64_t gseq, std::string_view bytes) = 0;

  /// Durable when it returns: everything whose commit() returned before the call. After a failure the log
  /// must not be synced again (the caller poisons the store).
  virtual void sync_log() = 0;
  /// Of the log, what a checkpoint would have to move, about; 0 after a full one, whatever the file's size.
  virtual std::uint64_t log_bytes() const = 0;

  /// Moves the log's content to the main file as far as readers allow; never waits for them. After
  /// a full one the next writer starts the log anew.
  virtual CheckpointResult checkpoint() = 0;
  /// With the writer lock held and no reader: empties the log. For close and compaction.
  virtual void truncate_log() = 0;
  virtual void compact() = 0;  // VACUUM, with the writer lock held

  /// Structure of the whole file, one line a finding; empty when it is sound. O(size).
  virtual std::vector<std::string> verify(const Interrupt& interrupt = Interrupt()) = 0;

  virtual std::uint64_t memory_bytes() const = 0;
};

struct RelationalOptions {
  std::string path;          // of the main file
  bool create = false;
  bool read_only = false;    // nothing on disk changes
  std::uint32_t readers_max = 64;
  std::size_t memory_bytes = 38u << 20;  // page caches
};

}  // namespace stele::storage
