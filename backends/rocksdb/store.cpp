// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The store over an open RocksDB.
//
// When apply() reaches a file. RocksDB writes inside DB::Write only (1) when its log buffer is full,
// (2) when the *previous* write filled a memory table, (3) when all memory tables together pass the
// write buffer manager's limit, (4) when the logs pass max_total_wal_size. needs_room() foresees each
// from figures that over-estimate, at 7/8 of the limit (the logs: at 1/8), and make_room() does the
// same work ahead, outside the engine's locks. What remains: a batch larger than the log buffer goes
// straight to the log file. All this only saves waiting; the guarantee is before_append.
#include "backends/rocksdb/store.h"

#include "backends/rocksdb/cursor.h"
#include "backends/rocksdb/errors.h"
#include "backends/rocksdb/logger.h"
#include "backends/rocksdb/row_cache.h"
#include "backends/rocksdb/uncounted.h"
#include "engine/base/error.h"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>
#include <rocksdb/snapshot.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>
#include <limits>
#include <mutex>

namespace stele::rocks {

namespace {

using storage::Batch;
using storage::Keyspace;
using storage::KeyValueSnapshot;

constexpr std::size_t protection_bytes_per_key = 8;  // RocksDB checks each entry on its way to memory table and log
constexpr std::size_t kept_batch_bytes_max = 1u << 20;

// Of one MultiGet; RocksDB itself works on 32 keys at a time.
constexpr std::size_t together_max = 32;
constexpr std::uint64_t together_bytes_max = 4u << 20;
constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

// Where waiting begins; RocksDB itself would go on.
constexpr double level0_files_max = 32;
constexpr double waiting_tables_max = 6;

/// What a batch takes in the log: RocksDB's header, ours is laid out as theirs otherwise, and 7 bytes
/// for each fragment of a 32 KiB block, with up to 6 bytes of padding at a block's end.
std::size_t log_bytes(std::size_t batch_bytes) {
  const std::size_t record = batch_bytes + 12;
  return record + 13 * (record / 32768 + 2);
}

/// At most what an entry takes in a memory table: skip list node, lengths, sequence number, and what
/// is lost at the end of an arena block.
std::uint64_t table_bytes(const Batch::Operation& operation) {
  const std::size_t entry = operation.key.size() + operation.value.size();
  return entry + entry / 8 + 64;
}

bool nearly(std::uint64_t amount, std::uint64_t limit) { return amount > limit / 8 * 7; }

class Snapshot final : public KeyValueSnapshot {
 public:
  explicit Snapshot(rocksdb::DB& db) : db_(db), snapshot_(db.GetSnapshot()) {}
  ~Snapshot() override { db_.ReleaseSnapshot(snapshot_); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  const rocksdb::Snapshot* get() const { return snapshot_; }

 private:
  rocksdb::DB& db_;
  const rocksdb::Snapshot* snapshot_;
};

class Store final : public storage::KeyValueStore {
 public:
  explicit Store(Opened opened)
      : o_(std::move(opened)), batch_(0, 0, protection_bytes_per_key, 0), rows_(rows_bytes_max()) {
    measure();
  }
  ~Store() override;

  storage::Capabilities capabilities() const override {
    return {.durable_log = true, .append_barrier = true, .snapshots = true};
  }

  std::unique_ptr<KeyValueSnapshot> snapshot() override { return std::make_unique<Snapshot>(*o_.db); }
  bool get(Keyspace keyspace, std::string_view key, const KeyValueSnapshot* at, std::string& value) override;
  void get_many(Keyspace keyspace, std::span<const std::string_view> keys, const KeyValueSnapshot* at,
                const Visit& visit) override;
  std::unique_ptr<storage::Cursor> scan(Keyspace keyspace, storage::KeyRange range,
                                        const KeyValueSnapshot* at) override;

  void apply(const Batch& batch) override;
  bool needs_room(std::size_t batch_bytes) const override;
  void make_room() override;
  void flush_log() override;
  void sync_log() override;

  storage::Pressure pressure() const override;
  storage::KeyValueFigures figures() const override;
  std::uint64_t approximate_bytes(Keyspace keyspace, const storage::KeyRange& range) const override;
  void flush() override;
  void verify(const Interrupt& interrupt) override;

 private:
  rocksdb::ColumnFamilyHandle* family(std::size_t keyspace) const { return o_.families[keyspace + 1]; }
  rocksdb::ColumnFamilyHandle* family(Keyspace keyspace) const { return family(static_cast<std::size_t>(keyspace)); }
  std::vector<rocksdb::ColumnFamilyHandle*> keyspaces() const { return {o_.families.begin() + 1, o_.families.end()}; }

  rocksdb::ReadOptions read_options(const KeyValueSnapshot* at) const;
  bool get_from_tables(Keyspace keyspace, std::string_view key, const KeyValueSnapshot* at, std::string& value);
  void get_many_from_tables(Keyspace keyspace, std::span<const std::string_view> keys, const KeyValueSnapshot* at,
                            const Visit& visit);
  std::size_t rows_bytes_max() const;
  void share_memory();

  void expect_writable() const;
  void announce(const Batch& batch);
  void announce_written(const Batch& batch);
  void finish_write(const rocksdb::Status& status, std::string_view operation);
  void fill(const Batch& batch, std::array<std::uint64_t, storage::keyspace_count>& grown);

  void write_log_buffer();
  void seal(std::size_t keyspace);
  void verify_tables(const Interrupt& interrupt);
  std::size_t largest() const;
  bool tables_need_room() const;
  bool logs_need_room() const;
  void measure() const;
  std::uint64_t property(std::size_t keyspace, const std::string& name) const;

  const Opened o_;
  const rocksdb::ReadOptions now_;
  rocksdb::WriteBatch batch_;                     // used by the one thread that applies
  RowCache rows_;                                 // of keyspace documents
  std::atomic<std::size_t> rows_shared_{0};       // what the block cache has given up for them
  std::mutex log_buffer_mutex_;                   // held while the log buffer is written
  std::atomic<std::uint64_t> log_buffered_{0};    // at most what the log buffer holds
  std::atomic<std::uint64_t> logs_sealed_at_{0};  // the logs' size when all tables were sealed to free them
};

Store::~Store() {
  // What was not flushed stays unwritten, as after a kill: no surprise for the barrier's owner.
  rocksdb::CancelAllBackgroundWork(o_.db, /*wait=*/true);
  o_.gate->failure.stop();
  for (auto* handle : o_.families) o_.db->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  o_.db->Close().PermitUncheckedError();
  delete o_.db;
}

// Reading

rocksdb::ReadOptions Store::read_options(const KeyValueSnapshot* at) const {
  rocksdb::ReadOptions options;
  if (at != nullptr) options.snapshot = static_cast<const Snapshot*>(at)->get();
  return options;
}

bool kept_in_rows(Keyspace keyspace) { return keyspace == Keyspace::documents; }

std::uint64_t moment_of(const KeyValueSnapshot* at) {
  return at ? static_cast<const Snapshot*>(at)->get()->GetSequenceNumber() : RowCache::now;
}

/// The blocks keep a quarter of the cache and what indexes and filters of the tables there are take, half of it at most.
std::size_t Store::rows_bytes_max() const {
  constexpr std::uint64_t table_bytes_an_index_byte = 40;
  std::uint64_t tables = 0;
  for (std::size_t k = 0; k < storage::keyspace_count; ++k)
    tables += property(k, rocksdb::DB::Properties::kTotalSstFilesSize);
  const std::uint64_t all = o_.sizing.cache_bytes;
  return all - std::min(all / 2, all / 4 + tables / table_bytes_an_index_byte);
}

/// Rows are copies, so the block cache makes room for them.
void Store::share_memory() {
  const std::size_t rows = rows_.bytes();
  if (rows_shared_.exchange(rows, std::memory_order_relaxed) != rows)
    o_.sizing.cache->SetCapacity(o_.sizing.cache_bytes - std::min(rows, o_.sizing.cache_bytes));
}

bool Store::get_from_tables(Keyspace keyspace, std::string_view key, const KeyValueSnapshot* at, std::string& value) {
  const Uncounted uncounted;
  const rocksdb::Status status =
      o_.db->Get(at ? read_options(at) : now_, family(keyspace), key, &value);
  if (status.ok()) return true;
  if (!status.IsNotFound()) check(status, text("get from ", name(keyspace)), o_.path);
  return false;
}

bool Store::get(Keyspace keyspace, std::string_view key, const KeyValueSnapshot* at, std::string& value) {
  if (!kept_in_rows(keyspace)) return get_from_tables(keyspace, key, at, value);
  value.clear();
  if (rows_.get(key, moment_of(at), value)) return true;
  // The moment first: what is read may be newer, and then a write has been announced.
  const std::uint64_t moment = at ? moment_of(at) : o_.db->GetLatestSequenceNumber();
  if (!get_from_tables(keyspace, key, at, value)) return false;
  rows_.put(key, value, moment);
  share_memory();
  return true;
}

void Store::get_many(Keyspace keyspace, std::span<const std::string_view> keys, const KeyValueSnapshot* at,
                     const Visit& visit) {
  if (!kept_in_rows(keyspace)) return get_many_from_tables(keyspace, keys, at, visit);
  std::array<std::string_view, together_max> missing;
  std::array<std::size_t, together_max> places, begins;
  std::string found;
  for (std::size_t first = 0; first < keys.size(); first += together_max) {
    const std::size_t count = std::min(together_max, keys.size() - first);
    const std::uint64_t moment = at ? moment_of(at) : o_.db->GetLatestSequenceNumber();
    std::size_t missed = 0;
    found.clear();
    for (std::size_t i = 0; i < count; ++i) {
      begins[i] = found.size();
      if (rows_.get(keys[first + i], moment_of(at), found)) continue;
      begins[i] = none;
      places[missed] = i;
      missing[missed++] = keys[first + i];
    }
    std::size_t told = 0;  // of this round's keys
    bool more = true;
    const auto tell_rows = [&](std::size_t until) {
      for (; told < until && more; ++told) {
        if (begins[told] == none) continue;
        std::size_t next = told + 1;
        while (next < count && begins[next] == none) ++next;
        const std::size_t end = next < count ? begins[next] : found.size();
        more = visit(first + told, std::string_view(found).substr(begins[told], end - begins[told]));
      }
    };
    if (missed > 0)
      get_many_from_tables(keyspace, std::span(missing).first(missed), at, [&](std::size_t i, std::string_view value) {
        rows_.put(missing[i], value, moment);
        tell_rows(places[i]);
        told = places[i] + 1;
        more = more && visit(first + places[i], value);
        return more;
      });
    tell_rows(count);
    if (!more) break;
  }
  share_memory();
}

void Store::get_many_from_tables(Keyspace keyspace, std::span<const std::string_view> keys, const KeyValueSnapshot* at,
                                 const Visit& visit) {
  const Uncounted uncounted;
  rocksdb::ReadOptions options = read_options(at);
  options.value_size_soft_limit = together_bytes_max;  // what would exceed it comes back as aborted
  std::array<rocksdb::Slice, together_max> slices;
  std::array<rocksdb::PinnableSlice, together_max> values;
  std::array<rocksdb::Status, together_max> statuses;
  for (std::size_t first = 0; first < keys.size(); first += together_max) {
    const std::size_t count = std::min(together_max, keys.size() - first);
    for (std::size_t i = 0; i < count; ++i) {
      slices[i] = keys[first + i];
      values[i].Reset();
    }
    o_.db->MultiGet(options, family(keyspace), count, slices.data(), values.data(), statuses.data(),
                    /*sorted_input=*/true);
    for (std::size_t i = 0; i < count; ++i) {
      if (statuses[i].IsAborted()) {
        values[i].Reset();
        statuses[i] = o_.db->Get(options, family(keyspace), slices[i], &values[i]);
      }
      if (statuses[i].IsNotFound()) continue;
      check(statuses[i], text("get from ", name(keyspace)), o_.path);
      if (!visit(first + i, {values[i].data(), values[i].size()})) return;
      values[i].Reset();
    }
  }
}

std::unique_ptr<storage::Cursor> Store::scan(Keyspace keyspace, storage::KeyRange range, const KeyValueSnapshot* at) {
  rocksdb::ReadOptions options = read_options(at);
  options.total_order_seek = true;
  return make_cursor(*o_.db, family(keyspace), options, std::move(range), o_.path);
}

// Writing

void Store::expect_writable() const {
  if (o_.read_only)
    fail(ErrorCode::readonly, text("key-value store ", o_.path, ": it is open for reading only"),
         {{"store", "rocksdb"}});
  o_.gate->failure.check();
}

/// RocksDB does not hear of failures of its log (see file_system.h), so OK from it is not enough.
void Store::finish_write(const rocksdb::Status& status, std::string_view operation) {
  if (!status.ok()) {
    Error error = error_of(status, operation, o_.path);
    o_.gate->failure.report(error);
  }
  if (o_.gate->failure.happened()) o_.gate->failure.throw_cause();
}

void Store::fill(const Batch& batch, std::array<std::uint64_t, storage::keyspace_count>& grown) {
  rocksdb::Status status;
  batch.for_each([&](const Batch::Operation& operation) {
    if (!status.ok()) return;
    auto* into = family(operation.keyspace);
    switch (operation.kind) {
      case Batch::Operation::Kind::put: status = batch_.Put(into, operation.key, operation.value); break;
      case Batch::Operation::Kind::erase: status = batch_.Delete(into, operation.key); break;
      case Batch::Operation::Kind::erase_range:
        status = batch_.DeleteRange(into, operation.key, operation.value);
        break;
    }
    grown[static_cast<std::size_t>(operation.keyspace)] += table_bytes(operation);
  });
  check(status, "build a batch", o_.path);
}

void Store::announce(const Batch& batch) {
  batch.for_each([&](const Batch::Operation& operation) {
    if (!kept_in_rows(operation.keyspace)) return;
    switch (operation.kind) {
      case Batch::Operation::Kind::put: rows_.writing(operation.key, operation.value); break;
      case Batch::Operation::Kind::erase: rows_.writing(operation.key, std::nullopt); break;
      case Batch::Operation::Kind::erase_range: rows_.writing_all(); break;
    }
  });
  share_memory();
}

void Store::announce_written(const Batch& batch) {
  const std::uint64_t moment = o_.db->GetLatestSequenceNumber();
  batch.for_each([&](const Batch::Operation& operation) {
    if (!kept_in_rows(operation.keyspace)) return;
    if (operation.kind == Batch::Operation::Kind::erase_range) {
      rows_.written_all(moment);
    } else {
      rows_.written(operation.key, moment);
    }
  });
}

void Store::apply(const Batch& batch) {
  expect_writable();
  if (batch.empty()) return;
  std::array<std::uint64_t, storage::keyspace_count> grown{};
  batch_.Clear();
  fill(batch, grown);
  announce(batch);

  log_buffered_.fetch_add(log_bytes(batch.bytes()), std::memory_order_relaxed);
  const Uncounted uncounted;
  const rocksdb::Status status = o_.db->Write(rocksdb::WriteOptions(), &batch_);
  if (status.ok()) announce_written(batch);  // otherwise the store takes no more writes
  for (std::size_t k = 0; k < grown.size(); ++k) {
    if (grown[k] != 0) (*o_.load)[k].memory.fetch_add(grown[k], std::memory_order_relaxed);
  }
  if (batch_.GetDataSize() > kept_batch_bytes_max) batch_ = rocksdb::WriteBatch(0, 0, protection_bytes_per_key, 0);
  finish_write(status, "write");
}

void Store::flush_log() {
  expect_writable();
  write_log_buffer();
}

void Store::write_log_buffer() {
  std::lock_guard guard(log_buffer_mutex_);  // two would both take away what the first has written
  const std::uint64_t before = log_buffered_.load(std::memory_order_relaxed);
  const rocksdb::Status status = o_.db->FlushWAL(/*sync=*/false);
  finish_write(status, "write of the log");
  log_buffered_.fetch_sub(before, std::memory_order_relaxed);
}

void Store::sync_log() {
  expect_writable();
  finish_write(o_.db->SyncWAL(), "sync of the log");
}

// Room

bool Store::tables_need_room() const {
  for (const KeyspaceLoad& load : *o_.load) {
    if (nearly(load.memory.load(std::memory_order_relaxed), o_.sizing.write_buffer_bytes)) return true;
  }
  const auto& all = *o_.sizing.write_buffers;
  const std::size_t open = all.mutable_memtable_memory_usage();
  return nearly(open, all.buffer_size() / 8 * 7) ||
         (nearly(all.memory_usage(), all.buffer_size()) && nearly(open, all.buffer_size() / 2));
}

/// Every batch touches `meta`, whose table fills slowly and keeps the oldest log alive: so the logs
/// grow to this point in normal work, and all tables are sealed together. Freeing takes as long as
/// the flush, so it is not asked for again until they have grown by another quarter.
bool Store::logs_need_room() const {
  const std::uint64_t now = o_.gate->log_bytes.load(std::memory_order_relaxed);
  const std::uint64_t limit = o_.sizing.logs_bytes;
  if (now <= limit) return false;
  const std::uint64_t sealed_at = logs_sealed_at_.load(std::memory_order_relaxed);
  return sealed_at == 0 || now > sealed_at + limit / 4 || now < sealed_at;
}

bool Store::needs_room(std::size_t batch_bytes) const {
  if (o_.read_only) return false;
  const std::uint64_t buffered = log_buffered_.load(std::memory_order_relaxed);
  if (buffered + log_bytes(batch_bytes) > o_.sizing.log_buffer_bytes) return true;
  return tables_need_room() || logs_need_room();
}

void Store::make_room() {
  expect_writable();
  write_log_buffer();
  if (logs_need_room()) {
    logs_sealed_at_.store(o_.gate->log_bytes.load(std::memory_order_relaxed), std::memory_order_relaxed);
    for (std::size_t k = 0; k < storage::keyspace_count; ++k) seal(k);
    return;
  }
  if (!tables_need_room()) return;
  measure();  // the estimates are high: perhaps there is room
  for (std::size_t k = 0; k < storage::keyspace_count; ++k) {
    if (nearly((*o_.load)[k].memory.load(std::memory_order_relaxed), o_.sizing.write_buffer_bytes)) seal(k);
  }
  for (std::size_t n = 0; n < storage::keyspace_count && tables_need_room(); ++n) seal(largest());  // all together
}

std::size_t Store::largest() const {
  const auto most =
      std::max_element(o_.load->begin(), o_.load->end(), [](const KeyspaceLoad& a, const KeyspaceLoad& b) {
        return a.memory.load(std::memory_order_relaxed) < b.memory.load(std::memory_order_relaxed);
      });
  return static_cast<std::size_t>(most - o_.load->begin());
}

/// Switches to a new memory table and log now; the old table is written in the background.
void Store::seal(std::size_t keyspace) {
  rocksdb::FlushOptions options;
  options.wait = false;
  options.allow_write_stall = true;  // otherwise it would wait for other flushes
  const rocksdb::Status status = o_.db->Flush(options, family(keyspace));
  if (status.IsTryAgain()) return;  // not now; apply will do it
  finish_write(status, "seal a memory table");
}

// Figures

std::uint64_t Store::property(std::size_t keyspace, const std::string& property_name) const {
  std::uint64_t value = 0;
  if (property_name == rocksdb::DB::Properties::kNumFilesAtLevelPrefix + "0") {
    std::string words;
    if (o_.db->GetProperty(family(keyspace), property_name, &words)) value = std::stoull(words);
  } else {
    o_.db->GetIntProperty(family(keyspace), property_name, &value);
  }
  return value;
}

/// Sets the estimates right. Takes RocksDB's mutex, so not for every commit.
void Store::measure() const {
  using P = rocksdb::DB::Properties;
  static const std::string level0 = P::kNumFilesAtLevelPrefix + "0";
  for (std::size_t k = 0; k < storage::keyspace_count; ++k) {
    KeyspaceLoad& load = (*o_.load)[k];
    // RocksDB compares whole arena blocks with the limit, and reports what is used of them.
    load.memory.store(property(k, P::kCurSizeActiveMemTable) + o_.sizing.arena_block_bytes, std::memory_order_relaxed);
    load.waiting.store(static_cast<std::uint32_t>(property(k, P::kNumImmutableMemTable)), std::memory_order_relaxed);
    load.level0_files.store(static_cast<std::uint32_t>(property(k, level0)), std::memory_order_relaxed);
  }
}

storage::Pressure Store::pressure() const {
  auto level = [this] {
    double most = 0;
    for (const KeyspaceLoad& load : *o_.load) {
      most = std::max({most, load.waiting.load(std::memory_order_relaxed) / waiting_tables_max,
                       load.level0_files.load(std::memory_order_relaxed) / level0_files_max});
    }
    return most;
  };
  const double estimated = level();
  if (estimated < 1) return {estimated};
  measure();  // before anybody waits
  return {level()};
}

storage::KeyValueFigures Store::figures() const {
  using P = rocksdb::DB::Properties;
  storage::KeyValueFigures figures;
  figures.memory_bytes = o_.sizing.cache->GetUsage() + rows_.bytes() + o_.sizing.write_buffers->memory_usage();
  figures.disk_bytes = o_.gate->log_bytes.load(std::memory_order_relaxed);
  for (std::size_t k = 0; k < storage::keyspace_count; ++k) {
    figures.memory_bytes += property(k, P::kEstimateTableReadersMem);
    figures.disk_bytes += property(k, P::kTotalSstFilesSize);
  }
  return figures;
}

std::uint64_t Store::approximate_bytes(Keyspace keyspace, const storage::KeyRange& range) const {
  if (!range.end.empty() && range.begin >= range.end) return 0;  // RocksDB asserts that it is not
  static const std::string after_all_keys(8193, '\xff');  // RocksDB knows no range without an end
  const rocksdb::Range bounds(range.begin, range.end.empty() ? after_all_keys : range.end);
  rocksdb::SizeApproximationOptions options;
  options.include_memtables = true;
  std::uint64_t bytes = 0;
  check(o_.db->GetApproximateSizes(options, family(keyspace), &bounds, 1, &bytes),
        text("sizes in ", name(keyspace)), o_.path);
  return bytes;
}

// Upkeep

void Store::flush() {
  expect_writable();
  rocksdb::FlushOptions options;
  options.allow_write_stall = true;
  finish_write(o_.db->Flush(options, keyspaces()), "flush");
}

/// File by file, unlike RocksDB's own VerifyChecksum, so that it can be interrupted.
void Store::verify_tables(const Interrupt& interrupt) {
  struct FilesStay {  // compactions would remove some meanwhile; a store open for reading has none, and refuses this
    explicit FilesStay(rocksdb::DB& d) : db(d), held(db.DisableFileDeletions().ok()) {}
    ~FilesStay() {
      if (held) db.EnableFileDeletions(false).PermitUncheckedError();
    }
    rocksdb::DB& db;
    const bool held;
  } stay(*o_.db);
  rocksdb::Options options;
  options.env = o_.env.get();
  std::vector<rocksdb::LiveFileMetaData> files;
  o_.db->GetLiveFilesMetaData(&files);
  for (const rocksdb::LiveFileMetaData& file : files) {
    interrupt.check();
    rocksdb::SstFileReader reader(options);
    check(reader.Open(file.db_path + file.name), "verify checksums", o_.path);
    check(reader.VerifyChecksum(), "verify checksums", o_.path);
  }
}

void Store::verify(const Interrupt& interrupt) {
  verify_tables(interrupt);
  rocksdb::ReadOptions options;
  options.total_order_seek = true;
  options.fill_cache = false;
  for (std::size_t k = 0; k < storage::keyspace_count; ++k) {
    const std::unique_ptr<rocksdb::Iterator> entries(o_.db->NewIterator(options, family(k)));
    for (entries->SeekToFirst(); entries->Valid(); entries->Next()) interrupt.check();
    check(entries->status(), text("verify ", storage::keyspace_names[k]), o_.path);
  }
}

}  // namespace

std::unique_ptr<storage::KeyValueStore> make_store(Opened opened) { return std::make_unique<Store>(std::move(opened)); }

}  // namespace stele::rocks
