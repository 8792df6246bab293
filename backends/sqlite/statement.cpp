// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/sqlite/statement.h"

#include "backends/sqlite/connection.h"
#include "backends/sqlite/errors.h"
#include "backends/sqlite/sql_text.h"

#include <algorithm>

namespace stele::sqlite {

namespace {

bool has_prefix(std::string_view name) {
  return !name.empty() && (name[0] == ':' || name[0] == '@' || name[0] == '$' || name[0] == '?');
}

bool same_parameter(std::string_view given, std::string_view parameter) {
  return has_prefix(given) ? given == parameter : given == parameter.substr(1);
}

}  // namespace

SqliteStatement::SqliteStatement(SqliteConnection& connection, Prepared* form)
    : connection_(connection), form_(form), statement_(form->statement.get()) {
  connection_.link(*this);
}

SqliteStatement::~SqliteStatement() {
  connection_.unlink(*this);
  if (state_ != State::ready) sqlite3_reset(statement_);
  if (state_ == State::running && form_->facts.writes) connection_.after_run(*form_);  // left before its last row
  if (holds_bytes_) sqlite3_clear_bindings(statement_);
  connection_.give_back(form_);
}

void SqliteStatement::end() noexcept {
  sqlite3_reset(statement_);
  if (state_ == State::running) state_ = State::ended;
}

void SqliteStatement::fail_parameters(std::string_view problem) const {
  fail(ErrorCode::invalid, stele::text("SQL parameters: ", problem, "; SQL: ", shorten(form_->sql)),
       {{"reason", "parameters"}});
}

void SqliteStatement::before_bind() {
  if (state_ != State::ready) sqlite3_reset(statement_);
  state_ = State::ready;
  bound_ = false;
}

void SqliteStatement::bind(std::span<const Value> values) {
  if (values.size() != static_cast<std::size_t>(form_->parameters))
    fail_parameters(stele::text("the statement has ", form_->parameters, ", ", values.size(), " were given"));
  before_bind();
  for (std::size_t i = 0; i < values.size(); ++i) bind_one(static_cast<int>(i) + 1, values[i]);
  bound_ = true;
}

void SqliteStatement::bind(std::span<const NamedValue> values) {
  before_bind();
  std::vector<bool> used(values.size());
  for (int index = 1; index <= form_->parameters; ++index) {
    const char* parameter = sqlite3_bind_parameter_name(statement_, index);
    if (!parameter)
      fail_parameters(stele::text("parameter ", index,
                                  " has no name; give the values by position, or name it in "
                                  "the SQL (:name)"));
    bool found = false;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!same_parameter(values[i].first, parameter)) continue;
      if (found) fail_parameters(stele::text("\"", parameter, "\" was given twice"));
      found = used[i] = true;
      bind_one(index, values[i].second);
    }
    if (!found) fail_parameters(stele::text("no value was given for \"", parameter, "\""));
  }
  const auto unused = std::find(used.begin(), used.end(), false);
  if (unused != used.end())
    fail_parameters(stele::text("the statement has no parameter \"",
                                values[static_cast<std::size_t>(unused - used.begin())].first, "\""));
  bound_ = true;
}

void SqliteStatement::bind_one(int index, const Value& value) {
  const std::size_t limit = connection_.value_bytes_max(form_->author);
  const auto check_size = [&](std::size_t size) {
    if (size <= limit) return;
    fail(ErrorCode::too_large, stele::text("SQL parameter ", index, ": ", size, " bytes; a value has at most ", limit),
         {{"size", std::to_string(size)}, {"limit", std::to_string(limit)}});
  };
  int result = SQLITE_OK;
  switch (value.data().index()) {
    case 0: result = sqlite3_bind_null(statement_, index); break;
    case 1: result = sqlite3_bind_int64(statement_, index, std::get<1>(value.data())); break;
    case 2: result = sqlite3_bind_double(statement_, index, std::get<2>(value.data())); break;
    case 3: {
      holds_bytes_ = true;
      const std::string& bytes = std::get<3>(value.data());
      check_size(bytes.size());
      if (const auto offset = invalid_utf8(bytes))
        fail(ErrorCode::invalid,
             stele::text("SQL parameter ", index, ": TEXT is not valid UTF-8 at byte ", *offset,
                         "; bind other bytes as a Blob"),
             {{"reason", "utf8"}, {"offset", std::to_string(*offset)}});
      result = sqlite3_bind_text64(statement_, index, bytes.data(), bytes.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
      break;
    }
    default: {
      holds_bytes_ = true;
      const Blob& bytes = std::get<4>(value.data());
      check_size(bytes.size());
      // A null pointer would bind NULL: an empty vector has one.
      result = sqlite3_bind_blob64(statement_, index, bytes.empty() ? static_cast<const void*>("") : bytes.data(),
                                   bytes.size(), SQLITE_TRANSIENT);
    }
  }
  if (result != SQLITE_OK) throw make_error(connection_.handle(), result, {"bind", form_->sql});
}

bool SqliteStatement::step() {
  if (state_ == State::done) return false;
  if (state_ == State::ended)
    fail(ErrorCode::closed, stele::text("SQL: the transaction of these rows has ended; SQL: ", shorten(form_->sql)));
  if (!bound_ && form_->parameters > 0)
    fail_parameters(stele::text("the statement has ", form_->parameters, ", none was given"));
  if (state_ == State::ready) connection_.before_run(*form_);
  state_ = State::running;
  const int result = connection_.run(*form_);
  if (result == SQLITE_ROW) return true;
  state_ = State::done;
  connection_.after_run(*form_);
  if (result == SQLITE_DONE) return false;
  throw connection_.take_error(result, "run", *form_);
}

int SqliteStatement::column_count() const { return sqlite3_column_count(statement_); }

storage::ColumnType SqliteStatement::column_type(int column) const {
  switch (sqlite3_column_type(statement_, column)) {
    case SQLITE_INTEGER: return storage::ColumnType::integer;
    case SQLITE_FLOAT: return storage::ColumnType::real;
    case SQLITE_TEXT: return storage::ColumnType::text;
    case SQLITE_BLOB: return storage::ColumnType::blob;
    default: return storage::ColumnType::null;
  }
}

std::int64_t SqliteStatement::integer(int column) const { return sqlite3_column_int64(statement_, column); }
double SqliteStatement::real(int column) const { return sqlite3_column_double(statement_, column); }

std::string_view SqliteStatement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (!bytes) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::span<const std::byte> SqliteStatement::blob(int column) const {
  const auto* bytes = static_cast<const std::byte*>(sqlite3_column_blob(statement_, column));
  if (!bytes) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

}  // namespace stele::sqlite
