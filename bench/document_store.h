// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What the document workload is run on: Stele, SQLite with JSON1 and indexes on expressions, RocksDB with indexes made
// by hand; each as well as we can. All have an index on grp and one on score.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace stele::bench {

inline constexpr std::size_t load_batch = 1000;

/// What reads delivered. Of all subjects the same.
struct Tally {
  std::uint64_t documents = 0;
  std::uint64_t hash = 0;  // of ids and sizes, in order

  void add(std::string_view json) {
    std::uint64_t id = 0;
    std::memcpy(&id, json.data() + 9, sizeof id);  // {"_id":"d00000017"
    hash = (hash ^ id ^ json.size()) * 0x9E3779B97F4A7C15u;
    ++documents;
  }
  friend bool operator==(const Tally&, const Tally&) = default;
};

class DocumentStore {
 public:
  virtual ~DocumentStore() = default;

  /// On disk when it returns; those that load in batches commit every load_batch.
  virtual void load(std::span<const std::string> documents) = 0;

  virtual void get(std::uint32_t number, Tally& tally) = 0;
  virtual void with_group(std::uint32_t group, Tally& tally) = 0;    // grp == group
  virtual void lowest_scores(std::uint32_t from, Tally& tally) = 0;  // score in [from, from + 20000), by score, 20
  virtual std::uint64_t count_zip(const std::string& zip) = 0;       // user.address.zip, without an index
  virtual std::uint64_t
  archive_pro() = 0;  // status = "archived", rev += 1 where user.plan is "pro"; one durable commit
};

std::unique_ptr<DocumentStore> make_stele_documents(const std::string& directory);
/// Loads with bulk_load.
std::unique_ptr<DocumentStore> make_stele_bulk_documents(const std::string& directory);
std::unique_ptr<DocumentStore> make_sqlite_documents(const std::string& directory);
std::unique_ptr<DocumentStore> make_rocksdb_documents(const std::string& directory);

}  // namespace stele::bench
