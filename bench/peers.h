// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// SQLite and RocksDB used directly.
#pragma once

#include <rocksdb/db.h>
#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace stele::bench {

/// An open file with statements prepared once. One thread at a time.
class Sqlite {
 public:
  explicit Sqlite(const std::string& path);
  Sqlite(const Sqlite&) = delete;
  ~Sqlite();

  void execute(const char* statement);
  sqlite3_stmt* prepare(const char* statement);
  /// Binds, steps once and, for a statement without rows, resets. Returns true on a row.
  bool run(sqlite3_stmt* statement) { return step(statement); }
  template <class... Rest>
  bool run(sqlite3_stmt* statement, std::int64_t first, const Rest&... rest) {
    int at = 0;
    bind(statement, ++at, first);
    (bind(statement, ++at, rest), ...);
    return step(statement);
  }

 private:
  void bind(sqlite3_stmt* statement, int at, std::int64_t value) { sqlite3_bind_int64(statement, at, value); }
  void bind(sqlite3_stmt* statement, int at, const std::string& value) {
    sqlite3_bind_text(statement, at, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
  }
  bool step(sqlite3_stmt* statement);
  [[noreturn]] void failed();

  sqlite3* db_ = nullptr;
  std::vector<sqlite3_stmt*> statements_;
};

std::unique_ptr<rocksdb::DB> open_rocksdb(const std::string& path);
void check(const rocksdb::Status& status);
/// 8 bytes, big-endian: as short as a key can be.
std::string rocksdb_key(int id);

}  // namespace stele::bench
