// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backends/sqlite/statement_cache.h"
#include "engine/storage/relational.h"

namespace stele::sqlite {

class SqliteConnection;

/// One run of a prepared form. Linked into its connection's list of live runs, so that the end of
/// the transaction ends it.
class SqliteStatement final : public storage::Statement {
 public:
  SqliteStatement(SqliteConnection& connection, Prepared* form);
  ~SqliteStatement() override;
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;

  const storage::StatementFacts& facts() const override { return form_->facts; }
  void bind(std::span<const Value> values) override;
  void bind(std::span<const NamedValue> values) override;
  bool step() override;
  int column_count() const override;
  std::shared_ptr<const std::vector<std::string>> column_names() const override { return form_->column_names; }
  storage::ColumnType column_type(int column) const override;
  std::int64_t integer(int column) const override;
  double real(int column) const override;
  std::string_view text(int column) const override;
  std::span<const std::byte> blob(int column) const override;

  /// The transaction ended: later steps are `closed`.
  void end() noexcept;

  SqliteStatement* previous = nullptr;  // the connection's list
  SqliteStatement* next = nullptr;

 private:
  enum class State : std::uint8_t { ready, running, done, ended };

  void before_bind();
  void bind_one(int index, const Value& value);
  [[noreturn]] void fail_parameters(std::string_view problem) const;

  SqliteConnection& connection_;
  Prepared* form_;
  sqlite3_stmt* statement_;
  State state_ = State::ready;
  bool bound_ = false;
  bool holds_bytes_ = false;  // SQLite has copies of bound values
};

}  // namespace stele::sqlite
