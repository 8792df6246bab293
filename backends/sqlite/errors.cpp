// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/sqlite/errors.h"

#include "backends/sqlite/sql_text.h"

#include <cerrno>
#include <cstring>
#include <system_error>

namespace stele::sqlite {

namespace {

struct Name {
  int code;
  const char* text;
};

#define STELE_NAME(code) \
  { code, #code }
constexpr Name names[] = {
    STELE_NAME(SQLITE_ERROR),
    STELE_NAME(SQLITE_INTERNAL),
    STELE_NAME(SQLITE_PERM),
    STELE_NAME(SQLITE_ABORT),
    STELE_NAME(SQLITE_ABORT_ROLLBACK),
    STELE_NAME(SQLITE_BUSY),
    STELE_NAME(SQLITE_BUSY_RECOVERY),
    STELE_NAME(SQLITE_BUSY_SNAPSHOT),
    STELE_NAME(SQLITE_BUSY_TIMEOUT),
    STELE_NAME(SQLITE_LOCKED),
    STELE_NAME(SQLITE_LOCKED_SHAREDCACHE),
    STELE_NAME(SQLITE_LOCKED_VTAB),
    STELE_NAME(SQLITE_NOMEM),
    STELE_NAME(SQLITE_READONLY),
    STELE_NAME(SQLITE_READONLY_RECOVERY),
    STELE_NAME(SQLITE_READONLY_CANTLOCK),
    STELE_NAME(SQLITE_READONLY_ROLLBACK),
    STELE_NAME(SQLITE_READONLY_DBMOVED),
    STELE_NAME(SQLITE_READONLY_CANTINIT),
    STELE_NAME(SQLITE_READONLY_DIRECTORY),
    STELE_NAME(SQLITE_INTERRUPT),
    STELE_NAME(SQLITE_IOERR),
    STELE_NAME(SQLITE_IOERR_READ),
    STELE_NAME(SQLITE_IOERR_SHORT_READ),
    STELE_NAME(SQLITE_IOERR_WRITE),
    STELE_NAME(SQLITE_IOERR_FSYNC),
    STELE_NAME(SQLITE_IOERR_DIR_FSYNC),
    STELE_NAME(SQLITE_IOERR_TRUNCATE),
    STELE_NAME(SQLITE_IOERR_FSTAT),
    STELE_NAME(SQLITE_IOERR_UNLOCK),
    STELE_NAME(SQLITE_IOERR_RDLOCK),
    STELE_NAME(SQLITE_IOERR_DELETE),
    STELE_NAME(SQLITE_IOERR_NOMEM),
    STELE_NAME(SQLITE_IOERR_ACCESS),
    STELE_NAME(SQLITE_IOERR_LOCK),
    STELE_NAME(SQLITE_IOERR_CLOSE),
    STELE_NAME(SQLITE_IOERR_SHMOPEN),
    STELE_NAME(SQLITE_IOERR_SHMSIZE),
    STELE_NAME(SQLITE_IOERR_SHMLOCK),
    STELE_NAME(SQLITE_IOERR_SHMMAP),
    STELE_NAME(SQLITE_IOERR_SEEK),
    STELE_NAME(SQLITE_IOERR_MMAP),
    STELE_NAME(SQLITE_IOERR_GETTEMPPATH),
    STELE_NAME(SQLITE_IOERR_DATA),
    STELE_NAME(SQLITE_IOERR_CORRUPTFS),
    STELE_NAME(SQLITE_CORRUPT),
    STELE_NAME(SQLITE_CORRUPT_VTAB),
    STELE_NAME(SQLITE_CORRUPT_SEQUENCE),
    STELE_NAME(SQLITE_CORRUPT_INDEX),
    STELE_NAME(SQLITE_NOTFOUND),
    STELE_NAME(SQLITE_FULL),
    STELE_NAME(SQLITE_CANTOPEN),
    STELE_NAME(SQLITE_CANTOPEN_ISDIR),
    STELE_NAME(SQLITE_CANTOPEN_FULLPATH),
    STELE_NAME(SQLITE_CANTOPEN_SYMLINK),
    STELE_NAME(SQLITE_PROTOCOL),
    STELE_NAME(SQLITE_SCHEMA),
    STELE_NAME(SQLITE_TOOBIG),
    STELE_NAME(SQLITE_CONSTRAINT),
    STELE_NAME(SQLITE_CONSTRAINT_CHECK),
    STELE_NAME(SQLITE_CONSTRAINT_COMMITHOOK),
    STELE_NAME(SQLITE_CONSTRAINT_FOREIGNKEY),
    STELE_NAME(SQLITE_CONSTRAINT_FUNCTION),
    STELE_NAME(SQLITE_CONSTRAINT_NOTNULL),
    STELE_NAME(SQLITE_CONSTRAINT_PRIMARYKEY),
    STELE_NAME(SQLITE_CONSTRAINT_TRIGGER),
    STELE_NAME(SQLITE_CONSTRAINT_UNIQUE),
    STELE_NAME(SQLITE_CONSTRAINT_VTAB),
    STELE_NAME(SQLITE_CONSTRAINT_ROWID),
    STELE_NAME(SQLITE_CONSTRAINT_PINNED),
    STELE_NAME(SQLITE_CONSTRAINT_DATATYPE),
    STELE_NAME(SQLITE_MISMATCH),
    STELE_NAME(SQLITE_MISUSE),
    STELE_NAME(SQLITE_NOLFS),
    STELE_NAME(SQLITE_AUTH),
    STELE_NAME(SQLITE_FORMAT),
    STELE_NAME(SQLITE_RANGE),
    STELE_NAME(SQLITE_NOTADB),
};
#undef STELE_NAME

std::string constraint_kind(int extended) {
  switch (extended) {
    case SQLITE_CONSTRAINT_UNIQUE: return "unique";
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID: return "primary_key";
    case SQLITE_CONSTRAINT_NOTNULL: return "not_null";
    case SQLITE_CONSTRAINT_CHECK: return "check";
    case SQLITE_CONSTRAINT_FOREIGNKEY: return "foreign_key";
    case SQLITE_CONSTRAINT_TRIGGER: return "trigger";
    case SQLITE_CONSTRAINT_DATATYPE: return "datatype";
    default: return "other";
  }
}

/// Which file operation an IOERR code is about.
std::string io_operation(int extended) {
  const std::string name = code_name(extended);
  const std::size_t start = std::strlen("SQLITE_IOERR_");
  if ((extended & 0xff) != SQLITE_IOERR || extended == SQLITE_IOERR) return "access";
  std::string operation = name.substr(start, name.find(' ') - start);
  for (char& c : operation) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return operation;
}

bool of_the_medium(int error_number) { return error_number == EIO || error_number == ENXIO; }

/// SQLite says `corrupt` of a page that the medium would not read. Its files still know why.
int failed_read(sqlite3* db) {
  int error_number = 0;
  if (sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &error_number) == SQLITE_OK &&
      of_the_medium(error_number))
    return error_number;
  sqlite3_file* log = nullptr;
  if (sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) != SQLITE_OK || !log || !log->pMethods)
    return 0;
  const int result = log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &error_number);
  return result == SQLITE_OK && of_the_medium(error_number) ? error_number : 0;
}

void add_io_detail(sqlite3* db, int result, Error::Detail& detail) {
  const char* file = sqlite3_db_filename(db, "main");
  detail["store"] = "relational";
  detail["file"] = file ? file : "";
  detail["operation"] = io_operation(result);
  detail["errno"] = std::to_string(sqlite3_system_errno(db));
}

}  // namespace

ErrorCode error_code(int extended) {
  if (extended == SQLITE_CANTOPEN_SYMLINK) return ErrorCode::invalid;
  switch (extended & 0xff) {
    case SQLITE_CONSTRAINT: return ErrorCode::constraint;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
    case SQLITE_SCHEMA: return ErrorCode::busy;
    case SQLITE_FULL:
    case SQLITE_NOMEM: return ErrorCode::full;  // may pass; at COMMIT only FULL means that nothing was written
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT: return ErrorCode::corrupt;
    case SQLITE_INTERRUPT: return ErrorCode::interrupted;
    case SQLITE_TOOBIG:
    case SQLITE_NOLFS: return ErrorCode::too_large;
    case SQLITE_READONLY: return ErrorCode::readonly;
    case SQLITE_ABORT: return ErrorCode::aborted;
    case SQLITE_AUTH: return ErrorCode::unsupported;
    case SQLITE_ERROR:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
    case SQLITE_NOTFOUND: return ErrorCode::invalid;
    default: return ErrorCode::io;  // IOERR, CANTOPEN, PERM, and what should never be seen
  }
}

std::string code_name(int extended) {
  const char* found = nullptr;
  for (const Name& name : names) {
    if (name.code == extended) return text(name.text, " (", extended, ")");
    if (name.code == (extended & 0xff)) found = name.text;
  }
  return text(found ? found : "SQLITE", " (", extended, ")");
}

Error make_error(sqlite3* db, int result, const Context& context) {
  ErrorCode code = error_code(result);
  std::string said = db ? sqlite3_errmsg(db) : sqlite3_errstr(result);
  const int unread = code == ErrorCode::corrupt && db ? failed_read(db) : 0;
  if (unread != 0) {
    code = ErrorCode::io;
    said = text("read: ", std::generic_category().message(unread));
  }
  Error::Detail detail{{"sqlite", code_name(result)}};
  if (code == ErrorCode::interrupted && context.interrupt) {
    try {
      context.interrupt->check();
    } catch (const Error& why) {
      detail.insert(why.detail().begin(), why.detail().end());
      return Error(code, text(why.what(), context.sql.empty() ? "" : "; SQL: ", shorten(context.sql)), detail);
    }
  }
  if (code == ErrorCode::constraint) {
    detail["constraint"] = constraint_kind(result);
    detail["message"] = said;
  }
  if (code == ErrorCode::io || code == ErrorCode::full || code == ErrorCode::corrupt) add_io_detail(db, result, detail);
  if (unread != 0) {
    detail["operation"] = "read";
    detail["errno"] = std::to_string(unread);
  }
  if (code == ErrorCode::invalid) {
    const int offset = sqlite3_error_offset(db);
    if (offset >= 0) detail["offset"] = std::to_string(offset);
  }
  std::string message;
  if (code == ErrorCode::corrupt) {  // whatever the statement was
    message =
        text(detail["file"], ": is damaged (", said, "); run `stele check`; restore the whole directory from a backup");
  } else if (code == ErrorCode::io) {
    const int error_number = std::stoi(detail["errno"]);
    const std::string why = error_number == 0 || unread != 0 ? "" : std::generic_category().message(error_number);
    const std::string& file = detail["file"];  // empty when it could not be opened; then the operation names it
    message = text(context.operation, file.empty() ? "" : " ", file, ": ", said, why.empty() ? "" : ": ", why);
  } else if ((result & 0xff) == SQLITE_FULL) {
    const std::string& file = detail["file"];
    message = text(context.operation, file.empty() ? "" : " ", file, ": the disk is full (", said, "); nothing was written: make room and try again");
  } else {
    message = text(context.operation, ": ", said, context.sql.empty() ? "" : "; SQL: ", shorten(context.sql));
  }
  return Error(code, message, std::move(detail));
}

}  // namespace stele::sqlite
