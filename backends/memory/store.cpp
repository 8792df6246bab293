// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/memory/store.h"

#include "backends/memory/cursor.h"
#include "backends/memory/open.h"
#include "engine/base/error.h"

#include <new>

namespace stele::memory {

namespace {
using storage::Batch;

constexpr std::size_t entries_counted_max = 100'000;  // of a range; a few milliseconds under the lock

class Snapshot final : public storage::KeyValueSnapshot {
 public:
  explicit Snapshot(SharedMaps& shared) : shared_(shared), moment_(shared.pin()) {}
  ~Snapshot() override { shared_.unpin(moment_); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  Moment moment() const { return moment_; }

 private:
  SharedMaps& shared_;
  const Moment moment_;
};

Moment moment_of(const storage::KeyValueSnapshot* at) { return static_cast<const Snapshot*>(at)->moment(); }
}  // namespace

Moment SharedMaps::pin() {
  std::shared_lock guard(mutex);  // so that no writer reclaims between reading and pinning
  std::lock_guard pins_guard(pins_mutex_);
  pins_.insert(visible);
  return visible;
}

void SharedMaps::pin(Moment moment) {
  std::lock_guard pins_guard(pins_mutex_);
  pins_.insert(moment);
}

void SharedMaps::unpin(Moment moment) noexcept {
  std::lock_guard pins_guard(pins_mutex_);
  pins_.erase(pins_.find(moment));
}

Moment SharedMaps::oldest() {
  std::lock_guard pins_guard(pins_mutex_);
  return pins_.empty() ? visible : *pins_.begin();
}

std::unique_ptr<storage::KeyValueSnapshot> Store::snapshot() { return std::make_unique<Snapshot>(shared_); }

bool Store::get(storage::Keyspace keyspace, std::string_view key, const storage::KeyValueSnapshot* at,
                std::string& value) {
  std::shared_lock guard(shared_.mutex);
  const Entries& entries = shared_.maps.entries(keyspace);
  const auto entry = entries.find(key);
  if (entry == entries.end()) return false;
  const std::string* found = value_at(entry->second, at == nullptr ? shared_.visible : moment_of(at));
  if (found != nullptr) value = *found;
  return found != nullptr;
}

std::unique_ptr<storage::Cursor> Store::scan(storage::Keyspace keyspace, storage::KeyRange range,
                                             const storage::KeyValueSnapshot* at) {
  if (at != nullptr) shared_.pin(moment_of(at));
  return make_cursor(shared_, keyspace, std::move(range), at == nullptr ? shared_.pin() : moment_of(at));
}

void Store::apply(const Batch& batch) {
  if (read_only_) fail(ErrorCode::readonly, "key-value store in memory: it is open for reading only");
  if (failed_)
    fail(ErrorCode::poisoned, "key-value store in memory: it ran out of memory earlier and takes no more writes");
  std::unique_lock guard(shared_.mutex);
  try {
    const Moment since = shared_.visible + 1;
    batch.for_each([&](const Batch::Operation& operation) {
      switch (operation.kind) {
        case Batch::Operation::Kind::put:
          shared_.maps.put(operation.keyspace, operation.key, operation.value, since);
          break;
        case Batch::Operation::Kind::erase: shared_.maps.erase(operation.keyspace, operation.key, since); break;
        case Batch::Operation::Kind::erase_range:
          shared_.maps.erase_range(operation.keyspace, operation.key, operation.value, since);
          break;
      }
    });
    shared_.visible = since;
    shared_.maps.reclaim(shared_.oldest());
  } catch (const std::bad_alloc&) {
    failed_ = true;  // the half-applied batch is of a moment that never becomes visible
    fail(ErrorCode::full, "key-value store in memory: out of memory; nothing of the batch is visible");
  }
}

storage::KeyValueFigures Store::figures() const {
  std::shared_lock guard(shared_.mutex);
  return {.memory_bytes = shared_.maps.bytes(), .disk_bytes = 0};
}

std::uint64_t Store::approximate_bytes(storage::Keyspace keyspace, const storage::KeyRange& range) const {
  std::shared_lock guard(shared_.mutex);
  const Entries& entries = shared_.maps.entries(keyspace);
  std::uint64_t bytes = 0;
  std::size_t left = entries_counted_max;
  for (auto entry = entries.lower_bound(range.begin); entry != entries.end() && left > 0; ++entry, --left) {
    if (!range.end.empty() && entry->first >= range.end) break;
    bytes += bytes_of(*entry);
  }
  return bytes;
}

std::unique_ptr<storage::KeyValueStore> open_memory(const storage::KeyValueOptions& options) {
  if (!options.path.empty())
    fail(ErrorCode::invalid, text("key-value store in memory: it keeps nothing in ", options.path,
                                  "; open it without a path, or use the backend \"rocksdb\""));
  return std::make_unique<Store>(options.read_only);
}

}  // namespace stele::memory
