// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/rocksdb/options.h"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>

namespace stele::rocks {

namespace {

enum class Packing { none, fast, dense };  // nothing; LZ4; LZ4, and ZSTD in the last level

struct KeyspaceChoice {
  storage::Keyspace keyspace;
  Packing packing;
  std::size_t block_bytes;
  bool values_are_long = false;
};

// Points are read from small blocks, JSON packs well in larger ones, floats do not pack at all. Documents are read one by
// one: of 2,000,000, most of them out of the cache, a get took 19 us with LZ4 and 28 us with ZSTD, for 29 % more disk.
constexpr KeyspaceChoice choices[] = {
    {storage::Keyspace::meta, Packing::none, 4096},      {storage::Keyspace::documents, Packing::fast, 8192, true},
    {storage::Keyspace::indexes, Packing::fast, 4096},   {storage::Keyspace::events, Packing::dense, 16384},
    {storage::Keyspace::cache, Packing::fast, 4096},     {storage::Keyspace::vectors, Packing::none, 8192},
    {storage::Keyspace::changes, Packing::dense, 16384},
};
static_assert(std::size(choices) == storage::keyspace_count);

constexpr std::size_t mib = 1u << 20;

bool supported(rocksdb::CompressionType type) {
  const auto types = rocksdb::GetSupportedCompressions();
  return std::find(types.begin(), types.end(), type) != types.end();
}

void set_packing(rocksdb::ColumnFamilyOptions& options, Packing packing) {
  options.compression = rocksdb::kNoCompression;
  options.bottommost_compression = rocksdb::kDisableCompressionOption;  // as the other levels
  if (packing != Packing::none && supported(rocksdb::kLZ4Compression)) options.compression = rocksdb::kLZ4Compression;
  if (packing == Packing::dense && supported(rocksdb::kZSTD)) options.bottommost_compression = rocksdb::kZSTD;
}

rocksdb::ColumnFamilyOptions make_keyspace_options(const KeyspaceChoice& choice, const Sizing& sizing) {
  rocksdb::ColumnFamilyOptions options;
  set_packing(options, choice.packing);

  options.write_buffer_size = sizing.write_buffer_bytes;
  options.arena_block_size = sizing.arena_block_bytes;

  // RocksDB must never stall or stop a write: that would happen after the commit point. Its triggers
  // are out of reach; pressure() makes the engine wait before it takes a lock.
  options.max_write_buffer_number = 1 << 20;
  options.level0_slowdown_writes_trigger = 1 << 20;
  options.level0_stop_writes_trigger = 1 << 20;
  options.soft_pending_compaction_bytes_limit = 0;
  options.hard_pending_compaction_bytes_limit = 0;

  options.level_compaction_dynamic_level_bytes = true;
  options.target_file_size_base = std::max(sizing.write_buffer_bytes, 2 * mib);
  options.max_bytes_for_level_base = 4 * options.target_file_size_base;
  options.force_consistency_checks = true;

  rocksdb::BlockBasedTableOptions table;
  table.block_size = choice.block_bytes;
  table.block_cache = sizing.cache;
  table.cache_index_and_filter_blocks = true;  // inside memory_bytes
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.whole_key_filtering = true;
  if (choice.values_are_long) {  // the keys are little: every one in full, found at once
    table.block_restart_interval = 1;
    table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  }
  table.format_version = 5;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

}  // namespace

Sizing make_sizing(const storage::KeyValueOptions& options) {
  // Of memory_bytes, two thirds for the block cache and one third for write buffers (50 % and 25 % of
  // all tiers' memory, of which this store gets 75 %).
  const std::size_t buffers = std::max(options.memory_bytes / 3, 1 * mib);
  Sizing sizing;
  sizing.write_buffer_bytes = options.write_buffer_bytes != 0 ? options.write_buffer_bytes : buffers / 2;
  sizing.write_buffer_bytes = std::max<std::size_t>(sizing.write_buffer_bytes, 64u << 10);  // RocksDB's least
  sizing.arena_block_bytes = std::clamp<std::size_t>(sizing.write_buffer_bytes / 16, 4096, 256u << 10);
  sizing.log_buffer_bytes = options.log_buffer_bytes != 0 ? options.log_buffer_bytes : 1 * mib;
  sizing.logs_bytes = 2 * std::min<std::uint64_t>(buffers, storage::keyspace_count * sizing.write_buffer_bytes);
  sizing.cache_bytes = options.memory_bytes - options.memory_bytes / 3;
  sizing.cache = rocksdb::NewLRUCache(sizing.cache_bytes, /*num_shard_bits=*/4);
  sizing.write_buffers = std::make_shared<rocksdb::WriteBufferManager>(buffers);
  return sizing;
}

rocksdb::DBOptions make_database_options(const storage::KeyValueOptions& options, const Sizing& sizing) {
  rocksdb::DBOptions db;
  db.create_if_missing = options.create;
  db.create_missing_column_families = options.create;

  // The log. atomic_flush is not used: it is for stores without a log. With one, recovery brings each
  // keyspace from its own flushed point to the log's end, and the logs are synced before a flush when
  // there are several keyspaces; a table that is ahead of a damaged log makes open fail.
  db.manual_wal_flush = true;  // flush_log says when
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  db.recycle_log_file_num = 0;
  db.track_and_verify_wals_in_manifest = true;
  // make_room frees logs at logs_bytes, long before RocksDB would do so inside a write; the distance is
  // for what is written while the tables are on their way to disk.
  db.max_total_wal_size = 8 * sizing.logs_bytes;
  db.writable_file_max_buffer_size = sizing.log_buffer_bytes;
  db.avoid_flush_during_shutdown = true;  // the log holds the data

  // No second try after a failure, and every check that is cheap.
  db.max_bgerror_resume_count = 0;
  db.paranoid_checks = true;
  db.verify_sst_unique_id_in_manifest = true;

  // One thread applies at a time, under the order lock.
  db.unordered_write = false;
  db.two_write_queues = false;
  db.allow_concurrent_memtable_write = false;
  db.enable_write_thread_adaptive_yield = false;

  db.max_background_jobs = 2;
  db.max_file_opening_threads = 2;
  db.write_buffer_manager = sizing.write_buffers;

  // An idle store wakes no thread and writes no statistics.
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  db.skip_stats_update_on_db_open = true;
  db.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  return db;
}

std::vector<rocksdb::ColumnFamilyDescriptor> make_column_families(const Sizing& sizing) {
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  families.emplace_back(rocksdb::kDefaultColumnFamilyName, make_keyspace_options(choices[0], sizing));
  for (const KeyspaceChoice& choice : choices)
    families.emplace_back(std::string(storage::name(choice.keyspace)), make_keyspace_options(choice, sizing));
  return families;
}

}  // namespace stele::rocks
