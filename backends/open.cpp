// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The only file that knows every bundled backend.
#include "backends/flat/open.h"
#include "backends/hnsw/open.h"
#include "backends/memory/open.h"
#include "backends/rocksdb/open.h"
#include "backends/sqlite/open.h"
#include "engine/database/scope.h"
#include "engine/storage/registry.h"

#include <stele/database.h>

namespace stele {

namespace storage {

Registry& registry() {
  static Registry bundled = [] {
    Registry registry;
    registry.add_relational("sqlite", sqlite::open_sqlite);
    registry.add_key_value("rocksdb", rocks::open_rocksdb,
                           {.durable_log = true, .append_barrier = true, .snapshots = true});
    registry.add_key_value("memory", memory::open_memory, {.snapshots = true});
    registry.add_vector_index("hnsw", {hnsw::make_hnsw, hnsw::load_hnsw});
    registry.add_vector_index("flat", {flat::make_flat});
    return registry;
  }();
  return bundled;
}

}  // namespace storage

Database Database::open(const std::string& directory, const Options& options) {
  return detail::open_database(directory, options, false);
}

}  // namespace stele
