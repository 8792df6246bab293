// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include <stele/cache.h>

#include "engine/base/checksum.h"
#include "engine/cache/caches.h"
#include "engine/cache/verbs.h"
#include "engine/database/scope.h"

namespace stele {

using cache::MemoryCachePtr;
using cache::Table;
using cache::Verbs;
using transaction::Reader;

namespace detail {

/// Which memory cache a handle's name means, remembered until the catalog changes.
class CacheState {
 public:
  /// Null: it is on disk, or there is none. For calls outside a transaction.
  cache::MemoryCache* memory(DatabaseCore& core, const std::string& name) {
    core.store->check_open();
    const std::uint64_t changed = core.store->order().meta_changed.load();
    if (!known_ || changed != as_of_) {
      const auto latest = core.store->latest();
      memory_ = core.caches.memory(*latest, core.store->clock(), name);
      as_of_ = changed;
      known_ = true;
    }
    return memory_.get();
  }

 private:
  bool known_ = false;
  std::uint64_t as_of_ = 0;
  MemoryCachePtr memory_;
};

}  // namespace detail

namespace {

/// Runs `body(Table&)` to read.
template <class Body>
auto reading(const detail::Scope& scope, detail::CacheState& state, const std::string& name, Body&& body) {
  detail::DatabaseCore& core = *scope.core;
  if (!scope.transaction)
    if (cache::MemoryCache* memory = state.memory(core, name)) return body(static_cast<Table&>(*memory));
  return scope.read([&](Reader& reader) {
    return body(*core.caches.table(reader, scope.transaction.get(), core.store->clock(), name));
  });
}

/// Runs `body(Table&)` to write `key`.
template <class Body>
auto writing(const detail::Scope& scope, detail::CacheState& state, const std::string& name, std::string_view key,
             Body&& body) {
  detail::DatabaseCore& core = *scope.core;
  const auto in_transaction = [&](transaction::Transaction& own) {
    return body(*core.caches.table_to_write(own, core.store->clock(), name));
  };
  if (scope.transaction) return scope.write(in_transaction);
  if (cache::MemoryCache* memory = state.memory(core, name)) return body(static_cast<Table&>(*memory));
  // Calls on one key wait for each other here, instead of conflicting.
  std::lock_guard latch(core.cache_latches[checksum(key) % core.cache_latches.size()]);
  return scope.write(in_transaction);
}

}  // namespace

CacheReader::CacheReader(std::shared_ptr<detail::Scope> scope, std::string name)
    : scope_(std::move(scope)), name_(std::move(name)), state_(std::make_unique<detail::CacheState>()) {}
CacheReader::CacheReader(const CacheReader& other) : CacheReader(other.scope_, other.name_) {}
CacheReader& CacheReader::operator=(const CacheReader& other) { return *this = CacheReader(other); }
CacheReader::CacheReader(CacheReader&&) noexcept = default;
CacheReader& CacheReader::operator=(CacheReader&&) noexcept = default;
CacheReader::~CacheReader() = default;

const std::shared_ptr<detail::Scope>& CacheReader::scope() const { return detail::held(scope_, "cache"); }

std::optional<std::string> CacheReader::get(std::string_view key) const {
  return reading(*scope(), *state_, name_, [&](Table& table) { return Verbs(table, name_).get(key); });
}

std::vector<std::optional<std::string>> CacheReader::mget(std::span<const std::string> keys) const {
  return reading(*scope(), *state_, name_, [&](Table& table) {
    std::vector<std::optional<std::string>> values;
    for (const std::string& key : keys) values.push_back(Verbs(table, name_).get(key));
    return values;
  });
}

std::int64_t CacheReader::pttl(std::string_view key) const {
  return reading(*scope(), *state_, name_, [&](Table& table) { return Verbs(table, name_).pttl(key); });
}

std::int64_t CacheReader::ttl(std::string_view key) const {
  const std::int64_t milliseconds = pttl(key);
  return milliseconds < 0 ? milliseconds : (milliseconds + 500) / 1000;
}

ScanResult CacheReader::scan(std::string_view cursor, std::size_t count) const {
  return reading(*scope(), *state_, name_, [&](Table& table) {
    ScanResult result;
    result.cursor = table.scan(cursor, std::max<std::size_t>(count, 1), result.keys);
    return result;
  });
}

CacheOptions CacheReader::options() const {
  return scope()->read([&](Reader& reader) { return scope()->core->caches.options(reader, name_); });
}

void Cache::create(const CacheOptions& options) {
  scope()->write(
      [&](transaction::Transaction& own) { scope()->core->caches.create(own, name_, options, scope()->core->limits); });
  if (!scope()->transaction) scope()->core->upkeep.look_again();
}

bool Cache::drop() {
  return scope()->write([&](transaction::Transaction& own) { return scope()->core->caches.drop(own, name_); });
}

SetResult Cache::set(std::string_view key, std::string_view value, const SetOptions& options) {
  return writing(*scope(), *state_, name_, key,
                 [&](Table& table) { return Verbs(table, name_).set(key, value, options); });
}

std::optional<std::string> Cache::getset(std::string_view key, std::string_view value) {
  return set(key, value, {.get = true}).previous;
}

bool Cache::del(std::string_view key) {
  return writing(*scope(), *state_, name_, key, [&](Table& table) { return Verbs(table, name_).del(key); });
}

std::uint64_t Cache::del(std::span<const std::string> keys) {
  std::uint64_t deleted = 0;
  if (scope()->transaction) {
    for (const std::string& key : keys) deleted += del(key);
    return deleted;
  }
  return writing(*scope(), *state_, name_, {}, [&](Table& table) {
    std::uint64_t there = 0;
    for (const std::string& key : keys) there += Verbs(table, name_).del(key);
    return there;
  });
}

bool Cache::expire(std::string_view key, std::chrono::milliseconds ttl, ExpireIf when) {
  return writing(*scope(), *state_, name_, key,
                 [&](Table& table) { return Verbs(table, name_).expire(key, ttl, when); });
}

bool Cache::expire_at(std::string_view key, Timestamp at, ExpireIf when) {
  return writing(*scope(), *state_, name_, key,
                 [&](Table& table) { return Verbs(table, name_).expire_at(key, at, when); });
}

bool Cache::persist(std::string_view key) {
  return writing(*scope(), *state_, name_, key, [&](Table& table) { return Verbs(table, name_).persist(key); });
}

std::int64_t Cache::incr(std::string_view key, std::int64_t by) {
  return writing(*scope(), *state_, name_, key, [&](Table& table) { return Verbs(table, name_).incr(key, by); });
}

double Cache::incrbyfloat(std::string_view key, double by) {
  return writing(*scope(), *state_, name_, key, [&](Table& table) { return Verbs(table, name_).incrbyfloat(key, by); });
}

void Cache::flush() {
  writing(*scope(), *state_, name_, {}, [&](Table& table) { table.flush(); });
}

ThrottleResult Cache::throttle(std::string_view key, const ThrottleOptions& options) {
  return writing(*scope(), *state_, name_, key,
                 [&](Table& table) { return Verbs(table, name_).throttle(key, options); });
}

WindowResult Cache::count(std::string_view key, const WindowLimit& limit) {
  return writing(*scope(), *state_, name_, key, [&](Table& table) { return Verbs(table, name_).count(key, limit); });
}

}  // namespace stele
