// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A transaction over all tiers, or a snapshot (which cannot write). It joins a tier at first touch:
//   key-value      pinned at the first read or write of it
//   SQL, reading   a pinned read connection, at the same moment as the key-value tier
//   SQL, writing   the writer lock and SQLite's write transaction; what was read before is validated and all
//                  tiers are pinned anew at that moment, so nothing is ever read at two moments
#pragma once

#include "engine/base/interrupt.h"
#include "engine/transaction/attached.h"
#include "engine/transaction/committer.h"
#include "engine/transaction/reader.h"
#include "engine/transaction/sql_cursor.h"
#include "engine/transaction/write_set.h"

#include <stele/options.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::transaction {

class Store;
class TransactionScan;

/// Parameters of a statement: by position or by name.
struct Parameters {
  std::span<const Value> positional;
  std::span<const NamedValue> named;
  bool by_name = false;
};

class Transaction final : public Reader {
 public:
  enum class Kind : std::uint8_t { snapshot, read_write };
  struct Begin {
    Kind kind = Kind::read_write;
    Isolation isolation = Isolation::serializable;
    Durability durability = Durability::sync;
    Interrupt interrupt;
    bool writes_sql = false;      // take the writer lock now
    bool alone = false;           // holds Committer::Alone and the writer lock already
  };

  Transaction(std::shared_ptr<Store> store, const Begin& begin);
  ~Transaction() override;

  // Reader
  bool get(Keyspace keyspace, std::string_view key, std::string& value, Record record = Record::plain) override;
  void get_many(Keyspace keyspace, std::span<const std::string_view> keys, const storage::KeyValueStore::Visit& visit,
                Record record = Record::plain) override;
  std::unique_ptr<Scan> scan(Keyspace keyspace, storage::KeyRange range, ScanRecord record = ScanRecord::range,
                             Direction direction = Direction::forward) override;
  std::unique_ptr<Reader> share(Keyspace keyspace, const storage::KeyRange& range) override;
  std::uint64_t moment() override;
  std::uint64_t meta_changed() const override;
  bool records() const override { return validates(); }
  void note_read(Keyspace keyspace, std::string_view key, Record record) override;
  void note_moment(Keyspace keyspace, std::string_view key) override;
  void note_range(Keyspace keyspace, const storage::KeyRange& range) override;
  bool wrote_meta() const override { return !writes_.entries(Keyspace::meta).empty(); }
  const Interrupt& interrupt() const override { return interrupt_; }
  std::uint64_t approximate_bytes(Keyspace keyspace, const storage::KeyRange& range) const override;

  /// The write set, for the tiers' write verbs. `readonly` in a snapshot.
  WriteSet& writes();
  const WriteSet& pending() const { return writes_; }

  /// What a tier keeps here under `owner`; null at first.
  std::shared_ptr<Attached>& attached(const void* owner) { return attached_[owner]; }
  /// Nobody else commits meanwhile: Committer::Alone.
  bool alone() const { return alone_; }

  /// Runs one SQL statement. One that writes is complete when this returns.
  std::shared_ptr<SqlCursor> sql(std::string_view text, const Parameters& parameters);
  /// The same of a statement that only reads; `invalid` for others.
  std::shared_ptr<SqlCursor> select(std::string_view text, const Parameters& parameters);

  std::int64_t time_us() const override { return time_us_; }  // fixed when the transaction began
  Kind kind() const { return kind_; }
  Isolation isolation() const { return isolation_; }
  Store& store() const { return *store_; }

  /// Runs `body` as one statement: if it throws, its writes are undone. Every verb of the facade goes through this.
  template <class Body>
  auto statement(Body&& body) {
    Guard guard(*this);
    return part(body);
  }

  /// Inside a statement: a part of it that sees what the parts before it wrote. If it throws, its writes are undone.
  template <class Body>
  auto part(Body&& body) {
    const std::size_t mark = writes_.mark();
    writes_.begin_statement();
    try {
      return body();
    } catch (...) {
      writes_.undo_to(mark);
      throw;
    }
  }

  /// Runs `body`, which only reads on (a cursor's next), with the checks of every call.
  template <class Body>
  auto guarded(Body&& body) {
    Guard guard(*this);
    return body();
  }

  /// The same, and sees of the own writes only those before the statement in which the cursor was opened.
  template <class Body>
  auto guarded_as_of(WriteSet::Statement statement, Body&& body) {
    Guard guard(*this);
    struct AsOf {
      AsOf(Transaction& transaction, WriteSet::Statement statement) : as_of(transaction.as_of_) { as_of = statement; }
      ~AsOf() { as_of.reset(); }
      std::optional<WriteSet::Statement>& as_of;
    } const as_of(*this, statement);
    return body();
  }
  WriteSet::Statement current_statement() const { return writes_.statement(); }

  void savepoint(std::string_view name);
  void rollback_to(std::string_view name);
  void release(std::string_view name);

  /// Returns the commit's number (the snapshot's when nothing was written). The transaction has ended, whatever happens.
  std::uint64_t commit();
  void rollback() noexcept;
  bool active() const { return state_ == State::active; }

  bool wrote_sql() const { return wrote_sql_; }
  /// The transaction read SQL and then failed to take the writer lock at the same moment.
  bool conflicted_at_first_sql_write() const { return conflicted_at_first_sql_write_; }
  /// For the calls that follow.
  void set_interrupt(const Interrupt& interrupt) { interrupt_ = interrupt; }

 private:
  friend class TransactionScan;
  enum class State : std::uint8_t { active, dead, ended };
  struct Savepoint {
    std::string name;
    std::size_t mark;
  };

  /// One call at a time, on a live transaction of an open store.
  class Guard {
   public:
    explicit Guard(Transaction& transaction);
    ~Guard() { transaction_.in_use_.store(false, std::memory_order_release); }
    Guard(const Guard&) = delete;

   private:
    Transaction& transaction_;
    const Interrupt::Here here_;
  };

  void check_live();
  void pin_key_value();
  storage::Connection& pin_sql();
  void repin_after_validation(storage::Connection* sql);
  void acquire_writer();
  void require_sql_alive();
  template <class Call>
  void poison_on_io(Call&& call);
  void die(const std::string& cause) noexcept;
  void release_everything() noexcept;
  void end_cursors() noexcept;
  void leak_in_forked_child() noexcept;
  void release_writer() noexcept;
  void release_readers() noexcept;
  bool validates() const { return kind_ == Kind::read_write; }

  enum class MayWrite : bool { no, yes };
  std::shared_ptr<SqlCursor> sql(std::string_view text, const Parameters& parameters, MayWrite may_write);
  std::shared_ptr<SqlCursor> run(std::unique_ptr<storage::Statement> statement);
  std::shared_ptr<SqlCursor> run_write(std::unique_ptr<storage::Statement> statement);
  void forget_finished_cursors();

  std::shared_ptr<Store> store_;
  Use use_;  // until the transaction has ended and is acknowledged
  Kind kind_;
  Isolation isolation_;
  Durability durability_;
  Interrupt interrupt_;
  bool alone_;
  std::int64_t time_us_;
  State state_ = State::active;
  std::string death_;
  std::atomic<bool> in_use_{false};

  // The moment. Set as soon as the first tier is pinned.
  std::shared_ptr<storage::KeyValueSnapshot> key_value_;
  std::uint64_t moment_ = 0;
  std::uint64_t registered_ = 0;  // in the store's list of open transactions
  std::shared_ptr<ReadPin> reader_;
  bool has_writer_ = false;
  bool wrote_sql_ = false;
  bool conflicted_at_first_sql_write_ = false;

  ReadSet reads_;
  ReadSet of_the_moment_;  // "no more events yet": may change later, but not between two tiers' reads
  WriteSet writes_;
  std::optional<WriteSet::Statement> as_of_;  // while a cursor reads on: what it sees of the own writes
  std::vector<TableHash> tables_written_;
  bool schema_changed_ = false;
  std::map<const void*, std::shared_ptr<Attached>> attached_;
  std::vector<Savepoint> savepoints_;
  std::vector<std::weak_ptr<SqlCursor>> cursors_;
  std::vector<TransactionScan*> scans_;  // alive; each takes itself out
};

}  // namespace stele::transaction
