// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Which caches there are, and their keys.
//   keyspace cache: (id cache) · key as it is  ->  i64 expires, µs of the store's time (2^63-1: never) · value
// A memory cache has only its definition on disk. Settings of a definition: {"memory":true,"bytes_max":…,"keys_max":…}.
#pragma once

#include "engine/cache/memory_cache.h"
#include "engine/cache/use_order.h"
#include "engine/catalog/catalog.h"
#include "engine/transaction/transaction.h"

#include <stele/cache.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace stele::cache {

using MemoryCachePtr = std::shared_ptr<MemoryCache>;
using UseOrderPtr = std::shared_ptr<UseOrder>;

class Caches {
 public:
  explicit Caches(catalog::Catalog& catalog) : catalog_(catalog) {}

  void create(transaction::Transaction& own, std::string_view name, const CacheOptions& options,
              const json::Limits& limits) const;
  bool drop(transaction::Transaction& own, std::string_view name);
  CacheOptions options(transaction::Reader& reader, std::string_view name) const;

  /// The table of a cache, as the reader sees it; `own`: the transaction that it is, or null. For reading: a cache that
  /// is not there has no keys. For writing it is made.
  std::unique_ptr<Table> table(transaction::Reader& reader, transaction::Transaction* own, const StoreClock& clock,
                               std::string_view name);
  std::unique_ptr<Table> table_to_write(transaction::Transaction& own, const StoreClock& clock, std::string_view name);
  /// Null: it is on disk, or there is none.
  MemoryCachePtr memory(transaction::Reader& reader, const StoreClock& clock, std::string_view name);

  /// Removes some expired keys of a cache on disk: looks at up to `keys` from the place on, and returns the next place;
  /// empty: the end. Of a bounded one also the least recently used, down to its bounds.
  std::string remove_expired(transaction::Transaction& own, const StoreClock& clock,
                             const catalog::Definition& definition, std::string_view place, std::size_t keys);
  void sweep_memory();

 private:
  /// What is in memory of a cache: itself, or, of a bounded one on disk, its keys' order of use.
  struct Kept {
    MemoryCachePtr memory;
    UseOrderPtr order;
  };
  Kept kept_of(const catalog::Definition& definition, const StoreClock& clock);
  std::unique_ptr<Table> table_of(const catalog::Definition& definition, transaction::Reader& reader,
                                  transaction::Transaction* own, const StoreClock& clock);

  catalog::Catalog& catalog_;
  std::mutex mutex_;
  // By id and settings: a transaction that is undone may have had the id for a cache of another kind.
  std::map<std::pair<std::uint64_t, std::string>, Kept> kept_;
};

std::string cache_prefix(std::uint64_t cache);
/// Reports entries of a cache on disk that cannot be read.
void check_cache(transaction::Reader& reader, std::uint64_t cache,
                 const std::function<void(const std::string& what)>& report);

}  // namespace stele::cache
