// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The contract of an ordered key-value backend. Documents, events, cache keys and the truth of
// vectors live behind it. A backend knows this header, engine/base and its own library; nothing of
// transactions. tests/contract/ checks every promise made here, over every backend.
//
// Who calls what:
//   get, get_many, scan, snapshot   any thread, at any time
//   apply, flush_log         one thread at a time (the commit order's lock is held)
//   sync_log                 any one thread at a time, beside apply
//   needs_room, make_room,
//   pressure, figures,
//   approximate_bytes        any thread, at any time
//   the rest                 the thread that opens and closes
//
// Keys are 1..8192 bytes of any value and compare as unsigned bytes; values are 0 bytes to 1 GiB.
// All failures are stele::Error; io errors name the file and the operation. A backend never aborts
// the process and never throws out of a callback of its library.
#pragma once

#include "engine/base/interrupt.h"
#include "engine/storage/batch.h"
#include "engine/storage/keyspace.h"

#include <stele/error.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace stele::storage {

/// What a backend offers. The engine asks here instead of trying and catching.
struct Capabilities {
  bool durable_log = false;     // sync_log makes what was applied survive power loss
  bool append_barrier = false;  // before_append is called before any byte reaches a file
  bool snapshots = false;       // snapshot() is a moment that later writes do not touch
};

/// [begin, end) of keys. An empty `end` has no upper bound.
struct KeyRange {
  std::string begin;
  std::string end;
};

/// A moment of the store. Reads at it are repeatable. Must be dropped before the store.
class KeyValueSnapshot {
 public:
  virtual ~KeyValueSnapshot() = default;
};

/// A position in a range. Starts before the first entry: call first() or last() or seek(). Views
/// live until the next move. Sees the snapshot it was made at, or, made without one, the moment of
/// scan(). Every move throws on an error, so "not valid" always means "no such entry".
class Cursor {
 public:
  virtual ~Cursor() = default;
  virtual void first() = 0;
  virtual void last() = 0;
  virtual void seek(std::string_view key) = 0;  // to the first entry >= key, within the range
  virtual void next() = 0;                      // only when valid
  virtual void previous() = 0;                  // only when valid
  virtual bool valid() const = 0;
  virtual std::string_view key() const = 0;
  virtual std::string_view value() const = 0;
};

/// How near the store is to where it would stall on its own. 0: idle; from 1 on, commits must wait
/// (the engine does so before it takes any lock).
struct Pressure {
  double level = 0;
};

struct KeyValueFigures {
  std::uint64_t memory_bytes = 0;  // caches, write buffers, table readers
  std::uint64_t disk_bytes = 0;
};

class KeyValueStore {
 public:
  virtual ~KeyValueStore() = default;

  virtual Capabilities capabilities() const = 0;

  /// Cheap (under a microsecond or two); any number may be open.
  virtual std::unique_ptr<KeyValueSnapshot> snapshot() = 0;

  /// Fills `value` and returns true, or returns false when the key is absent. `at` null: now.
  virtual bool get(Keyspace keyspace, std::string_view key, const KeyValueSnapshot* at, std::string& value) = 0;

  /// Told the place of a key in the list and its value, which lives until it returns. False: no more.
  using Visit = std::function<bool(std::size_t, std::string_view)>;
  /// get() of each of these keys, which ascend: `visit` hears of those that are there, in their order. Without a
  /// snapshot each is of some moment of the call. What is held in memory at a time is a few keys' values, or one large one.
  virtual void get_many(Keyspace keyspace, std::span<const std::string_view> keys, const KeyValueSnapshot* at,
                        const Visit& visit) {
    std::string value;
    for (std::size_t i = 0; i < keys.size(); ++i)
      if (get(keyspace, keys[i], at, value) && !visit(i, value)) return;
  }

  virtual std::unique_ptr<Cursor> scan(Keyspace keyspace, KeyRange range, const KeyValueSnapshot* at) = 0;

  /// Applies all operations in order, atomically, visible to readers when it returns, not yet
  /// durable. The batch also goes to the backend's log, in call order. After a failure the store
  /// refuses every further apply.
  virtual void apply(const Batch& batch) = 0;

  /// True when apply() of a batch of that size would need room that only writing out buffers
  /// gives (and so might reach before_append): the engine then calls make_room() first, outside its locks.
  virtual bool needs_room(std::size_t batch_bytes) const = 0;
  virtual void make_room() = 0;  // before_append has nothing to wait for when this is called

  /// Hands the log of everything applied so far to the operating system.
  virtual void flush_log() = 0;
  /// Makes everything durable that was flushed before the call. No-op without durable_log.
  virtual void sync_log() = 0;

  virtual Pressure pressure() const = 0;
  virtual KeyValueFigures figures() const = 0;
  /// Roughly what a range's entries take now, as they are kept (compressed, old versions too); 0 for an empty range and
  /// one that never held any. What flush() has yet to write out is guessed, and off by up to all of it. Cheap: samples
  /// or counts a bounded number of entries, and reads none of their values.
  virtual std::uint64_t approximate_bytes(Keyspace keyspace, const KeyRange& range) const = 0;

  /// Writes memory tables to disk and waits. For tests and for close.
  virtual void flush() = 0;

  /// Verifies checksums of everything stored; throws `corrupt` at the first damage, `interrupted`. O(size).
  virtual void verify(const Interrupt& interrupt = Interrupt()) = 0;
};

struct KeyValueOptions {
  std::string path;               // a directory of its own; empty for a store in memory
  bool create = false;            // false: must exist
  bool read_only = false;         // nothing on disk changes; apply throws readonly
  std::size_t memory_bytes = 192u << 20;
  std::size_t write_buffer_bytes = 0;  // per keyspace; 0: by memory_bytes (tests set it small)
  std::size_t log_buffer_bytes = 0;    // 0: the backend's default (tests set it small)

  /// Called before any byte is appended to any file of the store. Returning false makes that append
  /// fail. May be called from any thread, also inside apply; must not call the store.
  std::function<bool()> before_append;
  /// Called once when background work failed: the store takes no more writes. From any thread.
  std::function<void(const Error&)> on_failure;
};

}  // namespace stele::storage
