// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "bench/document_store.h"
#include "bench/generator.h"
#include "bench/peers.h"

#include <rocksdb/iterator.h>
#include <rocksdb/write_batch.h>

#include <cstdlib>
#include <stdexcept>

namespace stele::bench {

namespace {

class SqliteDocuments final : public DocumentStore {
 public:
  explicit SqliteDocuments(const std::string& directory) : sqlite_(directory + "/docs.db") {
    sqlite_.execute("PRAGMA cache_size=-262144");  // as much as all of Stele
    sqlite_.execute("CREATE TABLE docs(id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID");
    sqlite_.execute("CREATE INDEX docs_grp ON docs(json_extract(body, '$.grp'))");
    sqlite_.execute("CREATE INDEX docs_score ON docs(json_extract(body, '$.score'))");
    begin_ = sqlite_.prepare("BEGIN IMMEDIATE");
    commit_ = sqlite_.prepare("COMMIT");
    insert_ = sqlite_.prepare("INSERT INTO docs VALUES(?1, ?2)");
    get_ = sqlite_.prepare("SELECT body FROM docs WHERE id = ?1");
    group_ = sqlite_.prepare("SELECT body FROM docs WHERE json_extract(body, '$.grp') = ?1");
    scores_ = sqlite_.prepare(
        "SELECT body FROM docs WHERE json_extract(body, '$.score') >= ?1 AND json_extract(body, '$.score') < ?2 "
        "ORDER BY json_extract(body, '$.score') LIMIT 20");
    zip_ = sqlite_.prepare("SELECT count(*) FROM docs WHERE json_extract(body, '$.user.address.zip') = ?1");
    archive_ = sqlite_.prepare(
        "UPDATE docs SET body = json_set(body, '$.status', 'archived', '$.rev', json_extract(body, '$.rev') + 1) "
        "WHERE json_extract(body, '$.user.plan') = 'pro'");
  }

  void load(std::span<const std::string> documents) override {
    for (std::size_t i = 0; i < documents.size(); ++i) {
      if (i % load_batch == 0) sqlite_.run(begin_);
      bind_text(insert_, 1, std::string_view(documents[i]).substr(8, 9));
      bind_text(insert_, 2, documents[i]);
      sqlite_.run(insert_);
      if ((i + 1) % load_batch == 0 || i + 1 == documents.size()) sqlite_.run(commit_);
    }
  }

  void get(std::uint32_t number, Tally& tally) override {
    const std::string id = generated_id(number);
    bind_text(get_, 1, id);
    deliver(get_, tally);
  }

  void with_group(std::uint32_t group, Tally& tally) override {
    sqlite3_bind_int64(group_, 1, group);
    deliver(group_, tally);
  }

  void lowest_scores(std::uint32_t from, Tally& tally) override {
    sqlite3_bind_int64(scores_, 1, from);
    sqlite3_bind_int64(scores_, 2, from + 20'000);
    deliver(scores_, tally);
  }

  std::uint64_t count_zip(const std::string& zip) override {
    bind_text(zip_, 1, zip);
    sqlite_.run(zip_);
    const auto count = static_cast<std::uint64_t>(sqlite3_column_int64(zip_, 0));
    sqlite3_reset(zip_);
    return count;
  }

  std::uint64_t archive_pro() override {
    sqlite_.run(archive_);
    return static_cast<std::uint64_t>(sqlite3_changes(sqlite3_db_handle(archive_)));
  }

 private:
  static void bind_text(sqlite3_stmt* statement, int at, std::string_view text) {
    sqlite3_bind_text(statement, at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  }

  void deliver(sqlite3_stmt* statement, Tally& tally) {
    while (sqlite_.run(statement)) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
      tally.add({text, static_cast<std::size_t>(sqlite3_column_bytes(statement, 0))});
    }
  }

  Sqlite sqlite_;
  sqlite3_stmt *begin_, *commit_, *insert_, *get_, *group_, *scores_, *zip_, *archive_;
};

/// One keyspace: documents under "d" id, index entries under "g" grp id and "s" score id. Nothing is parsed: members
/// are looked for in the text.
class RocksdbDocuments final : public DocumentStore {
 public:
  explicit RocksdbDocuments(const std::string& directory) : db_(open_rocksdb(directory)) { durable_.sync = true; }

  void load(std::span<const std::string> documents) override {
    rocksdb::WriteBatch batch;
    for (const std::string& json : documents) {
      const std::string id = json.substr(8, 9);
      check(batch.Put("d" + id, json));
      check(batch.Put(entry('g', number_after(json, R"("grp":)")) + id, ""));
      check(batch.Put(entry('s', number_after(json, R"("score":)")) + id, ""));
      if (batch.Count() == 3 * load_batch || &json == &documents.back()) {
        check(db_->Write(durable_, &batch));
        batch.Clear();
      }
    }
  }

  void get(std::uint32_t number, Tally& tally) override { get("d" + generated_id(number), tally); }

  void with_group(std::uint32_t group, Tally& tally) override {
    by_entries(entry('g', group), entry('g', group + 1), 1 << 20, tally);
  }

  void lowest_scores(std::uint32_t from, Tally& tally) override {
    by_entries(entry('s', from), entry('s', from + 20'000), 20, tally);
  }

  std::uint64_t count_zip(const std::string& zip) override {
    const std::string wanted = R"("zip":")" + zip + "\"";
    std::uint64_t count = 0;
    const auto all = scan("d", "e");
    for (all->Seek("d"); all->Valid(); all->Next())
      count += ::memmem(all->value().data(), all->value().size(), wanted.data(), wanted.size()) != nullptr;
    check(all->status());
    return count;
  }

  std::uint64_t archive_pro() override {
    constexpr std::string_view wanted = R"("plan":"pro")";
    rocksdb::WriteBatch batch;
    const auto all = scan("d", "e");
    for (all->Seek("d"); all->Valid(); all->Next()) {
      if (!::memmem(all->value().data(), all->value().size(), wanted.data(), wanted.size())) continue;
      std::string json = all->value().ToString();
      const std::size_t status = json.find(R"("status":")") + 10;
      json.replace(status, json.find('"', status) - status, "archived");
      const std::size_t revision = json.find(R"("rev":)") + 6;
      json.replace(revision, json.find(',', revision) - revision, std::to_string(number_after(json, R"("rev":)") + 1));
      check(batch.Put(all->key(), json));
    }
    check(all->status());
    check(db_->Write(durable_, &batch));
    return static_cast<std::uint64_t>(batch.Count());
  }

 private:
  static std::uint32_t number_after(const std::string& json, const char* name) {
    return static_cast<std::uint32_t>(std::atoi(json.data() + json.find(name) + std::strlen(name)));
  }

  static std::string entry(char index, std::uint32_t value) {
    std::string key(1, index);
    for (int shift = 24; shift >= 0; shift -= 8) key += static_cast<char>(value >> shift);
    return key;
  }

  void get(const std::string& key, Tally& tally) {
    rocksdb::PinnableSlice value;
    check(db_->Get({}, db_->DefaultColumnFamily(), key, &value));
    tally.add({value.data(), value.size()});
  }

  std::unique_ptr<rocksdb::Iterator> scan(const rocksdb::Slice& begin, const rocksdb::Slice& end) {
    begin_ = begin;
    end_ = end;
    rocksdb::ReadOptions options;
    options.iterate_lower_bound = &begin_;
    options.iterate_upper_bound = &end_;
    return std::unique_ptr<rocksdb::Iterator>(db_->NewIterator(options));
  }

  void by_entries(const std::string& begin, const std::string& end, int limit, Tally& tally) {
    const auto entries = scan(begin, end);
    for (entries->SeekToFirst(); entries->Valid() && limit-- > 0; entries->Next()) {
      rocksdb::Slice id = entries->key();
      id.remove_prefix(begin.size());
      get("d" + id.ToString(), tally);
    }
    check(entries->status());
  }

  std::unique_ptr<rocksdb::DB> db_;
  rocksdb::WriteOptions durable_;
  rocksdb::Slice begin_, end_;
};

}  // namespace

std::unique_ptr<DocumentStore> make_sqlite_documents(const std::string& directory) {
  return std::make_unique<SqliteDocuments>(directory);
}
std::unique_ptr<DocumentStore> make_rocksdb_documents(const std::string& directory) {
  return std::make_unique<RocksdbDocuments>(directory + "/kv");
}

}  // namespace stele::bench
