// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/cache/caches.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/cache/tables.h"
#include "engine/model/value.h"

namespace stele::cache {

using catalog::Definition;
using catalog::Kind;
using model::Value;
using storage::Keyspace;
using transaction::Reader;
using transaction::Record;
using transaction::ScanRecord;
using transaction::Transaction;

namespace {

std::string to_json(const CacheOptions& options) {
  model::Object out;
  if (options.memory) out.push_back({"memory", Value(true)});
  if (options.bytes_max) out.push_back({"bytes_max", Value(static_cast<std::int64_t>(*options.bytes_max))});
  if (options.keys_max) out.push_back({"keys_max", Value(static_cast<std::int64_t>(*options.keys_max))});
  return out.empty() ? "" : model::to_json(Value(std::move(out)));
}

CacheOptions parse_options(const Definition& definition) {
  CacheOptions options;
  if (definition.settings.empty()) return options;
  try {
    const Value value = model::parse(definition.settings);
    if (const Value* memory = value.find("memory")) options.memory = memory->boolean();
    if (const Value* bytes = value.find("bytes_max")) options.bytes_max = static_cast<std::uint64_t>(bytes->integer());
    if (const Value* keys = value.find("keys_max")) options.keys_max = static_cast<std::uint64_t>(keys->integer());
    return options;
  } catch (const std::exception& error) {
    fail(ErrorCode::corrupt, text("catalog: the settings of cache \"", definition.name, "\" cannot be read (",
                                  error.what(), "); run `stele check` and restore the store from a backup"));
  }
}

}  // namespace

std::string cache_prefix(std::uint64_t cache) {
  std::string out;
  key::append_id(out, cache);
  return out;
}

void Caches::create(Transaction& own, std::string_view name, const CacheOptions& options,
                    const json::Limits& limits) const {
  const auto check = [&](const std::optional<std::uint64_t>& bound, std::string_view what) {
    if (!bound) return;
    if (*bound < 1 || *bound > INT64_MAX)
      fail(ErrorCode::invalid, text("cache \"", name, "\": ", what, " must be 1 to 2^63-1; leave it out for no bound"),
           {{"reason", "InvalidBound"}});
  };
  check(options.bytes_max, "bytes_max");
  check(options.keys_max, "keys_max");
  Definition made = *catalog_.create(own, Kind::cache, name, {}, limits);
  made.settings = to_json(options);
  catalog_.store(own, made);
}

bool Caches::drop(Transaction& own, std::string_view name) {
  const auto definition = catalog_.find(own, Kind::cache, name);
  if (!definition) return false;
  const std::string prefix = cache_prefix(definition->id);
  own.writes().erase_range(Keyspace::cache, prefix, key::prefix_end(prefix));
  catalog_.drop(own, Kind::cache, name);
  std::lock_guard guard(mutex_);
  if (const auto found = kept_.find({definition->id, definition->settings}); found != kept_.end() && found->second.memory)
    MemoryInTransaction(own, found->second.memory).flush();
  return true;
}

CacheOptions Caches::options(Reader& reader, std::string_view name) const {
  const auto definition = catalog_.find(reader, Kind::cache, name);
  return definition ? parse_options(*definition) : CacheOptions();
}

Caches::Kept Caches::kept_of(const Definition& definition, const StoreClock& clock) {
  if (definition.settings.empty()) return {};
  std::lock_guard guard(mutex_);
  if (const auto known = kept_.find({definition.id, definition.settings}); known != kept_.end()) return known->second;
  const CacheOptions options = parse_options(definition);
  const Bounds bounds{options.bytes_max.value_or(UINT64_MAX), options.keys_max.value_or(UINT64_MAX)};
  Kept kept;
  if (options.memory) {
    kept.memory = std::make_shared<MemoryCache>(clock, bounds);
  } else {
    kept.order = std::make_shared<UseOrder>(bounds);
  }
  return kept_[{definition.id, definition.settings}] = kept;
}

MemoryCachePtr Caches::memory(Reader& reader, const StoreClock& clock, std::string_view name) {
  const auto definition = catalog_.find(reader, Kind::cache, name);
  return definition ? kept_of(*definition, clock).memory : nullptr;
}

std::unique_ptr<Table> Caches::table_of(const Definition& definition, Reader& reader, Transaction* own,
                                        const StoreClock& clock) {
  Kept kept = kept_of(definition, clock);
  if (!kept.memory) return std::make_unique<DiskTable>(reader, own, definition.id, std::move(kept.order));
  if (own) return std::make_unique<MemoryInTransaction>(*own, std::move(kept.memory));
  fail(ErrorCode::invalid, text("cache \"", definition.name, "\": it was made while it was read; read it again"));
}

std::unique_ptr<Table> Caches::table(Reader& reader, Transaction* own, const StoreClock& clock, std::string_view name) {
  const auto definition = catalog_.find(reader, Kind::cache, name);
  if (!definition) return std::make_unique<DiskTable>(reader, own, 0);
  return table_of(*definition, reader, own, clock);
}

std::unique_ptr<Table> Caches::table_to_write(Transaction& own, const StoreClock& clock, std::string_view name) {
  return table_of(*catalog_.find_or_create(own, Kind::cache, name), own, &own, clock);
}

std::string Caches::remove_expired(Transaction& own, const StoreClock& clock, const Definition& definition,
                                   std::string_view place, std::size_t keys) {
  const std::string prefix = cache_prefix(definition.id);
  const UseOrderPtr order = kept_of(definition, clock).order;
  DiskTable table(own, &own, definition.id, order);
  if (order) table.evict();
  const auto scan = own.scan(Keyspace::cache, {place.empty() ? prefix : std::string(place), key::prefix_end(prefix)},
                             ScanRecord::none);
  for (std::size_t looked_at = 0; scan->next(); ++looked_at) {
    if (looked_at == keys) return std::string(scan->key());
    std::int64_t expires = never;
    if (!ByteReader(scan->value()).fixed(expires) || expires > own.time_us()) continue;
    // Who gives the key a new life meanwhile makes this conflict.
    own.note_read(Keyspace::cache, scan->key(), Record::binding);
    table.erase(scan->key());
  }
  return {};
}

void Caches::sweep_memory() {
  std::vector<MemoryCachePtr> all;
  {
    std::lock_guard guard(mutex_);
    for (const auto& [id, kept] : kept_)
      if (kept.memory) all.push_back(kept.memory);
  }
  for (const MemoryCachePtr& cache : all) cache->sweep();
}

void check_cache(Reader& reader, std::uint64_t cache, const std::function<void(const std::string& what)>& report) {
  const std::string prefix = cache_prefix(cache);
  const auto scan = reader.scan(Keyspace::cache, {prefix, key::prefix_end(prefix)}, ScanRecord::none);
  while (scan->next()) {
    reader.interrupt().check();
    std::int64_t expires = 0;
    if (!ByteReader(scan->value()).fixed(expires) || scan->key().size() - prefix.size() > cache_key_bytes_max)
      report(text("an entry cannot be read: ", key::describe_key(scan->key())));
  }
}

}  // namespace stele::cache
