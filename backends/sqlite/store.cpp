// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/sqlite/store.h"

#include "backends/sqlite/errors.h"
#include "backends/sqlite/open.h"
#include "backends/sqlite/sql_text.h"
#include "engine/base/error.h"
#include "engine/base/files.h"
#include "engine/base/step.h"

#include <unistd.h>
#include <cerrno>

#include <algorithm>
#include <filesystem>

namespace stele::sqlite {

using storage::Author;

namespace {

constexpr std::int64_t format_version = 1;
constexpr std::int64_t outbox_slots = 257;
constexpr int outbox_fill_bytes = 2048;  // about 1 MB in all
constexpr std::size_t reader_cache_bytes = 512u << 10;
constexpr std::size_t writer_cache_bytes_min = 2u << 20;
constexpr std::size_t writer_cache_bytes_max = 256u << 20;
constexpr std::uint64_t log_header_bytes = 32;
constexpr std::uint64_t log_frame_bytes = 4096 + 24;

/// The main file's path with its directory resolved, so that NOFOLLOW concerns the file alone, and
/// absolute, so that SQLite sees neither a URI nor ":memory:".
std::string resolve(const std::string& path) {
  const std::filesystem::path given(path);
  const auto parent = given.has_parent_path() ? given.parent_path() : std::filesystem::path(".");
  std::error_code error;
  const auto directory = std::filesystem::canonical(parent, error);
  if (error) fail_errno("open the directory of", path, error.value());
  return (directory / given.filename()).string();
}

std::string directory_of(const std::string& path) { return std::filesystem::path(path).parent_path().string(); }

/// Reading a log takes shared memory, a file that SQLite makes. On a read-only file system that has none the database
/// can be read when its log is empty.
bool needs_no_log(const std::string& path) {
  if (exists(path + "-shm") || ::access(directory_of(path).c_str(), W_OK) == 0 || errno != EROFS) return false;
  if (file_size(path + "-wal") == 0) return true;
  fail(ErrorCode::io,
       text(path, "-shm: is missing, and cannot be made on a read-only file system, so the log beside it cannot be read; "
                  "copy the whole directory to a disk that can be written, and look at it there"),
       {{"store", "sqlite"}, {"file", path + "-shm"}, {"errno", std::to_string(EROFS)}});
}

bool has_table(SqliteConnection& connection, const char* name) {
  return sqlite3_table_column_metadata(connection.handle(), "main", name, nullptr, nullptr, nullptr, nullptr, nullptr,
                                       nullptr) == SQLITE_OK;
}

std::vector<std::string> lines(storage::Connection& connection, const char* sql) {
  std::vector<std::string> found;
  auto statement = connection.prepare(sql, Author::engine);
  while (statement->step()) found.emplace_back(statement->text(0));
  return found;
}

[[noreturn]] void fail_damaged(const std::string& path, std::string_view how) {
  fail(ErrorCode::corrupt,
       text(path, ": ", how, ", so it is damaged; run `stele check`; restore the whole directory from a backup"),
       {{"store", "relational"}, {"file", path}});
}

/// SQLite opens a file for reading, without a word, when it does not know the header's version for writing.
/// It is read through SQLite: a descriptor of our own would, when closed, drop the locks of this process.
bool forbids_writing(sqlite3* db) {
  constexpr int write_version_at = 18;
  constexpr unsigned char write_version_max = 2;
  sqlite3_file* file = nullptr;
  unsigned char version = 1;
  if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || !file || !file->pMethods ||
      file->pMethods->xRead(file, &version, 1, write_version_at) != SQLITE_OK)
    return false;
  return version > write_version_max;
}

constexpr const char* own_triggers_sql =
    "SELECT 'trigger \"' || name || '\" on the store''s own table \"' || tbl_name ||"
    " '\"; drop it with the sqlite3 program, or restore the whole directory from a backup' FROM sqlite_schema"
    " WHERE type = 'trigger' AND substr(lower(tbl_name), 1, 7) = '_stele_'";

}  // namespace

SqliteStore::SqliteStore(const storage::RelationalOptions& options)
    : path_(resolve(options.path)),
      options_(options),
      immutable_(options.read_only && needs_no_log(path_)),
      readers_(std::make_shared<ReaderPool>(
          [&] {
            ConnectionOptions reader = connection_options(reader_cache_bytes);
            reader.read_only = true;  // a write by a read connection is refused by SQLite itself
            return reader;
          }(),
          options.readers_max)) {
  if (!options_.create && !exists(path_))
    fail(ErrorCode::not_found, text("open ", path_, ": there is no such file"), {{"file", path_}});
  if (!options_.create && file_size(path_) == 0)
    fail_damaged(path_, "is empty");  // a new one to SQLite: its log would go
  open_writer();
  const auto triggers = lines(*writer_, own_triggers_sql);
  if (!triggers.empty())
    fail(ErrorCode::corrupt, text("open ", path_, ": ", triggers.front()),
         {{"file", path_}, {"findings", std::to_string(triggers.size())}});
}

ConnectionOptions SqliteStore::connection_options(std::size_t cache_bytes) const {
  return {.path = path_, .create = false, .read_only = options_.read_only, .immutable = immutable_, .cache_bytes = cache_bytes};
}

void SqliteStore::open_writer() {
  const std::size_t for_readers = options_.readers_max * reader_cache_bytes;
  const std::size_t rest = options_.memory_bytes > for_readers ? options_.memory_bytes - for_readers : 0;
  ConnectionOptions own = connection_options(std::clamp(rest, writer_cache_bytes_min, writer_cache_bytes_max));
  const bool fresh = options_.create && !options_.read_only && file_size(path_) == 0;
  own.create = fresh;
  try {
    writer_ = std::make_unique<SqliteConnection>(own);
  } catch (const Error& error) {
    // Opening runs statements of ours only: what SQLite finds wrong with them is the file's header.
    if (error.code() != ErrorCode::invalid || error.detail().at("sqlite") != code_name(SQLITE_ERROR)) throw;
    fail_damaged(path_, "has a header of a format that SQLite does not know");
  }
  if (forbids_writing(writer_->handle())) fail_damaged(path_, "has a header that forbids writing");
  if (options_.read_only) return;
  // A file that is neither new nor ours is looked at, and left in the mode it is in.
  if (fresh || has_table(*writer_, "_stele_meta")) writer_->enter_wal_mode();
  if (writer_->query_text("PRAGMA journal_mode") == "wal") open_log();
}

void SqliteStore::open_log() {
  writer_->query_text("SELECT count(*) FROM sqlite_schema");  // SQLite opens the log at its first read
  log_.emplace(path_ + "-wal");
  sync_directory(directory_of(path_));
  log_bytes_ = log_->bytes();
  sqlite3_wal_hook(writer_->handle(), &SqliteStore::on_commit, this);
}

int SqliteStore::on_commit(void* self, sqlite3*, const char*, int log_pages) {
  static_cast<SqliteStore*>(self)->log_bytes_.store(
      log_header_bytes + static_cast<std::uint64_t>(log_pages) * log_frame_bytes, std::memory_order_relaxed);
  return SQLITE_OK;
}

void SqliteStore::require_writable(std::string_view operation) const {
  if (options_.read_only) fail(ErrorCode::readonly, text(operation, ": the store was opened read-only"));
  if (!log_)
    fail(ErrorCode::corrupt, text(operation, ": ", path_, " is not a store's file: it has no write-ahead log"),
         {{"file", path_}});
}

std::unique_ptr<storage::Connection> SqliteStore::extra_connection() {
  return std::make_unique<SqliteConnection>(connection_options(reader_cache_bytes));
}

std::optional<storage::Identity> SqliteStore::identity(storage::Connection& connection) {
  if (!has_table(static_cast<SqliteConnection&>(connection), "_stele_meta")) return std::nullopt;
  storage::Identity identity;
  std::int64_t format = 0;
  auto statement = connection.prepare("SELECT key, value FROM _stele_meta", Author::engine);
  while (statement->step()) {
    const std::string_view key = statement->text(0);
    if (key == "store_id") identity.store_id = statement->text(1);
    if (key == "epoch") identity.epoch = static_cast<std::uint64_t>(statement->integer(1));
    if (key == "format") format = statement->integer(1);
  }
  if (identity.store_id.empty()) return std::nullopt;
  if (format != format_version)
    fail(ErrorCode::version, text(path_, ": its tables have format ", format, ", this program knows ", format_version),
         {{"format", std::to_string(format)}});
  return identity;
}

void SqliteStore::create(const storage::Identity& identity) {
  require_writable("create");
  // One transaction, then the log, then the names: before the last step a crash leaves a file
  // without identity, or one that is complete.
  writer_->begin_write(0);
  try {
    write_own_tables(identity);
    writer_->commit();
  } catch (...) {
    writer_->rollback();
    throw;
  }
  step("relational.created");
  sync_log();
  sync_directory(directory_of(path_));
}

void SqliteStore::write_own_tables(const storage::Identity& identity) {
  const auto run = [&](std::string_view sql, std::vector<Value> values) {
    auto statement = writer_->prepare(sql, Author::engine);
    statement->bind(values);
    while (statement->step()) continue;
  };
  run("CREATE TABLE IF NOT EXISTS _stele_meta(key TEXT PRIMARY KEY, value)", {});
  run("CREATE TABLE IF NOT EXISTS _stele_outbox(slot INTEGER PRIMARY KEY, gseq INTEGER NOT NULL, bytes BLOB NOT NULL)",
      {});
  const std::string_view set = "INSERT OR REPLACE INTO _stele_meta(key, value) VALUES(?, ?)";
  run(set, {"format", format_version});
  run(set, {"store_id", identity.store_id});
  run(set, {"epoch", static_cast<std::int64_t>(identity.epoch)});
  run("WITH RECURSIVE ring(slot) AS (SELECT 0 UNION ALL SELECT slot + 1 FROM ring WHERE slot + 1 < ?)"
      " INSERT OR IGNORE INTO _stele_outbox SELECT slot, 0, zeroblob(?) FROM ring",
      {outbox_slots, outbox_fill_bytes});
}

std::vector<storage::OutboxRow> SqliteStore::outbox(storage::Connection& connection) {
  std::vector<storage::OutboxRow> rows;
  auto statement =
      connection.prepare("SELECT slot, gseq, bytes FROM _stele_outbox WHERE gseq > 0 ORDER BY slot", Author::engine);
  while (statement->step()) {
    const auto bytes = statement->blob(2);
    rows.push_back({statement->integer(0), static_cast<std::uint64_t>(statement->integer(1)),
                    std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())});
  }
  return rows;
}

void SqliteStore::put_outbox(std::int64_t slot, std::uint64_t gseq, std::string_view bytes) {
  if (!writer_->in_transaction())
    fail(ErrorCode::aborted, "put_outbox: no write transaction is open", {{"cause", "ended by SQLite"}});
  SqliteConnection::Acting engine(*writer_, Author::engine);
  const auto prepared = [&](StatementHandle& statement, const char* sql) {
    if (statement) return statement.get();
    sqlite3_stmt* made = nullptr;
    const int result = sqlite3_prepare_v3(writer_->handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr);
    if (result != SQLITE_OK) throw make_error(writer_->handle(), result, {"prepare", sql});
    statement.reset(made);
    return made;
  };
  const char* update = "UPDATE _stele_outbox SET gseq = ?2, bytes = ?3 WHERE slot = ?1";
  const char* insert = "INSERT INTO _stele_outbox(slot, gseq, bytes) VALUES(?1, ?2, ?3)";
  if (!write_outbox(prepared(update_outbox_, update), slot, gseq, bytes))
    write_outbox(prepared(insert_outbox_, insert), slot, gseq, bytes);
}

/// False when the statement changed no row.
bool SqliteStore::write_outbox(sqlite3_stmt* statement, std::int64_t slot, std::uint64_t gseq, std::string_view bytes) {
  sqlite3* db = writer_->handle();
  sqlite3_bind_int64(statement, 1, slot);
  sqlite3_bind_int64(statement, 2, static_cast<std::int64_t>(gseq));
  const char* data = bytes.empty() ? "" : bytes.data();
  int result = sqlite3_bind_blob64(statement, 3, data, bytes.size(), SQLITE_STATIC);
  if (result == SQLITE_OK) result = sqlite3_step(statement);
  if (result != SQLITE_DONE) {
    Error error = make_error(db, result, {"write the outbox row"});
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    throw error;
  }
  sqlite3_reset(statement);
  sqlite3_bind_null(statement, 3);  // the bytes are the caller's
  return sqlite3_changes64(db) > 0;
}

void SqliteStore::sync_log() {
  require_writable("sync_log");
  log_->sync();
}

storage::CheckpointResult SqliteStore::run_checkpoint(SqliteConnection& connection, int mode) {
  log_->check_not_replaced();
  int log_frames = 0;
  int moved_frames = 0;
  const int result = sqlite3_wal_checkpoint_v2(connection.handle(), "main", mode, &log_frames, &moved_frames);
  // Another program reads or writes: what it needs stays in the log, the rest was moved.
  const bool busy = (result & 0xff) == SQLITE_BUSY;
  if ((result & 0xff) == SQLITE_READONLY) connection.fail_log_read_only();
  if (result != SQLITE_OK && !busy) throw make_error(connection.handle(), result, {"checkpoint"});
  const auto count = [](int frames) { return static_cast<std::uint64_t>(std::max(frames, 0)); };
  // All of it is in the database: the next commit begins the log anew, unless a reader still looks into it, and says so.
  if (result == SQLITE_OK && moved_frames == log_frames) log_bytes_ = 0;
  return {count(log_frames), count(moved_frames)};
}

storage::CheckpointResult SqliteStore::checkpoint() {
  require_writable("checkpoint");
  log_->check_not_replaced();
  if (!checkpointer_) {
    checkpointer_ = std::make_unique<SqliteConnection>(connection_options(reader_cache_bytes));
    checkpointer_->query_text("SELECT count(*) FROM sqlite_schema");
  }
  return run_checkpoint(*checkpointer_, SQLITE_CHECKPOINT_PASSIVE);
}

void SqliteStore::truncate_log() {
  require_writable("truncate_log");
  writer_->wait_for_others(0);
  run_checkpoint(*writer_, SQLITE_CHECKPOINT_TRUNCATE);
}

void SqliteStore::compact() {
  require_writable("compact");
  if (writer_->in_transaction()) fail(ErrorCode::invalid, "compact: a transaction is open; end it first");
  // The copy that VACUUM builds may be larger than memory.
  writer_->execute("PRAGMA temp_store = FILE");
  try {
    writer_->execute("VACUUM");
  } catch (...) {
    writer_->execute("PRAGMA temp_store = MEMORY");
    throw;
  }
  writer_->execute("PRAGMA temp_store = MEMORY");
}

std::vector<std::string> SqliteStore::verify(const Interrupt& interrupt) {
  constexpr const char* missing_parents_sql =
      "SELECT 'row ' || coalesce(rowid, '?') || ' of table \"' || \"table\" || '\" refers to a row of \"' || parent ||"
      " '\" that is not there; insert that one, delete this one, or restore the whole directory from a backup' FROM "
      "pragma_foreign_key_check";
  std::vector<std::string> findings;
  auto connection = extra_connection();
  connection->set_interrupt(&interrupt);
  for (const char* sql : {"PRAGMA integrity_check(1000)", missing_parents_sql, own_triggers_sql}) {
    try {  // damage may stop one check; the others still tell what they see
      for (auto& line : lines(*connection, sql)) findings.push_back(std::move(line));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::corrupt) throw;
      findings.emplace_back(error.what());
    }
  }
  std::erase(findings, "ok");
  return findings;
}

/// SQLite counts for the whole process only: other stores' caches are in the figure.
std::uint64_t SqliteStore::memory_bytes() const { return static_cast<std::uint64_t>(sqlite3_memory_used()); }

std::unique_ptr<storage::RelationalStore> open_sqlite(const storage::RelationalOptions& options) {
  return std::make_unique<SqliteStore>(options);
}

}  // namespace stele::sqlite
