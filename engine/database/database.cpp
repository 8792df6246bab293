// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/error.h"
#include "engine/base/files.h"
#include "engine/base/uuid.h"
#include "engine/database/aggregate.h"
#include "engine/database/scope.h"
#include "engine/transaction/directory.h"
#include "engine/vectors/live_indexes.h"

#include <chrono>
#include <filesystem>

namespace stele {

using transaction::Parameters;

namespace detail {

namespace {

/// What stands in memory of vectors, following all commits from the first on.
std::shared_ptr<vectors::LiveIndexes> follow_vectors(transaction::Store& store) {
  const auto definitions = catalog::Catalog::read_all(*store.latest(true), transaction::ScanRecord::none);
  auto live = std::make_shared<vectors::LiveIndexes>(store);
  std::vector<std::uint64_t> indexes;
  for (const catalog::Definition& definition : definitions)
    for (const catalog::VectorIndex& index : definition.vector_indexes) indexes.push_back(index.id);
  vectors::IndexFiles::remove_others(store, indexes);
  for (const catalog::Definition& definition : definitions)
    for (const catalog::VectorIndex& index : definition.vector_indexes) live->add(index.id, index.options);
  store.set_follower(live);
  return live;
}

}  // namespace

DatabaseCore::DatabaseCore(std::shared_ptr<transaction::Store> open_store)
    : store(std::move(open_store)), vectors(follow_vectors(*store)) {
  limits.bytes_max = store->options().document_bytes_max;
  limits.depth_max = store->options().document_depth_max;
  prepare_spill_directory(*store);
}

void DatabaseCore::definitions_changed() noexcept {
  maintenance.look_again();
  upkeep.look_again();
  vectors->sweep();
}

DatabaseCore::~DatabaseCore() {
  vectors->stop();
  vectors->save();
}

Database open_database(const std::string& directory, const Options& options, bool in_memory) {
  const auto check = [](bool sound, std::string_view what) {
    if (!sound) fail(ErrorCode::invalid, text("open: ", what));
  };
  check(options.document_depth_max >= 1 && options.document_depth_max <= 1000, "document_depth_max must be 1 to 1000");
  check(options.document_bytes_max >= 16 && options.document_bytes_max <= (1u << 30), "document_bytes_max must be 16 B to 1 GB");
  check(options.memory_bytes >= (8u << 20), "memory_bytes must be at least 8 MB");
  check(options.aggregate_memory_bytes >= (1u << 20), "aggregate_memory_bytes must be at least 1 MB");
  check(options.readers_max >= 1 && options.readers_max <= 4096, "readers_max must be 1 to 4096");
  check(options.wal_bytes_max >= (1u << 20), "wal_bytes_max must be at least 1 MB");
  transaction::Tuning tuning;
  tuning.in_memory = in_memory;
  return Database(std::make_shared<DatabaseCore>(transaction::Store::open(directory, options, tuning)));
}

}  // namespace detail

Database::Database(std::shared_ptr<detail::DatabaseCore> core) : core_(std::move(core)) {}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;

const std::shared_ptr<detail::DatabaseCore>& Database::core() const { return detail::held(core_, "database"); }

Database::~Database() {
  if (!core_) return;
  // In a forked child the store belongs to the parent: not even freed, because that would touch its files.
  if (core_->store->forked()) {
    new std::shared_ptr<detail::DatabaseCore>(std::move(core_));
    return;
  }
  // Handles that are still alive keep the store open; the last one closes it.
}

namespace {

/// Directories of in-memory databases whose process died: their lock is free. Young ones may be about to be locked.
void remove_abandoned(const std::string& parent) {
  using namespace std::chrono_literals;
  for (const std::string& name : list_directory(parent)) {
    if (!name.starts_with("stele-")) continue;
    const std::string path = parent + "/" + name;
    try {
      const auto age = std::filesystem::file_time_type::clock::now() - std::filesystem::last_write_time(path);
      if (age < 60s || !exists(path + "/lock")) continue;
      const File lock = transaction::lock_directory(path);
      remove_tree(path);
    } catch (const std::exception&) {
      // In use, somebody else's, or gone meanwhile.
    }
  }
}

}  // namespace

Database Database::in_memory(Options options) {
  // SQLite's WAL needs files that several connections share; a private directory in memory gives it them.
  const std::string shm = "/dev/shm";
  if (!is_directory(shm)) fail(ErrorCode::unsupported, "in_memory: this machine has no /dev/shm");
  remove_abandoned(shm);
  options.key_value = "memory";
  options.create_if_missing = true;
  return detail::open_database(shm + "/stele-" + uuid_v4(), options, true);
}

void Database::run_write(const WriteOptions& options, detail::WriteSite& site,
                         const std::function<void(Transaction&)>& body) {
  bool wrote_meta = false;
  core()->store->write(options, site.lock_first, [&](const std::shared_ptr<transaction::Transaction>& own) {
    Transaction handle(std::make_shared<detail::Scope>(detail::Scope{core(), own, true}));
    body(handle);
    wrote_meta = own->wrote_meta();
    handle.scope_.reset();  // returned without an exception: what follows is the commit, not the handle's rollback
  });
  if (wrote_meta) core()->definitions_changed();
}

void Database::wait_durable(const ReadOptions& options, const Snapshot& at) {
  if (options.durable) core()->store->wait_durable(at.gseq());
}

Transaction Database::begin(const WriteOptions& options) {
  return Transaction(std::make_shared<detail::Scope>(detail::Scope{core(), core()->store->begin(options)}));
}

Snapshot Database::snapshot(const ReadOptions& options) {
  return Snapshot(std::make_shared<detail::Scope>(detail::Scope{core(), core()->store->snapshot(options)}));
}

Rows Database::run_sql(std::string_view statement, std::span<const Value> parameters, const WriteOptions& options) {
  return detail::rows_of(core()->store->sql(statement, Parameters{parameters, {}, false}, options), nullptr);
}

Rows Database::run_sql(std::string_view statement, std::span<const NamedValue> parameters, const WriteOptions& options) {
  return detail::rows_of(core()->store->sql(statement, Parameters{{}, parameters, true}, options), nullptr);
}

Collection Database::collection(std::string_view name, const WriteOptions& options) {
  return Collection(std::make_shared<detail::Scope>(detail::Scope{core(), nullptr, false, options}), std::string(name));
}

Stream Database::stream(std::string_view name, const WriteOptions& options) {
  return Stream(std::make_shared<detail::Scope>(detail::Scope{core(), nullptr, false, options}), std::string(name));
}

Cache Database::cache(std::string_view name, const WriteOptions& options) {
  detail::Scope scope{core(), nullptr, false, options};
  if (!scope.options.durability) scope.options.durability = Durability::relaxed;
  return Cache(std::make_shared<detail::Scope>(std::move(scope)), std::string(name));
}

std::vector<std::string> Database::caches() {
  const detail::Scope scope{core(), nullptr};
  return scope.read([&](transaction::Reader& reader) { return core()->catalog.list(reader, catalog::Kind::cache); });
}

std::vector<std::string> Database::collections() {
  const detail::Scope scope{core(), nullptr};
  return scope.read([&](transaction::Reader& reader) { return core()->catalog.list(reader, catalog::Kind::collection); });
}

std::vector<std::string> Database::streams() {
  const detail::Scope scope{core(), nullptr};
  return scope.read([&](transaction::Reader& reader) { return core()->catalog.list(reader, catalog::Kind::stream); });
}

void Database::sync_now() { core()->store->sync_now(); }
void Database::compact() { core()->store->compact(); }
void Database::close() {
  core()->store->check_open();
  core()->maintenance.stop();
  core()->upkeep.stop();
  core()->vectors->stop();
  if (core()->store->gatekeeper().users() == 0) core()->vectors->save();
  try {
    core()->store->close();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::busy) {  // still open
      core()->maintenance.start();
      core()->upkeep.start();
      core()->vectors->start();
    }
    throw;
  }
}

Stats Database::stats() const {
  transaction::Store& store = *core()->store;
  store.check_open();
  const transaction::Use use(store.gatekeeper());
  Stats stats;
  stats.commits = store.committer().commits();
  stats.conflicts = store.committer().conflicts();
  stats.syncs = store.sync_group().syncs();
  stats.snapshot_retries = store.gate().retries();
  stats.barrier_syncs = store.sync_group().barrier_syncs();
  stats.foreign_commits = store.foreign_commits();
  stats.gseq = store.order().published.load();
  stats.durable_gseq = store.sync_group().durable();
  stats.wal_bytes = store.relational().log_bytes();
  stats.tail_bytes = store.order().tail_bytes.load();
  stats.key_value_memory_bytes = store.key_value().figures().memory_bytes;
  stats.poisoned = store.health().cause();
  stats.maintenance_error = core()->maintenance.last_error();
  if (stats.maintenance_error.empty()) stats.maintenance_error = core()->upkeep.last_error();
  return stats;
}

}  // namespace stele
