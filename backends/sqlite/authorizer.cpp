// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/sqlite/authorizer.h"

#include "backends/sqlite/sql_text.h"
#include "engine/base/error.h"

#include <algorithm>
#include <exception>

namespace stele::sqlite {

using storage::Author;

namespace {

constexpr std::string_view schema_table = "sqlite_master";

template <class Range>
bool contains(const Range& range, std::string_view name) {
  return std::find(std::begin(range), std::end(range), name) != std::end(range);
}

/// Pragmas whose argument names an object; they only read.
constexpr std::string_view object_pragmas[] = {
    "table_info",  "table_xinfo",      "table_list",        "index_list",      "index_info",
    "index_xinfo", "foreign_key_list", "foreign_key_check", "integrity_check", "quick_check"};
/// Pragmas that only read when they stand without argument.
constexpr std::string_view plain_pragmas[] = {
    "database_list",  "collation_list", "function_list",      "module_list",       "pragma_list", "compile_options",
    "user_version",   "application_id", "schema_version",     "data_version",      "page_size",   "page_count",
    "freelist_count", "encoding",       "auto_vacuum",        "foreign_keys",      "synchronous", "cache_size",
    "query_only",     "secure_delete",  "defer_foreign_keys", "recursive_triggers"};

bool checks_everything(std::string_view pragma) {
  return pragma == "foreign_key_check" || pragma == "integrity_check" || pragma == "quick_check";
}

bool is_schema_table(std::string_view name) {
  return name == "sqlite_master" || name == "sqlite_schema" || name == "sqlite_temp_master" ||
         name == "sqlite_temp_schema";
}

bool is_definition(std::string_view keyword) {
  return keyword == "CREATE" || keyword == "DROP" || keyword == "ALTER" || keyword == "REINDEX" || keyword == "ANALYZE";
}

void add(std::vector<std::string>& names, std::string name) {
  if (!contains(names, name)) names.push_back(std::move(name));
}

/// A table of this file, real or virtual: neither a view nor a table-valued function.
bool is_table(sqlite3* db, const std::string& name) {
  return sqlite3_table_column_metadata(db, "main", name.c_str(), nullptr, nullptr, nullptr, nullptr, nullptr,
                                       nullptr) == SQLITE_OK;
}

void add_all_tables(sqlite3* db, std::vector<std::string>& names) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db, "SELECT name FROM sqlite_schema WHERE type = 'table'", -1, &statement, nullptr) ==
      SQLITE_OK) {
    while (sqlite3_step(statement) == SQLITE_ROW)
      add(names, lower(reinterpret_cast<const char*>(sqlite3_column_text(statement, 0))));
  }
  sqlite3_finalize(statement);
}

}  // namespace

void Authorizer::install(sqlite3* db) { sqlite3_set_authorizer(db, &Authorizer::callback, this); }

void Authorizer::collect(storage::StatementFacts& facts, std::string_view keyword) {
  facts_ = &facts;
  keyword_ = keyword;
  inside_ = reads_all_ = reads_schema_ = false;
}

void Authorizer::finish(sqlite3* db, sqlite3_stmt* statement, std::string_view sql) {
  storage::StatementFacts& facts = *facts_;
  facts_ = nullptr;
  const auto drop_others = [&](std::vector<std::string>& names) {
    std::erase_if(names, [&](const std::string& name) { return is_schema_table(name) || !is_table(db, name); });
  };
  drop_others(facts.tables_read);
  drop_others(facts.tables_written);
  if (reads_all_) add_all_tables(db, facts.tables_read);
  facts.writes = sqlite3_stmt_readonly(statement) == 0 && sqlite3_stmt_isexplain(statement) == 0;
  if (reads_schema_) {
    add(facts.tables_read, std::string(schema_table));
    if (facts.writes && keyword_ == "PRAGMA") add(facts.tables_written, std::string(schema_table));
  }
  if (!facts.writes) {
    facts.tables_written.clear();
    facts.changes_schema = false;
  }
  facts.may_fail_midway = facts.writes && (inside_ || has_words(sql, "OR", "FAIL"));
}

std::optional<Error> Authorizer::refuse_keyword(std::string_view keyword, std::string_view sql) {
  const auto refused = [&](std::string_view reason, std::string_view rule) {
    return Error(ErrorCode::unsupported, text("SQL: ", keyword, " ", rule, "; SQL: ", shorten(sql)),
                 {{"reason", std::string(reason)}});
  };
  if (keyword == "BEGIN" || keyword == "COMMIT" || keyword == "END" || keyword == "ROLLBACK")
    return refused("transaction_control",
                   "is not for SQL text: a transaction spans all tiers; use Database::begin or Database::write, and "
                   "the transaction's commit() and rollback()");
  if (keyword == "SAVEPOINT" || keyword == "RELEASE")
    return refused("transaction_control",
                   "is not for SQL text: a savepoint spans all tiers; use the transaction's savepoint()");
  if (keyword == "ATTACH" || keyword == "DETACH")
    return refused("attach", "is refused: a store is one file; open the other one as its own database");
  if (keyword == "VACUUM") return refused("vacuum", "is refused inside SQL; call Database::compact()");
  if (keyword == "ALTER" && has_internal_name(sql))  // no callback tells the new name
    return Error(ErrorCode::invalid,
                 text("SQL: names that begin with _stele_ belong to the store; choose another; SQL: ", shorten(sql)),
                 {{"reason", "reserved_name"}});
  return std::nullopt;
}

std::optional<Error> Authorizer::refusal(std::string_view sql) const {
  if (!refused_) return std::nullopt;
  return Error(refusal_code_, text("SQL: ", refusal_message_, "; SQL: ", shorten(sql)), {{"reason", refusal_reason_}});
}

int Authorizer::callback(void* self, int action, const char* first, const char* second, const char* database,
                         const char* accessor) {
  auto& authorizer = *static_cast<Authorizer*>(self);
  try {  // nothing may be thrown through SQLite
    if (authorizer.facts_) authorizer.record(action, first, second, accessor);
    if (authorizer.author == Author::engine || authorizer.allows(action, first, second, database)) return SQLITE_OK;
  } catch (const std::exception&) {
  }
  return SQLITE_DENY;
}

void Authorizer::record(int action, const char* first, const char* second, const char* accessor) {
  if (accessor) inside_ = true;
  const bool definition = is_definition(keyword_);  // otherwise a virtual table declares its columns
  switch (action) {
    case SQLITE_READ: {
      std::string name = lower(first);
      if (name.starts_with("pragma_")) {
        reads_schema_ = true;
        reads_all_ = reads_all_ || checks_everything(name.substr(7));
      }
      if (is_schema_table(name) && !definition) reads_schema_ = true;
      add(facts_->tables_read, std::move(name));
      return;
    }
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE: add(facts_->tables_written, lower(first)); return;
    case SQLITE_PRAGMA:
      reads_schema_ = true;
      reads_all_ = reads_all_ || checks_everything(lower(first));
      return;
    case SQLITE_DROP_TABLE:
    case SQLITE_DROP_VTABLE:
    case SQLITE_CREATE_TABLE:
    case SQLITE_CREATE_VTABLE:
      if (definition) add(facts_->tables_written, lower(first));
      break;
    case SQLITE_ALTER_TABLE: add(facts_->tables_written, lower(second)); break;
    case SQLITE_CREATE_INDEX:
    case SQLITE_DROP_INDEX:
    case SQLITE_CREATE_TRIGGER:
    case SQLITE_DROP_TRIGGER: add(facts_->tables_written, lower(second)); break;
    case SQLITE_CREATE_VIEW:
    case SQLITE_DROP_VIEW:
    case SQLITE_REINDEX:
    case SQLITE_ANALYZE: break;
    default: return;
  }
  facts_->changes_schema = facts_->changes_schema || definition;
}

bool Authorizer::allows(int action, const char* first, const char* second, const char* database) {
  switch (action) {
    case SQLITE_READ:
    case SQLITE_UPDATE:  // ALTER updates the schema of TEMP, too, in which nothing is
    case SQLITE_DELETE: return allows_table(first);
    case SQLITE_INSERT: return database && lower(database) == "temp" ? refuse_temp() : allows_table(first);
    case SQLITE_PRAGMA: return allows_pragma(lower(first), second);
    case SQLITE_FUNCTION: {
      const std::string name = lower(second);
      if (name != "load_extension" && name != "fts3_tokenizer") return true;
      return refuse(ErrorCode::unsupported, "function",
                    text(name, "() is refused: code is not loaded from SQL; link the extension into the program"));
    }
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
      return refuse(ErrorCode::unsupported, "transaction_control",
                    "transactions and savepoints span all tiers; use the transaction's commit() and savepoint()");
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
      return refuse(ErrorCode::unsupported, "attach", "ATTACH, DETACH and VACUUM are refused: a store is one file");
    case SQLITE_CREATE_TEMP_TABLE:
    case SQLITE_CREATE_TEMP_INDEX:
    case SQLITE_CREATE_TEMP_TRIGGER:
    case SQLITE_CREATE_TEMP_VIEW:
    case SQLITE_DROP_TEMP_TABLE:
    case SQLITE_DROP_TEMP_INDEX:
    case SQLITE_DROP_TEMP_TRIGGER:
    case SQLITE_DROP_TEMP_VIEW: return refuse_temp();
    case SQLITE_CREATE_TABLE:
    case SQLITE_DROP_TABLE:
    case SQLITE_CREATE_VTABLE:
    case SQLITE_DROP_VTABLE:
    case SQLITE_CREATE_VIEW:
    case SQLITE_DROP_VIEW: return allows_table(first);
    case SQLITE_CREATE_INDEX:
    case SQLITE_DROP_INDEX:
    case SQLITE_CREATE_TRIGGER:
    case SQLITE_DROP_TRIGGER: return allows_table(first) && allows_table(second);
    case SQLITE_ALTER_TABLE: return allows_table(second);
    case SQLITE_ANALYZE:
    case SQLITE_REINDEX:
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE: return true;
    default: return refuse(ErrorCode::unsupported, "action", text("this action (SQLite's ", action, ") is refused"));
  }
}

bool Authorizer::refuse_temp() {
  return refuse(ErrorCode::unsupported, "temp",
                "TEMP objects are refused: they would live in one connection of the pool only; use an ordinary "
                "table or a WITH clause");
}

bool Authorizer::allows_pragma(std::string_view name, const char* argument) {
  if (contains(object_pragmas, name)) return true;
  if (!argument && contains(plain_pragmas, name)) return true;
  if (argument && name == "user_version") return true;  // a write like any other: undone by a rollback
  return refuse(ErrorCode::unsupported, "pragma",
                text("PRAGMA ", name, argument ? text(" = ", argument) : std::string(),
                     " is refused: the store sets the state of its connections; the PRAGMAs that only read, such as "
                     "table_info and foreign_key_check, are allowed"));
}

bool Authorizer::allows_table(std::string_view table) {
  if (is_internal_name(table))
    return refuse(ErrorCode::invalid, "reserved_name",
                  text("\"", table,
                       "\" belongs to the store, as every name that begins with _stele_; it can neither "
                       "be read nor changed by SQL; choose another name"));
  return true;  // the schema's own by a definition only: SQLite itself refuses any other ("may not be modified")
}

bool Authorizer::refuse(ErrorCode code, std::string_view reason, std::string message) {
  if (refused_) return false;  // the first reason is the one to tell
  refused_ = true;
  refusal_code_ = code;
  refusal_reason_ = reason;
  refusal_message_ = std::move(message);
  return false;
}

}  // namespace stele::sqlite
