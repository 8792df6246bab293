// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backends/memory/versions.h"
#include "engine/storage/key_value.h"

#include <atomic>
#include <mutex>
#include <set>
#include <shared_mutex>

namespace stele::memory {

/// The maps with their lock and the moments that readers hold on to. Outlives snapshots and cursors.
class SharedMaps {
 public:
  /// The current moment, kept readable until released.
  Moment pin();
  /// Pins a moment that somebody else holds pinned already.
  void pin(Moment moment);
  void unpin(Moment moment) noexcept;

  std::shared_mutex mutex;
  VersionedMaps maps;  // guarded by mutex
  Moment visible = 0;  // guarded by mutex

  /// The earliest moment that anybody may look at. With `mutex` held.
  Moment oldest();

 private:
  std::mutex pins_mutex_;  // taken after `mutex`
  std::multiset<Moment> pins_;
};

class Store final : public storage::KeyValueStore {
 public:
  explicit Store(bool read_only) : read_only_(read_only) {}

  storage::Capabilities capabilities() const override { return {.snapshots = true}; }
  std::unique_ptr<storage::KeyValueSnapshot> snapshot() override;
  bool get(storage::Keyspace keyspace, std::string_view key, const storage::KeyValueSnapshot* at,
           std::string& value) override;
  std::unique_ptr<storage::Cursor> scan(storage::Keyspace keyspace, storage::KeyRange range,
                                        const storage::KeyValueSnapshot* at) override;
  void apply(const storage::Batch& batch) override;

  bool needs_room(std::size_t) const override { return false; }
  void make_room() override {}
  void flush_log() override {}
  void sync_log() override {}
  storage::Pressure pressure() const override { return {}; }
  storage::KeyValueFigures figures() const override;
  std::uint64_t approximate_bytes(storage::Keyspace keyspace, const storage::KeyRange& range) const override;
  void flush() override {}
  void verify(const Interrupt&) override {}

 private:
  const bool read_only_;
  std::atomic<bool> failed_{false};
  mutable SharedMaps shared_;
};

}  // namespace stele::memory
