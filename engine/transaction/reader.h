// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/interrupt.h"
#include "engine/storage/key_value.h"
#include "engine/transaction/read_set.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace stele::transaction {

enum class Direction : std::uint8_t { forward, backward };

/// Entries of a key range, in order of keys or against it, at a moment, one at a time.
class Scan {
 public:
  virtual ~Scan() = default;
  /// Moves to the next entry (the first call: to the first); false after the last.
  virtual bool next() = 0;
  virtual std::string_view key() const = 0;    // until the next move
  virtual std::string_view value() const = 0;  // until the next move
};

/// What of a scan is checked at commit.
enum class ScanRecord : std::uint8_t {
  range,     // that nothing appears or changes between where the scan begins and the last key seen
  none,      // nothing: the caller notes what it used
};

/// Reads the key-value tier at a moment. The tiers' read verbs are written against this: a transaction, a
/// snapshot or the newest state, all alike. One thread at a time.
class Reader {
 public:
  virtual ~Reader() = default;

  /// False when absent.
  virtual bool get(Keyspace keyspace, std::string_view key, std::string& value, Record record = Record::plain) = 0;
  /// get() of each of these keys, which ascend; `visit` hears of those that are there (storage/key_value.h).
  virtual void get_many(Keyspace keyspace, std::span<const std::string_view> keys,
                        const storage::KeyValueStore::Visit& visit, Record record = Record::plain) = 0;
  virtual std::unique_ptr<Scan> scan(Keyspace keyspace, storage::KeyRange range, ScanRecord record = ScanRecord::range,
                                     Direction direction = Direction::forward) = 0;

  /// Another reader of a range at the same moment, for another thread; while it is used this one stands still. All of the
  /// range then counts as read. Null: there is none, because no moment is held, or the transaction has written in the keyspace.
  virtual std::unique_ptr<Reader> share(Keyspace keyspace, const storage::KeyRange& range) = 0;

  /// The last commit seen, as far as keyspace meta goes: what was cached of meta at a commit c is still right
  /// when no commit in (c, moment] changed meta.
  virtual std::uint64_t moment() = 0;
  /// The last commit that changed keyspace meta, of all commits made so far.
  virtual std::uint64_t meta_changed() const = 0;

  /// True when reads are recorded for validation; then what is answered from memory is to be noted, as if it had
  /// been read with get().
  virtual bool records() const = 0;
  virtual void note_read(Keyspace keyspace, std::string_view key, Record record) = 0;
  /// The answer depended on this key's staying as it is, although it may change before the commit ("no more events yet"):
  /// checked only where two tiers' reads must be of one moment.
  virtual void note_moment(Keyspace, std::string_view) {}
  /// All of the range counts as read, although it was answered from memory.
  virtual void note_range(Keyspace, const storage::KeyRange&) {}
  /// True when this transaction itself has changed keyspace meta: what is in memory does not hold for it.
  virtual bool wrote_meta() const = 0;

  /// µs since 1970: what is expired, what $$NOW says. Stands still in a transaction or snapshot.
  virtual std::int64_t time_us() const = 0;

  virtual const Interrupt& interrupt() const = 0;

  /// Roughly what the entries of a range take in the store now, whatever the reader's moment; without what the
  /// transaction itself wrote. Recorded by nobody.
  virtual std::uint64_t approximate_bytes(Keyspace keyspace, const storage::KeyRange& range) const = 0;
};

}  // namespace stele::transaction
