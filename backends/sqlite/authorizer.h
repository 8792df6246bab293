// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// SQLite's authorizer callback: finds what a statement touches while it is prepared, and refuses
// what a caller's statement may not do, keeping the reason that the error will state.
#pragma once

#include "engine/storage/relational.h"

#include <sqlite3.h>

#include <optional>
#include <string>
#include <string_view>

namespace stele::sqlite {

class Authorizer {
 public:
  /// Installs itself; must outlive the connection's use.
  void install(sqlite3* db);

  /// While a statement is prepared or run: whose it is and with which keyword it begins.
  storage::Author author = storage::Author::caller;

  /// Collects into `facts` until finish().
  void collect(storage::StatementFacts& facts, std::string_view keyword);
  /// Completes the facts of the prepared statement: views resolved, views' and functions' names dropped.
  void finish(sqlite3* db, sqlite3_stmt* statement, std::string_view sql);
  void abandon() noexcept { facts_ = nullptr; }

  /// Why a statement is refused by its first keyword alone.
  static std::optional<Error> refuse_keyword(std::string_view keyword, std::string_view sql);

  void forget_refusal() noexcept { refused_ = false; }
  /// The reason of the refusal since then.
  std::optional<Error> refusal(std::string_view sql) const;

 private:
  static int callback(void* self, int action, const char* first, const char* second, const char* database,
                      const char* accessor);
  void record(int action, const char* first, const char* second, const char* accessor);
  bool allows(int action, const char* first, const char* second, const char* database);
  bool allows_pragma(std::string_view name, const char* argument);
  bool allows_table(std::string_view table);
  bool refuse_temp();
  bool refuse(ErrorCode code, std::string_view reason, std::string message);

  storage::StatementFacts* facts_ = nullptr;
  std::string keyword_;
  bool inside_ = false;     // a trigger or view is involved
  bool reads_all_ = false;  // integrity_check and its like
  bool reads_schema_ = false;
  bool refused_ = false;
  ErrorCode refusal_code_ = ErrorCode::unsupported;
  std::string refusal_reason_;
  std::string refusal_message_;
};

}  // namespace stele::sqlite
