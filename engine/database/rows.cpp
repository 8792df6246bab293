// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include <stele/rows.h>

#include "engine/base/error.h"
#include "engine/database/scope.h"
#include "engine/transaction/sql_cursor.h"

#include <array>
#include <limits>

namespace stele {

using storage::ColumnType;

namespace detail {

/// A cursor and the transaction that keeps it alive.
class RowSource {
 public:
  RowSource(std::shared_ptr<transaction::SqlCursor> cursor, std::shared_ptr<transaction::Transaction> transaction)
      : cursor_(std::move(cursor)), transaction_(std::move(transaction)) {}

  transaction::SqlCursor& cursor() { return *cursor_; }

  bool next() {
    // Rows already in memory can be read when the transaction has ended.
    if (transaction_ && cursor_->streaming()) return transaction_->guarded([&] { return cursor_->next(); });
    return cursor_->next();
  }

 private:
  std::shared_ptr<transaction::SqlCursor> cursor_;
  std::shared_ptr<transaction::Transaction> transaction_;
};

Rows rows_of(std::shared_ptr<transaction::SqlCursor> cursor, std::shared_ptr<transaction::Transaction> transaction) {
  return Rows(std::make_unique<RowSource>(std::move(cursor), std::move(transaction)));
}

}  // namespace detail

Rows::Rows(std::unique_ptr<detail::RowSource> source) : source_(std::move(source)) {}
Rows::Rows(Rows&&) noexcept = default;
Rows& Rows::operator=(Rows&&) noexcept = default;
Rows::~Rows() = default;

const std::vector<std::string>& Rows::columns() const { return detail::held(source_, "rows")->cursor().columns(); }
bool Rows::next() { return detail::held(source_, "rows")->next(); }
std::int64_t Rows::changes() const { return detail::held(source_, "rows")->cursor().changes; }
std::int64_t Rows::last_insert_rowid() const { return detail::held(source_, "rows")->cursor().last_insert_rowid; }

namespace {

std::string_view type_name(ColumnType type) {
  static constexpr std::array<std::string_view, 5> names = {"NULL", "INTEGER", "REAL", "TEXT", "BLOB"};
  return names[static_cast<std::size_t>(type)];
}

void expect(transaction::SqlCursor& cursor, std::size_t column, ColumnType wanted) {
  const ColumnType found = cursor.type(column);
  if (found == wanted) return;
  const std::string cure = found == ColumnType::null ? text("; read it as std::optional") : std::string();
  fail(ErrorCode::invalid,
       text("rows: column ", column, " (", cursor.columns()[column], ") is ", type_name(found), ", not ", type_name(wanted),
            cure),
       {{"reason", "type"}, {"column", cursor.columns()[column]}});
}

}  // namespace

std::size_t Row::size() const { return source_->cursor().columns().size(); }
bool Row::is_null(std::size_t column) const { return source_->cursor().type(column) == ColumnType::null; }

template <>
std::int64_t Row::get<std::int64_t>(std::size_t column) const {
  expect(source_->cursor(), column, ColumnType::integer);
  return source_->cursor().integer(column);
}

template <>
int Row::get<int>(std::size_t column) const {
  const std::int64_t value = get<std::int64_t>(column);
  if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max())
    fail(ErrorCode::out_of_range, text("rows: column ", column, " is ", value, ", which does not fit int; read it as int64_t"));
  return static_cast<int>(value);
}

template <>
bool Row::get<bool>(std::size_t column) const {
  return get<std::int64_t>(column) != 0;
}

template <>
double Row::get<double>(std::size_t column) const {
  if (source_->cursor().type(column) == ColumnType::integer)
    return static_cast<double>(source_->cursor().integer(column));
  expect(source_->cursor(), column, ColumnType::real);
  return source_->cursor().real(column);
}

template <>
std::string_view Row::get<std::string_view>(std::size_t column) const {
  expect(source_->cursor(), column, ColumnType::text);
  return source_->cursor().text(column);
}

template <>
std::string Row::get<std::string>(std::size_t column) const {
  return std::string(get<std::string_view>(column));
}

template <>
Blob Row::get<Blob>(std::size_t column) const {
  expect(source_->cursor(), column, ColumnType::blob);
  const auto bytes = source_->cursor().blob(column);
  return Blob(bytes.begin(), bytes.end());
}

template <>
Value Row::get<Value>(std::size_t column) const {
  transaction::SqlCursor& cursor = source_->cursor();
  switch (cursor.type(column)) {
    case ColumnType::null: return nullptr;
    case ColumnType::integer: return cursor.integer(column);
    case ColumnType::real: return cursor.real(column);
    case ColumnType::text: return cursor.text(column);
    case ColumnType::blob: return cursor.blob(column);
  }
  return nullptr;
}

}  // namespace stele
