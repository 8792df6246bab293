// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/transaction/sql_cursor.h"

#include "engine/base/error.h"
#include "engine/transaction/store.h"

namespace stele::transaction {

ReadPin::~ReadPin() {
  if (store) store->pin_ended(*this);
}

void ReadPin::check() const {
  if (!expired) return;
  fail(ErrorCode::too_old,
       "too old: this snapshot was expired because SQLite's log had reached Options::wal_bytes_max; take a new one, and "
       "keep snapshots short");
}

void ReadPin::expire() noexcept {
  expired = true;
  std::unique_lock guard(mutex, std::try_to_lock);
  if (guard && cursors == 0 && connection) give_up();
}

void ReadPin::give_up() noexcept {
  connection->rollback();
  given_up = true;
}

void ReadPin::cursor_closed() noexcept {
  if (--cursors == 0 && expired) give_up();
}

SqlCursor::SqlCursor(std::unique_ptr<storage::Statement> statement, std::shared_ptr<ReadPin> pin, const Interrupt& own)
    : statement_(std::move(statement)), pin_(std::move(pin)), columns_(statement_->column_names()), own_interrupt_(own) {
  if (own_interrupt_.possible()) interrupt_ = &own_interrupt_;
  first_is_row_ = step(Step::first);
}

SqlCursor::~SqlCursor() { finish(); }

/// A failed step ends the cursor for good: what is left of the rows must not look like all of them.
bool SqlCursor::step(Step which) {
  try {
    if (!pin_) return statement_->step();
    std::lock_guard guard(pin_->mutex);
    if (which == Step::first) ++pin_->cursors;
    pin_->check();
    if (interrupt_) pin_->connection->set_interrupt(interrupt_);
    return statement_->step();
  } catch (...) {
    rows_.clear();
    from_buffer_ = false;
    end();
    throw;
  }
}

bool SqlCursor::next() {
  if (from_buffer_) {
    if (next_row_ == rows_.size()) {
      at_ = At::end;
      return false;
    }
    current_ = std::move(rows_[next_row_++]);
    at_ = At::row;
    return true;
  }
  if (ended_)
    fail(ErrorCode::closed, "rows: they ended with their transaction, or with an error; read them before that");
  if (at_ == At::end) return false;
  const bool row = at_ == At::before_first ? first_is_row_ : step(Step::later);
  at_ = row ? At::row : At::end;
  if (!row) finish();
  return row;
}

void SqlCursor::drain() {
  if (!statement_) return;
  const int count = statement_->column_count();
  auto value = [&](int i) -> Value {
    switch (statement_->column_type(i)) {
      case storage::ColumnType::null: return nullptr;
      case storage::ColumnType::integer: return statement_->integer(i);
      case storage::ColumnType::real: return statement_->real(i);
      case storage::ColumnType::text: return statement_->text(i);
      case storage::ColumnType::blob: return statement_->blob(i);
    }
    return nullptr;
  };
  auto take = [&] {
    std::vector<Value> row;
    row.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) row.push_back(value(i));
    return row;
  };
  const bool on_row = at_ == At::row;
  if (on_row) current_ = take();
  bool more = at_ == At::before_first ? first_is_row_ : (at_ == At::row && step(Step::later));
  while (more) {
    rows_.push_back(take());
    more = step(Step::later);
  }
  from_buffer_ = true;
  finish();
}

void SqlCursor::end() noexcept {
  if (!from_buffer_) ended_ = true;
  finish();
}

void SqlCursor::finish() noexcept {
  if (pin_) {
    std::lock_guard guard(pin_->mutex);
    statement_.reset();
    if (interrupt_ == &own_interrupt_) pin_->connection->set_interrupt(nullptr);
    pin_->cursor_closed();
  }
  statement_.reset();
  pin_.reset();
}

const Value& SqlCursor::buffered(std::size_t column) const { return current_.at(column); }

storage::ColumnType SqlCursor::type(std::size_t column) const {
  if (at_ != At::row || column >= columns_->size())
    fail(ErrorCode::invalid, at_ != At::row ? std::string("rows: there is no current row; call next() first")
                                            : stele::text("rows: column ", column, " does not exist; there are ",
                                                          columns_->size()));
  if (from_buffer_) return static_cast<storage::ColumnType>(buffered(column).data().index());
  if (!statement_) fail(ErrorCode::closed, "rows: the transaction in which these rows were read has ended");
  return statement_->column_type(static_cast<int>(column));
}

std::int64_t SqlCursor::integer(std::size_t column) const {
  return from_buffer_ ? std::get<std::int64_t>(buffered(column).data()) : statement_->integer(static_cast<int>(column));
}

double SqlCursor::real(std::size_t column) const {
  return from_buffer_ ? std::get<double>(buffered(column).data()) : statement_->real(static_cast<int>(column));
}

std::string_view SqlCursor::text(std::size_t column) const {
  return from_buffer_ ? std::string_view(std::get<std::string>(buffered(column).data()))
                      : statement_->text(static_cast<int>(column));
}

std::span<const std::byte> SqlCursor::blob(std::size_t column) const {
  return from_buffer_ ? std::span<const std::byte>(std::get<Blob>(buffered(column).data()))
                      : statement_->blob(static_cast<int>(column));
}

}  // namespace stele::transaction
