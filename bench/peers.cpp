// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "bench/peers.h"

#include "bench/schema.h"
#include "bench/subject.h"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <filesystem>
#include <mutex>
#include <stdexcept>

namespace stele::bench {

// ---- SQLite

Sqlite::Sqlite(const std::string& path) {
  if (sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr))
    failed();
  execute("PRAGMA journal_mode=WAL");
  execute("PRAGMA synchronous=FULL");
  execute("PRAGMA secure_delete=OFF");
  execute("PRAGMA foreign_keys=ON");
  execute("PRAGMA temp_store=MEMORY");
  execute("PRAGMA cache_size=-39321");  // 15 % of 256 MB: what Stele gives its own
}

Sqlite::~Sqlite() {
  for (sqlite3_stmt* statement : statements_) sqlite3_finalize(statement);
  sqlite3_close(db_);
}

void Sqlite::failed() { throw std::runtime_error(std::string("sqlite: ") + sqlite3_errmsg(db_)); }

void Sqlite::execute(const char* statement) {
  if (sqlite3_exec(db_, statement, nullptr, nullptr, nullptr)) failed();
}

sqlite3_stmt* Sqlite::prepare(const char* statement) {
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v3(db_, statement, -1, SQLITE_PREPARE_PERSISTENT, &prepared, nullptr)) failed();
  statements_.push_back(prepared);
  return prepared;
}

bool Sqlite::step(sqlite3_stmt* statement) {
  switch (sqlite3_step(statement)) {
    case SQLITE_ROW: return true;
    case SQLITE_DONE: sqlite3_reset(statement); return false;
    default: failed();
  }
}

// ---- RocksDB

void check(const rocksdb::Status& status) {
  if (!status.ok()) throw std::runtime_error("rocksdb: " + status.ToString());
}

std::string rocksdb_key(int id) {
  std::string key(8, '\0');
  for (std::size_t i = 0; i < 4; ++i) key[7 - i] = static_cast<char>(id >> (8 * i));
  return key;
}

std::unique_ptr<rocksdb::DB> open_rocksdb(const std::string& path) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.max_background_jobs = 2;
  options.info_log_level = rocksdb::ERROR_LEVEL;
  options.stats_dump_period_sec = 0;
  options.compression = rocksdb::kLZ4Compression;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(128u << 20);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  rocksdb::DB* db = nullptr;
  check(rocksdb::DB::Open(options, path, &db));
  return std::unique_ptr<rocksdb::DB>(db);
}

namespace {

void preload(rocksdb::DB& db) {
  Random random(99);
  for (int id = 1; id <= document_count;) {
    rocksdb::WriteBatch batch;
    for (int i = 0; i < 1000 && id <= document_count; ++i, ++id)
      check(batch.Put(rocksdb_key(id), make_document(id, random)));
    check(db.Write(rocksdb::WriteOptions(), &batch));
  }
}

void write_documents(rocksdb::DB& db, const Payload& payload) {
  rocksdb::WriteBatch batch;
  for (std::size_t i = 0; i < payload.ids.size(); ++i) check(batch.Put(rocksdb_key(payload.ids[i]), payload.json[i]));
  rocksdb::WriteOptions options;
  options.sync = true;
  check(db.Write(options, &batch));
}

/// Threads queue at a mutex of ours, not in SQLite's busy handler, which sleeps.
class AllInSqlite : public Subject {
 public:
  AllInSqlite(const std::string& directory, Preload preload)
      : sqlite_((std::filesystem::create_directory(directory), directory + "/all.db")) {
    for (const char* statement : schema) sqlite_.execute(statement);
    sqlite_.execute("CREATE TABLE docs(id INTEGER PRIMARY KEY, body TEXT)");
    sqlite_.execute(fill_accounts);
    begin_ = sqlite_.prepare("BEGIN IMMEDIATE");
    commit_ = sqlite_.prepare("COMMIT");
    update_account_ = sqlite_.prepare(update_account);
    insert_order_ = sqlite_.prepare(insert_order);
    put_ = sqlite_.prepare("INSERT OR REPLACE INTO docs VALUES(?1, ?2)");
    select_account_ = sqlite_.prepare(select_account);
    set_account_ = sqlite_.prepare(set_account);
    get_ = sqlite_.prepare("SELECT body FROM docs WHERE id = ?1");
    if (preload == Preload::rows) return;
    Random random(99);
    sqlite_.run(begin_);
    for (int id = 1; id <= document_count; ++id) sqlite_.run(put_, id, make_document(id, random));
    sqlite_.run(commit_);
  }

  int cross(const Payload& payload) override {
    return transaction([&] {
      write_rows(payload);
      put_documents(payload);
    });
  }
  int rows(const Payload& payload) override {
    return transaction([&] { write_rows(payload); });
  }
  int documents(const Payload& payload) override {
    return transaction([&] { put_documents(payload); });
  }
  int update_row(int account) override {
    return transaction([&] {
      sqlite_.run(select_account_, account);
      const std::int64_t balance = sqlite3_column_int64(select_account_, 0);
      sqlite3_reset(select_account_);
      sqlite_.run(set_account_, account, balance + 1);
    });
  }
  int update_document(int id) override {
    return transaction([&] {
      sqlite_.run(get_, id);
      std::string json(reinterpret_cast<const char*>(sqlite3_column_text(get_, 0)));
      sqlite3_reset(get_);
      char& last = json[json.size() - 3];
      last = last == 'z' ? 'a' : 'z';
      sqlite_.run(put_, id, json);
    });
  }

 protected:
  template <class Body>
  int transaction(Body&& body) {
    std::lock_guard guard(mutex_);
    sqlite_.run(begin_);
    body();
    sqlite_.run(commit_);
    return 0;
  }
  void write_rows(const Payload& payload) {
    sqlite_.run(update_account_, payload.account, payload.order % 7);
    sqlite_.run(insert_order_, payload.order, payload.account, payload.order % 100);
  }
  void put_documents(const Payload& payload) {
    for (std::size_t i = 0; i < payload.ids.size(); ++i) sqlite_.run(put_, payload.ids[i], payload.json[i]);
  }

 private:
  Sqlite sqlite_;
  std::mutex mutex_;
  sqlite3_stmt* begin_;
  sqlite3_stmt* commit_;
  sqlite3_stmt* update_account_;
  sqlite3_stmt* insert_order_;
  sqlite3_stmt* put_;
  sqlite3_stmt* select_account_;
  sqlite3_stmt* set_account_;
  sqlite3_stmt* get_;
};

class TwoStores final : public AllInSqlite {
 public:
  explicit TwoStores(const std::string& directory)
      : AllInSqlite(directory, Preload::rows), rocksdb_(open_rocksdb(directory + "/kv")) {
    preload(*rocksdb_);
  }
  int cross(const Payload& payload) override {
    rows(payload);
    write_documents(*rocksdb_, payload);
    return 0;
  }

 private:
  std::unique_ptr<rocksdb::DB> rocksdb_;
};

class Rocksdb final : public Subject {
 public:
  explicit Rocksdb(const std::string& directory) : rocksdb_(open_rocksdb(directory)) { preload(*rocksdb_); }
  int documents(const Payload& payload) override {
    write_documents(*rocksdb_, payload);
    return 0;
  }

 private:
  std::unique_ptr<rocksdb::DB> rocksdb_;
};

}  // namespace

std::unique_ptr<Subject> make_sqlite(const std::string& directory, Preload preload) {
  return std::make_unique<AllInSqlite>(directory, preload);
}
std::unique_ptr<Subject> make_rocksdb(const std::string& directory) { return std::make_unique<Rocksdb>(directory); }
std::unique_ptr<Subject> make_two_stores(const std::string& directory) {
  return std::make_unique<TwoStores>(directory);
}

}  // namespace stele::bench
