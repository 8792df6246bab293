// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/storage/key_value.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace rocksdb {
class Cache;
class WriteBufferManager;
struct ColumnFamilyDescriptor;
struct DBOptions;
}  // namespace rocksdb

namespace stele::rocks {

/// Sizes derived from the caller's options, and the objects that hold to them.
struct Sizing {
  std::size_t write_buffer_bytes;  // of one keyspace
  std::size_t arena_block_bytes;   // in which a write buffer grows
  std::size_t log_buffer_bytes;    // what the log may hold back from the operating system
  std::uint64_t logs_bytes;        // at which make_room writes out what keeps old logs alive
  std::size_t cache_bytes;         // of blocks and rows together; the blocks give up what the rows take
  std::shared_ptr<rocksdb::Cache> cache;
  std::shared_ptr<rocksdb::WriteBufferManager> write_buffers;
};

Sizing make_sizing(const storage::KeyValueOptions& options);

/// Everything but env, info_log and listeners.
rocksdb::DBOptions make_database_options(const storage::KeyValueOptions& options, const Sizing& sizing);

/// "default", which must exist and stays empty, then one for each keyspace in order.
std::vector<rocksdb::ColumnFamilyDescriptor> make_column_families(const Sizing& sizing);

}  // namespace stele::rocks
