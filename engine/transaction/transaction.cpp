// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/transaction/transaction.h"

#include "engine/base/checksum.h"
#include "engine/base/error.h"
#include "engine/base/step.h"
#include "engine/transaction/scan.h"
#include "engine/transaction/sql_text.h"
#include "engine/transaction/store.h"
#include "engine/transaction/tier_reader.h"

#include <algorithm>

namespace stele::transaction {

namespace {
std::string sql_savepoint(std::size_t depth) { return text("stele_", depth); }
constexpr std::string_view statement_savepoint = "stele_statement";
}  // namespace

Transaction::Guard::Guard(Transaction& transaction) : transaction_(transaction), here_(transaction.interrupt_) {
  if (transaction_.in_use_.exchange(true, std::memory_order_acquire))
    fail(ErrorCode::invalid, "transaction: used by two threads at once; a transaction belongs to one thread at a time",
         {{"reason", "concurrent_use"}});
  if (transaction_.has_writer_ && !transaction_.alone_) transaction_.store_->writer_lock_.taken_over();
  try {
    transaction_.check_live();
  } catch (...) {
    transaction_.in_use_.store(false, std::memory_order_release);
    throw;
  }
}

Transaction::Transaction(std::shared_ptr<Store> store, const Begin& begin)
    : store_(std::move(store)),
      use_(store_->gatekeeper()),
      kind_(begin.kind),
      isolation_(begin.isolation),
      durability_(begin.durability),
      interrupt_(begin.interrupt),
      alone_(begin.alone),
      time_us_(store_->clock().now_us()),
      registered_(store_->enter()) {
  const Interrupt::Here here(interrupt_);
  try {
    if (kind_ == Kind::snapshot) {
      reader_ = store_->read_pin();
      const auto moment = store_->gate().pin(reader_->connection.get());
      key_value_ = moment.key_value;
      moment_ = moment.gseq;
    } else if (begin.writes_sql) {
      acquire_writer();
    }
  } catch (...) {
    release_everything();
    throw;
  }
}

Transaction::~Transaction() {
  if (store_->forked()) {
    leak_in_forked_child();
  } else {
    rollback();
  }
}

/// The engines' locks may be held by threads that do not exist here: nothing is freed that would ask them.
void Transaction::leak_in_forked_child() noexcept {
  new auto(std::move(key_value_));
  new auto(std::move(reader_));
  new auto(std::move(attached_));
  new auto(std::move(use_));
  new auto(std::move(store_));
}

void Transaction::check_live() {
  store_->check_open();
  if (state_ == State::dead)
    fail(ErrorCode::aborted, text("the transaction is dead: ", death_, "; begin a new one"), {{"cause", death_}});
  if (state_ == State::ended)
    fail(ErrorCode::invalid, "the transaction has ended (committed or rolled back); begin a new one",
         {{"reason", "transaction_ended"}});
  interrupt_.check();
}

void Transaction::pin_key_value() {
  if (key_value_) return;
  const auto moment = store_->gate().pin(nullptr);
  key_value_ = moment.key_value;
  moment_ = moment.gseq;
}

storage::Connection& Transaction::pin_sql() {
  if (has_writer_) return store_->relational().writer();
  if (!reader_) {
    auto pin = store_->read_pin();
    if (!key_value_) {
      const auto moment = store_->gate().pin(pin->connection.get());
      key_value_ = moment.key_value;
      moment_ = moment.gseq;
    } else if (!store_->gate().pin_sql_at(*pin->connection, moment_)) {
      repin_after_validation(pin->connection.get());
    }
    reader_ = std::move(pin);
  }
  std::lock_guard guard(reader_->mutex);
  reader_->check();
  return *reader_->connection;
}

void Transaction::repin_after_validation(storage::Connection* sql) {
  for (TransactionScan* scan : scans_) scan->read_to_end();
  const auto moment = store_->gate().pin(sql);
  try {
    // At both isolation levels, plain reads included: what was read must be what the new moment holds.
    store_->recent().validate({&reads_, &writes_, true, true}, moment_);
    store_->recent().validate({&of_the_moment_, &writes_, true, true}, moment_);
  } catch (const Error&) {
    store_->committer().count_conflict();
    throw;
  }
  key_value_ = moment.key_value;
  moment_ = moment.gseq;
  store_->move(registered_, moment_);
}

void Transaction::acquire_writer() {
  if (has_writer_) return;
  if (kind_ == Kind::snapshot)
    fail(ErrorCode::readonly, "snapshot: this statement writes; use a transaction (Database::write or begin)");
  store_->health().check();
  store_->check_log_bound(interrupt_);
  // All waiting and syncing comes before the lock.
  store_->committer().admit(64u << 10, &interrupt_);
  if (store_->order().tail_bytes.load() > (128u << 10)) store_->sync_group().sync_key_value();
  if (!alone_) store_->writer_lock_.lock(store_->options().lock_timeout, &interrupt_);
  has_writer_ = true;
  storage::Connection& writer = store_->relational().writer();
  try {
    writer.set_interrupt(&interrupt_);
    writer.begin_write(static_cast<int>(store_->options().lock_timeout.count()));
    store_->note_foreign_commit();
    if (key_value_) {
      // SQLite now stands at the newest moment, and stays there while we hold the lock. What was read earlier
      // must still be true; then the key-value tier moves up to this moment, too.
      try {
        repin_after_validation(nullptr);
      } catch (const Error&) {
        conflicted_at_first_sql_write_ = reader_ != nullptr;
        throw;
      }
    }
    for (std::size_t i = 0; i < savepoints_.size(); ++i) writer.savepoint(sql_savepoint(i));
  } catch (const Error& error) {
    release_writer();
    if (error.code() == ErrorCode::io) store_->health().poison(error.message());
    // The moment is gone: nothing that was read so far may be combined with what would be read next.
    if (error.code() == ErrorCode::conflict) die("it conflicted at its first SQL write; run it again");
    throw;
  }
  release_readers();
}

std::uint64_t Transaction::approximate_bytes(Keyspace keyspace, const storage::KeyRange& range) const {
  return store_->key_value().approximate_bytes(keyspace, range);
}

bool Transaction::get(Keyspace keyspace, std::string_view key, std::string& value, Record record) {
  pin_key_value();
  const WriteSet::Found found = writes_.find(keyspace, key, value, as_of_);
  const WriteSet::MergeDelta* merge = writes_.pending_merge(keyspace, key);
  if (found != WriteSet::Found::no && !merge) return found == WriteSet::Found::value;
  bool present = found == WriteSet::Found::value;
  if (found == WriteSet::Found::no) {
    if (validates()) reads_.add_point(keyspace, key, record);
    present = store_->key_value().get(keyspace, key, key_value_.get(), value);
  }
  if (merge) {
    const std::int64_t result = merged(merge->kind, present ? std::string_view(value) : std::string_view(), merge->operand);
    value.assign(reinterpret_cast<const char*>(&result), sizeof result);
    present = true;
  }
  return present;
}

void Transaction::get_many(Keyspace keyspace, std::span<const std::string_view> keys,
                           const storage::KeyValueStore::Visit& visit, Record record) {
  pin_key_value();
  const auto own = [&](std::size_t i) {
    return (writes_.touches(keyspace) && writes_.writes(keyspace, keys[i])) || writes_.pending_merge(keyspace, keys[i]);
  };
  bool more = true;
  std::string value;
  for (std::size_t first = 0; more && first < keys.size();) {
    if (own(first)) {
      more = !get(keyspace, keys[first], value, record) || visit(first, value);
      ++first;
      continue;
    }
    std::size_t end = first;
    for (; end < keys.size() && (end == first || !own(end)); ++end)
      if (validates()) reads_.add_point(keyspace, keys[end], record);
    store_->key_value().get_many(keyspace, keys.subspan(first, end - first), key_value_.get(),
                                 [&](std::size_t i, std::string_view found) { return more = visit(first + i, found); });
    first = end;
  }
}

std::unique_ptr<Scan> Transaction::scan(Keyspace keyspace, storage::KeyRange range, ScanRecord record, Direction direction) {
  pin_key_value();
  return std::make_unique<TransactionScan>(*this, keyspace, std::move(range), record, direction);
}

std::unique_ptr<Reader> Transaction::share(Keyspace keyspace, const storage::KeyRange& range) {
  pin_key_value();
  if (writes_.touches(keyspace)) return nullptr;
  note_range(keyspace, range);
  return std::make_unique<TierReader>(store_->key_value(), key_value_, interrupt_);
}

std::uint64_t Transaction::moment() {
  pin_key_value();
  return moment_;
}

std::uint64_t Transaction::meta_changed() const { return store_->order().meta_changed.load(); }

void Transaction::note_read(Keyspace keyspace, std::string_view key, Record record) {
  if (validates()) reads_.add_point(keyspace, key, record);
}

void Transaction::note_range(Keyspace keyspace, const storage::KeyRange& range) {
  if (validates()) reads_.extend_to_end(reads_.add_range(keyspace, range.begin, Record::plain), range.end);
}

void Transaction::note_moment(Keyspace keyspace, std::string_view key) {
  if (validates()) of_the_moment_.add_point(keyspace, key, Record::plain);
}

WriteSet& Transaction::writes() {
  if (kind_ == Kind::snapshot)
    fail(ErrorCode::readonly, "snapshot: it cannot be written to; use a transaction (Database::write or begin)");
  store_->health().check();
  pin_key_value();
  return writes_;
}

void Transaction::require_sql_alive() {
  if (!has_writer_ || store_->relational().writer().in_transaction()) return;
  if (planted("dead_transaction_continued")) return;
  die("SQLite has rolled it back by itself");
  check_live();
}

std::shared_ptr<SqlCursor> Transaction::sql(std::string_view sql_text, const Parameters& parameters) {
  return sql(sql_text, parameters, MayWrite::yes);
}

std::shared_ptr<SqlCursor> Transaction::select(std::string_view sql_text, const Parameters& parameters) {
  return sql(sql_text, parameters, MayWrite::no);
}

std::shared_ptr<SqlCursor> Transaction::sql(std::string_view sql_text, const Parameters& parameters,
                                            MayWrite may_write) {
  require_sql_alive();
  if (!has_writer_ && may_write == MayWrite::yes && writes_by_first_word(sql_text)) acquire_writer();
  for (;;) {
    storage::Connection& connection = pin_sql();
    std::unique_lock<std::mutex> pinned;
    if (!has_writer_) {
      pinned = std::unique_lock(reader_->mutex);
      reader_->check();
      connection.set_interrupt(&interrupt_);
    }
    auto statement = connection.prepare(sql_text, storage::Author::caller);
    const storage::StatementFacts& facts = statement->facts();
    if (facts.writes && may_write == MayWrite::no)
      fail(ErrorCode::invalid, text("sql: \"", sql_text.substr(0, 100), "\" writes; what is read from here is a SELECT"),
           {{"reason", "NotASelect"}});
    if (facts.writes && !has_writer_) {  // a WITH that writes, say
      statement.reset();
      pinned = {};
      acquire_writer();
      continue;
    }
    if (parameters.by_name) {
      statement->bind(parameters.named);
    } else {
      statement->bind(parameters.positional);
    }
    if (validates() && !has_writer_)
      for (const std::string& table : facts.tables_read) reads_.add_table(checksum(table));
    pinned = {};
    return facts.writes ? run_write(std::move(statement)) : run(std::move(statement));
  }
}

std::shared_ptr<SqlCursor> Transaction::run(std::unique_ptr<storage::Statement> statement) {
  auto cursor = std::make_shared<SqlCursor>(std::move(statement), has_writer_ ? nullptr : reader_);
  cursor->set_interrupt(&interrupt_);
  forget_finished_cursors();
  cursors_.push_back(cursor);
  return cursor;
}

std::shared_ptr<SqlCursor> Transaction::run_write(std::unique_ptr<storage::Statement> statement) {
  // Open SELECTs on this connection would see the change half-way.
  for (const auto& open : cursors_)
    if (const auto cursor = open.lock()) cursor->drain();
  cursors_.clear();

  storage::Connection& writer = store_->relational().writer();
  const storage::StatementFacts facts = statement->facts();
  for (const std::string& table : facts.tables_written) {
    const TableHash hash = checksum(table);
    if (std::ranges::find(tables_written_, hash) == tables_written_.end()) tables_written_.push_back(hash);
  }
  schema_changed_ = schema_changed_ || facts.changes_schema;
  wrote_sql_ = true;
  try {
    if (facts.may_fail_midway) writer.savepoint(statement_savepoint);
    auto cursor = std::make_shared<SqlCursor>(std::move(statement), nullptr);
    cursor->drain();
    cursor->changes = writer.changes();
    cursor->last_insert_rowid = writer.last_insert_rowid();
    if (facts.may_fail_midway) writer.release(statement_savepoint);
    return cursor;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::io) store_->health().poison(error.message());
    if (!writer.in_transaction()) {
      // ON CONFLICT ROLLBACK, RAISE(ROLLBACK), a full disk, an interrupted write …: the next statement would commit alone.
      if (!planted("dead_transaction_continued")) die(error.what());
    } else if (facts.may_fail_midway) {
      writer.rollback_to(statement_savepoint);
      writer.release(statement_savepoint);
    }
    throw;
  }
}

void Transaction::forget_finished_cursors() {
  std::erase_if(cursors_, [](const auto& open) {
    const auto cursor = open.lock();
    return !cursor || !cursor->streaming();
  });
}

template <class Call>
void Transaction::poison_on_io(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::io) store_->health().poison(error.message());
    throw;
  }
}

void Transaction::savepoint(std::string_view name) {
  Guard guard(*this);
  require_sql_alive();
  if (name.empty()) fail(ErrorCode::invalid, "savepoint: the name is empty");
  if (kind_ == Kind::snapshot) fail(ErrorCode::readonly, "snapshot: has no savepoints; use a transaction");
  if (has_writer_) poison_on_io([&] { store_->relational().writer().savepoint(sql_savepoint(savepoints_.size())); });
  savepoints_.push_back({std::string(name), writes_.mark()});
}

void Transaction::rollback_to(std::string_view name) {
  Guard guard(*this);
  require_sql_alive();
  const auto found = std::ranges::find(savepoints_.rbegin(), savepoints_.rend(), name, &Savepoint::name);
  if (found == savepoints_.rend())
    fail(ErrorCode::not_found, text("savepoint \"", name, "\": there is none of that name in this transaction"));
  for (const auto& open : cursors_)
    if (const auto cursor = open.lock()) cursor->drain();
  const auto index = static_cast<std::size_t>(savepoints_.rend() - found) - 1;
  if (has_writer_) poison_on_io([&] { store_->relational().writer().rollback_to(sql_savepoint(index)); });
  savepoints_.resize(index + 1);
  writes_.begin_statement();
  writes_.undo_to(savepoints_[index].mark);
  // tables_written_ stays: a table too many is only a false conflict for somebody else.
}

void Transaction::release(std::string_view name) {
  Guard guard(*this);
  require_sql_alive();
  const auto found = std::ranges::find(savepoints_.rbegin(), savepoints_.rend(), name, &Savepoint::name);
  if (found == savepoints_.rend())
    fail(ErrorCode::not_found, text("savepoint \"", name, "\": there is none of that name in this transaction"));
  const auto index = static_cast<std::size_t>(savepoints_.rend() - found) - 1;
  if (has_writer_) poison_on_io([&] { store_->relational().writer().release(sql_savepoint(index)); });
  savepoints_.resize(index);
}

std::uint64_t Transaction::commit() {
  Guard guard(*this);
  try {
    require_sql_alive();
    if (kind_ == Kind::snapshot) fail(ErrorCode::readonly, "snapshot: there is nothing to commit");
    end_cursors();

    const bool sql = has_writer_ && wrote_sql_;
    if (!sql && writes_.empty()) {
      const std::uint64_t seen = key_value_ ? moment_ : store_->order().published.load();
      release_everything();
      use_.release();
      state_ = State::ended;
      return seen;
    }
    // A writer lock held without a write is kept up to the commit: it is what keeps SQL reads made under it valid.
    if (!sql) store_->committer().admit(writes_.bytes(), &interrupt_);
    Proposal proposal;
    proposal.reads = &reads_;
    proposal.writes = &writes_;
    for (const auto& [owner, attached] : attached_)
      if (attached) proposal.attached.push_back(attached.get());
    proposal.snapshot = moment_;
    proposal.pinned = key_value_ != nullptr;
    proposal.isolation = isolation_;
    proposal.alone = alone_;
    proposal.sql = sql;
    proposal.holds_writer_lock = has_writer_;
    proposal.tables_written = tables_written_;
    proposal.schema_changed = schema_changed_;
    const Committer::Committed committed = store_->committer().commit(proposal);
    // Given up before waiting for the disk: the next transaction runs while this one syncs.
    release_everything();
    state_ = State::ended;
    store_->after_commit(committed);
    store_->committer().acknowledge(committed, durability_);
    use_.release();
    return committed.gseq;
  } catch (...) {
    release_everything();
    use_.release();
    if (state_ == State::active) state_ = State::ended;
    throw;
  }
}

void Transaction::rollback() noexcept {
  if (store_->forked()) return;
  release_everything();
  use_.release();
  if (state_ != State::ended) state_ = State::ended;
}

void Transaction::die(const std::string& cause) noexcept {
  release_everything();
  use_.release();
  death_ = cause;
  state_ = State::dead;
}

void Transaction::end_cursors() noexcept {
  for (const auto& open : cursors_)
    if (const auto cursor = open.lock()) cursor->end();
  cursors_.clear();
  for (TransactionScan* scan : scans_) scan->end();
}

void Transaction::release_everything() noexcept {
  end_cursors();
  release_writer();
  release_readers();
  for (const auto& [owner, attached] : attached_)
    if (attached) attached->release();
  key_value_.reset();
  if (registered_ != 0) store_->leave(registered_);
  registered_ = 0;
}

void Transaction::release_writer() noexcept {
  if (!has_writer_) return;
  has_writer_ = false;
  storage::Connection& writer = store_->relational().writer();
  if (writer.in_transaction()) writer.rollback();
  writer.set_interrupt(nullptr);
  if (!alone_) store_->writer_lock_.unlock();
}

void Transaction::release_readers() noexcept {
  // Cursors still open keep the connection at their moment; the last one gives it back.
  reader_.reset();
}

}  // namespace stele::transaction
