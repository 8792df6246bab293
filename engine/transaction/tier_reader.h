// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/transaction/reader.h"

#include <memory>

namespace stele::transaction {

/// Reads a key-value store directly, recording nothing: at a snapshot, or, without one, each call the newest state.
class TierReader : public Reader {
 public:
  explicit TierReader(storage::KeyValueStore& store, std::shared_ptr<storage::KeyValueSnapshot> at = nullptr,
                      const Interrupt& interrupt = Interrupt())
      : store_(store), at_(std::move(at)), interrupt_(interrupt) {}

  bool get(Keyspace keyspace, std::string_view key, std::string& value, Record) override {
    return store_.get(keyspace, key, at_.get(), value);
  }
  void get_many(Keyspace keyspace, std::span<const std::string_view> keys, const storage::KeyValueStore::Visit& visit,
                Record) override {
    store_.get_many(keyspace, keys, at_.get(), visit);
  }
  std::unique_ptr<storage::Cursor> cursor(Keyspace keyspace, storage::KeyRange range) {
    return store_.scan(keyspace, std::move(range), at_.get());
  }
  std::unique_ptr<Scan> scan(Keyspace keyspace, storage::KeyRange range, ScanRecord, Direction direction) override;

  std::unique_ptr<Reader> share(Keyspace, const storage::KeyRange&) override {
    return at_ ? std::make_unique<TierReader>(store_, at_, interrupt_) : nullptr;
  }

  std::uint64_t moment() override { return 0; }
  std::uint64_t meta_changed() const override { return 0; }
  bool records() const override { return false; }
  void note_read(Keyspace, std::string_view, Record) override {}
  bool wrote_meta() const override { return false; }
  std::int64_t time_us() const override { return 0; }  // nothing is expired
  const Interrupt& interrupt() const override { return interrupt_; }
  std::uint64_t approximate_bytes(Keyspace keyspace, const storage::KeyRange& range) const override {
    return store_.approximate_bytes(keyspace, range);
  }

 protected:
  const storage::KeyValueSnapshot* at() const { return at_.get(); }

 private:
  storage::KeyValueStore& store_;
  std::shared_ptr<storage::KeyValueSnapshot> at_;
  const Interrupt interrupt_;
};

}  // namespace stele::transaction
