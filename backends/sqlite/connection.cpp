// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/sqlite/connection.h"

#include "backends/sqlite/errors.h"
#include "backends/sqlite/sql_text.h"
#include "backends/sqlite/vfs.h"
#include "engine/base/files.h"

#include <ctime>

#include <algorithm>
#include <utility>

namespace stele::sqlite {

using storage::Author;

namespace {

constexpr std::size_t caller_sql_bytes_max = 1u << 20;
constexpr int caller_value_bytes_max = 16 << 20;
constexpr int engine_value_bytes_max = 1'000'000'000;  // the library's own bound
constexpr int reserved_bytes_per_page = 8;             // room for page checksums
constexpr int progress_operations = 1000;
constexpr auto recovery_wait = std::chrono::seconds(5);

struct Limit {
  int id;
  int caller;
  int engine;
};
constexpr Limit limits[] = {
    {SQLITE_LIMIT_LENGTH, caller_value_bytes_max, engine_value_bytes_max},
    {SQLITE_LIMIT_SQL_LENGTH, caller_sql_bytes_max, 16 << 20},
    {SQLITE_LIMIT_EXPR_DEPTH, 100, 1000},
    {SQLITE_LIMIT_COMPOUND_SELECT, 50, 500},
    {SQLITE_LIMIT_VDBE_OP, 1'000'000, 250'000'000},
    {SQLITE_LIMIT_FUNCTION_ARG, 100, 127},
    {SQLITE_LIMIT_ATTACHED, 0, 10},  // VACUUM attaches
    {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000, 50'000},
    {SQLITE_LIMIT_VARIABLE_NUMBER, 32'766, 250'000},
    {SQLITE_LIMIT_TRIGGER_DEPTH, 50, 1000},
    {SQLITE_LIMIT_WORKER_THREADS, 0, 0},
};

/// Every byte that is not plain is escaped: a path may hold '?' and '%'.
std::string immutable_uri(std::string_view path) {
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-";
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (plain.find(c) != std::string_view::npos) {
      uri += c;
    } else {
      uri += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return uri + "?immutable=1";
}

void check(sqlite3* db, int result, std::string_view operation) {
  if (result != SQLITE_OK) throw make_error(db, result, {operation});
}

void configure(sqlite3* db, int option, int value) {
  int now = -1;
  check(db, sqlite3_db_config(db, option, value, &now), "configure the connection");
  if (now != value) fail(ErrorCode::unsupported, text("SQLite refuses to set its option ", option, " to ", value));
}

void refuse_text(std::string_view sql, Author author) {
  if (author == Author::caller && sql.size() > caller_sql_bytes_max)
    fail(ErrorCode::too_large, text("SQL text: ", sql.size(), " bytes; at most ", caller_sql_bytes_max),
         {{"size", std::to_string(sql.size())}, {"limit", std::to_string(caller_sql_bytes_max)}});
  const std::size_t nul = sql.find('\0');
  if (nul != sql.npos)
    fail(ErrorCode::invalid, text("SQL text: NUL at byte ", nul, "; bind such bytes as a parameter"),
         {{"reason", "nul"}, {"offset", std::to_string(nul)}});
  if (const auto offset = invalid_utf8(sql))
    fail(ErrorCode::invalid, text("SQL text: not valid UTF-8 at byte ", *offset),
         {{"reason", "utf8"}, {"offset", std::to_string(*offset)}});
}

}  // namespace

SqliteConnection::SqliteConnection(const ConnectionOptions& options) {
  open(options);
  sqlite3_extended_result_codes(db_.get(), 1);
  sqlite3_busy_handler(db_.get(), &SqliteConnection::on_busy, this);
  busy_deadline_ = std::chrono::steady_clock::now() + recovery_wait;
  authorizer_.author = Author::engine;
  authorizer_.install(db_.get());
  harden(options);
  begin_ = prepare_own("BEGIN");
  begin_immediate_ = prepare_own("BEGIN IMMEDIATE");
  commit_ = prepare_own("COMMIT");
  rollback_ = prepare_own("ROLLBACK");
  schema_number_ = prepare_own("PRAGMA schema_version");
  data_version_ = prepare_own("PRAGMA data_version");
  touch_schema_ = prepare_own("SELECT 1 FROM sqlite_schema LIMIT 1");
  act_as(Author::caller);
}

SqliteConnection::~SqliteConnection() {
  rollback();
  cache_.clear();
}

void SqliteConnection::open(const ConnectionOptions& options) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
  flags |= options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (options.create) flags |= SQLITE_OPEN_CREATE;
  if (options.immutable) flags |= SQLITE_OPEN_URI;
  sqlite3* db = nullptr;
  const std::string name = options.immutable ? immutable_uri(options.path) : options.path;
  const int result = sqlite3_open_v2(name.c_str(), &db, flags, vfs_name());
  db_.reset(db);
  // When the file cannot be opened for writing SQLite opens it for reading, without a word.
  if (result == SQLITE_OK && !options.read_only && sqlite3_db_readonly(db, "main") == 1)
    fail(ErrorCode::io, text("open ", options.path, ": it cannot be opened for writing; check its permissions and the disk"),
         {{"store", "sqlite"}, {"file", options.path}, {"operation", "open"}});
  if (result == SQLITE_OK) return;
  const int extended = db ? sqlite3_extended_errcode(db) : result;
  Error error = make_error(db, extended, {text("open ", options.path)});
  if (extended == SQLITE_CANTOPEN_SYMLINK)
    throw Error(ErrorCode::invalid, text("open ", options.path, ": it is a symbolic link; links are not followed"),
                error.detail());
  throw error;
}

void SqliteConnection::harden(const ConnectionOptions& options) {
  sqlite3* db = db_.get();
  configure(db, SQLITE_DBCONFIG_DEFENSIVE, 1);
  configure(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0);
  configure(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0);
  configure(db, SQLITE_DBCONFIG_DQS_DML, 0);
  configure(db, SQLITE_DBCONFIG_DQS_DDL, 0);
  configure(db, SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0);
  configure(db, SQLITE_DBCONFIG_ENABLE_FKEY, 1);
  configure(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1);
  if (options.create) {
    int reserve = reserved_bytes_per_page;
    check(db, sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve), "reserve bytes");
    execute("PRAGMA page_size = 4096");
  }
  int persist = 1;
  check(db, sqlite3_file_control(db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist), "keep the log");
  execute("PRAGMA synchronous = NORMAL");
  execute("PRAGMA secure_delete = OFF");
  execute("PRAGMA cell_size_check = ON");
  execute("PRAGMA mmap_size = 0");
  execute("PRAGMA temp_store = MEMORY");
  execute(text("PRAGMA cache_size = -", std::max<std::size_t>(options.cache_bytes >> 10, 64)));
  sqlite3_wal_autocheckpoint(db, 0);  // it would hide failed syncs
}

void SqliteConnection::enter_wal_mode() {
  if (query_text("PRAGMA journal_mode = WAL") != "wal")
    fail(ErrorCode::unsupported, "SQLite cannot keep a write-ahead log for this file; put the store on a local disk");
  step_own(touch_schema_.get(), "create the log");
}

void SqliteConnection::act_as(Author author) {
  authorizer_.author = author;
  for (const Limit& limit : limits)
    sqlite3_limit(db_.get(), limit.id, author == Author::caller ? limit.caller : limit.engine);
}

std::size_t SqliteConnection::value_bytes_max(Author author) const {
  return static_cast<std::size_t>(author == Author::caller ? caller_value_bytes_max : engine_value_bytes_max);
}

void SqliteConnection::set_interrupt(const Interrupt* interrupt) {
  interrupt_ = interrupt;
  const bool polled = interrupt != nullptr;  // without a handler a short statement is 3 % faster
  sqlite3_progress_handler(db_.get(), polled ? progress_operations : 0, polled ? &on_progress : nullptr, this);
}

/// SQLite polls the progress handler in COMMIT and ROLLBACK, too, also when COMMIT has been made already: what is raised
/// then would say that nothing was committed, or keep a transaction open.
class SqliteConnection::Uninterrupted {
 public:
  explicit Uninterrupted(SqliteConnection& connection) : connection_(connection), interrupt_(connection.interrupt_) {
    if (interrupt_) connection_.set_interrupt(nullptr);
  }
  ~Uninterrupted() {
    if (interrupt_) connection_.set_interrupt(interrupt_);
  }
  Uninterrupted(const Uninterrupted&) = delete;

 private:
  SqliteConnection& connection_;
  const Interrupt* const interrupt_;
};

void SqliteConnection::execute(const std::string& sql) {
  Acting engine(*this, Author::engine);
  const int result = sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) throw make_error(db_.get(), result, {"run", sql, interrupt_});
}

std::string SqliteConnection::query_text(const std::string& sql) {
  Acting engine(*this, Author::engine);
  sqlite3_stmt* statement = nullptr;
  int result = sqlite3_prepare_v2(db_.get(), sql.c_str(), -1, &statement, nullptr);
  const StatementHandle owner(statement);
  std::string value;
  if (result == SQLITE_OK) result = sqlite3_step(statement);
  if (result == SQLITE_ROW) {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    if (bytes) value = bytes;
    while (result == SQLITE_ROW) result = sqlite3_step(statement);  // it commits, and may fail, at its end
  }
  if (result != SQLITE_DONE) throw make_error(db_.get(), result, {"run", sql, interrupt_});
  return value;
}

StatementHandle SqliteConnection::prepare_own(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  const int result = sqlite3_prepare_v3(db_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (result != SQLITE_OK) throw make_error(db_.get(), result, {"prepare", sql});
  return StatementHandle(statement);
}

/// One step of a statement of ours. SQLite prepares it anew when the schema changed, through the
/// authorizer: so that must know whose it is.
int SqliteConnection::run_own(sqlite3_stmt* statement) {
  const Author before = std::exchange(authorizer_.author, Author::engine);
  const int result = sqlite3_step(statement);
  authorizer_.author = before;
  return result;
}

void SqliteConnection::step_own(sqlite3_stmt* statement, std::string_view operation) {
  const int result = run_own(statement);
  if (result != SQLITE_DONE && result != SQLITE_ROW) {
    Error error = make_error(db_.get(), result, {operation, {}, interrupt_});
    sqlite3_reset(statement);
    throw error;
  }
  sqlite3_reset(statement);
}

std::int64_t SqliteConnection::read_own(sqlite3_stmt* statement, std::string_view operation) {
  const int result = run_own(statement);
  const std::int64_t value = result == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
  if (result != SQLITE_ROW) {
    Error error = make_error(db_.get(), result, {operation, {}, interrupt_});
    sqlite3_reset(statement);
    throw error;
  }
  sqlite3_reset(statement);
  return value;
}

void SqliteConnection::forget_schema() noexcept {
  cache_.clear();
  known_schema_.reset();
  fails_midway_.reset();
  schema_changed_ = false;
}

void SqliteConnection::read_schema_number() {
  const std::int64_t number = read_own(schema_number_.get(), "read the schema's number");
  if (known_schema_ == number) return;
  forget_schema();
  // Running a statement is what makes SQLite compare the schema it holds with the file's.
  step_own(touch_schema_.get(), "load the schema");
  known_schema_ = number;
}

std::unique_ptr<storage::Statement> SqliteConnection::prepare(std::string_view sql, Author author) {
  if (!in_transaction()) {
    busy_deadline_ = std::chrono::steady_clock::now() + recovery_wait;
    read_schema_number();
  }
  Prepared* form = cache_.take(sql, author);
  if (!form) form = cache_.add(prepare_new(sql, author));
  return std::make_unique<SqliteStatement>(*this, form);
}

std::unique_ptr<Prepared> SqliteConnection::prepare_new(std::string_view sql, Author author) {
  refuse_text(sql, author);
  auto form = std::make_unique<Prepared>();
  form->sql = sql;
  form->author = author;
  form->keyword = first_keyword(sql);
  if (form->keyword.empty()) fail(ErrorCode::invalid, "SQL text: there is no statement in it", {{"reason", "empty"}});
  if (author == Author::caller)
    if (auto refused = Authorizer::refuse_keyword(form->keyword, sql)) throw *refused;

  Acting acting(*this, author);
  authorizer_.forget_refusal();
  authorizer_.collect(form->facts, form->keyword);
  sqlite3_stmt* statement = nullptr;
  const char* tail = nullptr;
  const int result = sqlite3_prepare_v3(db_.get(), form->sql.data(), static_cast<int>(form->sql.size()) + 1,
                                        SQLITE_PREPARE_PERSISTENT, &statement, &tail);
  form->statement.reset(statement);
  if (result != SQLITE_OK || !statement) {
    authorizer_.abandon();
    if (result == SQLITE_OK) fail(ErrorCode::invalid, "SQL text: there is no statement in it", {{"reason", "empty"}});
    throw take_error(result, "prepare", *form);
  }
  authorizer_.finish(db_.get(), statement, form->sql);
  const std::string_view rest(tail, static_cast<std::size_t>(form->sql.data() + form->sql.size() - tail));
  if (!only_blanks(rest))
    fail(ErrorCode::invalid, text("SQL text: more than one statement; run them one at a time; second: ", shorten(rest)),
         {{"reason", "many_statements"}, {"offset", std::to_string(tail - form->sql.data())}});
  form->parameters = sqlite3_bind_parameter_count(statement);
  std::vector<std::string> names;
  for (int i = 0; i < sqlite3_column_count(statement); ++i) {
    const char* name = sqlite3_column_name(statement, i);
    names.emplace_back(name ? name : "");
  }
  form->column_names = std::make_shared<const std::vector<std::string>>(std::move(names));
  if (form->facts.writes && !form->facts.may_fail_midway) form->facts.may_fail_midway = schema_can_fail_midway();
  return form;
}

/// Tables declared with ON CONFLICT FAIL stop any INSERT and UPDATE midway.
bool SqliteConnection::schema_can_fail_midway() {
  if (!fails_midway_)
    fails_midway_ = query_text(
                        "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND lower(sql) GLOB "
                        "'*conflict*fail*' LIMIT 1") == "1";
  return *fails_midway_;
}

void SqliteConnection::before_run(const Prepared& form) {
  if (form.facts.writes && form.author == Author::caller && !in_transaction())
    fail(ErrorCode::aborted,
         text("SQL: a statement that writes runs inside a write transaction, and none is open; SQL: ",
              shorten(form.sql)),
         {{"cause", "no write transaction"}});
  if (form.facts.changes_schema) schema_changed_ = true;
}

int SqliteConnection::run(const Prepared& form) {
  Acting acting(*this, form.author);
  authorizer_.forget_refusal();
  return sqlite3_step(form.statement.get());
}

void SqliteConnection::after_run(const Prepared& form) {
  const bool counts = form.keyword == "INSERT" || form.keyword == "REPLACE" || form.keyword == "UPDATE" ||
                      form.keyword == "DELETE" || form.keyword == "WITH";  // others leave SQLite's count as it was
  changes_ = form.facts.writes && counts ? sqlite3_changes64(db_.get()) : 0;
  if (!form.facts.changes_schema) return;
  cache_.clear();
  known_schema_.reset();
  fails_midway_.reset();
}

Error SqliteConnection::take_error(int result, std::string_view operation, const Prepared& form) {
  Error error = make_error(db_.get(), result, {operation, form.sql, interrupt_});
  sqlite3_reset(form.statement.get());
  if (auto refused = authorizer_.refusal(form.sql)) return *refused;
  return error;
}

void SqliteConnection::refuse_nested(std::string_view operation) const {
  if (in_transaction())
    fail(ErrorCode::invalid, text(operation, ": a transaction is open on this connection; end it first"));
}

void SqliteConnection::begin_read() {
  refuse_nested("begin_read");
  busy_deadline_ = std::chrono::steady_clock::now() + recovery_wait;
  step_own(begin_.get(), "begin");
  try {
    read_schema_number();  // BEGIN alone pins nothing
  } catch (...) {
    rollback();
    throw;
  }
}

void SqliteConnection::fail_log_read_only() const {
  const std::string log = text(sqlite3_db_filename(db_.get(), "main"), "-wal");
  fail(ErrorCode::io,
       text("open ", log, ": it or the -shm beside it cannot be opened for writing; check their permissions and the disk, "
            "and open the store again"),
       {{"store", "sqlite"}, {"file", log}, {"operation", "open"}});
}

void SqliteConnection::begin_write(int timeout_ms) {
  refuse_nested("begin_write");
  if (sqlite3_db_readonly(db_.get(), "main") == 1)  // SQLite would begin a read transaction
    fail(ErrorCode::readonly, "begin the write transaction: the store was opened read-only");
  wait_for_others(timeout_ms);
  const int result = run_own(begin_immediate_.get());
  if (result != SQLITE_DONE) {
    Error error = make_error(db_.get(), result, {"begin the write transaction", {}, interrupt_});
    sqlite3_reset(begin_immediate_.get());
    if (error.code() == ErrorCode::busy && interrupt_) interrupt_->check();
    if (error.code() == ErrorCode::busy)
      throw Error(ErrorCode::busy,
                  text("begin the write transaction: another process holds the file's write lock; waited ", timeout_ms,
                       " ms; end its transaction or allow more time"),
                  error.detail());
    if (error.code() == ErrorCode::readonly) fail_log_read_only();
    throw error;
  }
  sqlite3_reset(begin_immediate_.get());
  try {
    read_schema_number();
  } catch (...) {
    rollback();
    throw;
  }
}

void SqliteConnection::commit() {
  end_statements();
  if (!in_transaction())
    fail(ErrorCode::aborted, "commit: no transaction is open; SQLite has ended it after an earlier failure",
         {{"cause", "ended by SQLite"}});
  const Uninterrupted whole(*this);
  step_own(commit_.get(), "commit");
  if (schema_changed_) forget_schema();
}

void SqliteConnection::rollback() noexcept {
  end_statements();
  if (in_transaction()) {
    const Uninterrupted whole(*this);
    run_own(rollback_.get());  // an i/o error in it leaves the transaction rolled back all the same
    sqlite3_reset(rollback_.get());
  }
  if (schema_changed_) forget_schema();
}

void SqliteConnection::run_savepoint(std::string_view verb, std::string_view name) {
  if (!in_transaction())
    fail(ErrorCode::aborted, text(verb, ": no transaction is open"), {{"cause", "no transaction"}});
  std::string sql = text(verb, " \"");
  for (char c : name) sql += c == '"' ? std::string("\"\"") : std::string(1, c);
  sql += '"';
  prepare(sql, Author::engine)->step();
}

void SqliteConnection::savepoint(std::string_view name) { run_savepoint("SAVEPOINT", name); }
void SqliteConnection::release(std::string_view name) { run_savepoint("RELEASE", name); }

void SqliteConnection::rollback_to(std::string_view name) {
  run_savepoint("ROLLBACK TO", name);
  if (!schema_changed_) return;
  forget_schema();
  schema_changed_ = true;  // definitions before the savepoint may still be undone
}

std::uint64_t SqliteConnection::data_version() {
  return static_cast<std::uint64_t>(read_own(data_version_.get(), "read the data version"));
}

void SqliteConnection::link(SqliteStatement& statement) noexcept {
  statement.next = live_;
  if (live_) live_->previous = &statement;
  live_ = &statement;
}

void SqliteConnection::unlink(SqliteStatement& statement) noexcept {
  if (statement.previous) statement.previous->next = statement.next;
  if (statement.next) statement.next->previous = statement.previous;
  if (live_ == &statement) live_ = statement.next;
}

void SqliteConnection::end_statements() noexcept {
  for (SqliteStatement* statement = live_; statement; statement = statement->next) statement->end();
}

int SqliteConnection::on_progress(void* self) {
  const Interrupt* interrupt = static_cast<SqliteConnection*>(self)->interrupt_;
  return interrupt && interrupt->raised() ? 1 : 0;
}

int SqliteConnection::on_busy(void* self, int attempts) {
  const auto& connection = *static_cast<SqliteConnection*>(self);
  if (std::chrono::steady_clock::now() >= connection.busy_deadline_) return 0;
  if (connection.interrupt_ && connection.interrupt_->raised()) return 0;
  const timespec pause{0, std::min(attempts + 1, 10) * 1'000'000L};
  ::nanosleep(&pause, nullptr);
  return 1;
}

}  // namespace stele::sqlite
