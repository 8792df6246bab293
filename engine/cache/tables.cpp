// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/cache/tables.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/cache/caches.h"

#include <algorithm>

namespace stele::cache {

using storage::Keyspace;
using transaction::Record;
using transaction::ScanRecord;

// ---- on disk

namespace {

/// Tells the order of use what a commit did to a key, or (no key) to all.
class UseNote final : public transaction::LateWrite {
 public:
  UseNote(std::shared_ptr<UseOrder> order, std::optional<std::string> key, std::optional<std::uint64_t> value_bytes)
      : order_(std::move(order)), key_(std::move(key)), value_bytes_(value_bytes) {}

  void resolve(transaction::LateWrites&) const override {}
  void published() const noexcept override {
    try {
      key_ ? order_->note(*key_, value_bytes_) : order_->clear();
    } catch (const std::bad_alloc&) {
      // Then it goes with the next reopening, or stays longer.
    }
  }
  std::size_t bytes() const override { return 0; }

 private:
  std::shared_ptr<UseOrder> order_;
  std::optional<std::string> key_;
  std::optional<std::uint64_t> value_bytes_;
};

}  // namespace

DiskTable::DiskTable(transaction::Reader& reader, transaction::Transaction* own, std::uint64_t cache,
                     std::shared_ptr<UseOrder> order)
    : reader_(reader), own_(own), cache_(cache), order_(std::move(order)) {
  if (own_ && order_) order_->load(reader_, cache_prefix(cache_));
}

void DiskTable::note(std::optional<std::string> key, std::optional<std::uint64_t> value_bytes) {
  if (order_) own_->writes().late(std::make_shared<UseNote>(order_, std::move(key), value_bytes));
}

void DiskTable::erase(std::string_view store_key) {
  own_->writes().erase(Keyspace::cache, store_key);
  note(std::string(store_key.substr(cache_prefix(cache_).size())), std::nullopt);
}

void DiskTable::evict(std::optional<std::string_view> key, std::size_t value_bytes) {
  // Blind: who writes a victim at the same time conflicts, and one of the two runs again.
  for (const std::string& victim : order_->victims(key, value_bytes)) erase(cache_prefix(cache_) + victim);
}

bool DiskTable::read(std::string_view key, Entry& entry, Record record) {
  if (cache_ == 0) return false;
  key_.clear();
  key::append_id(key_, cache_);
  key_ += key;
  if (!reader_.get(Keyspace::cache, key_, bytes_, record)) return false;
  ByteReader reader(bytes_);
  if (!reader.fixed(entry.expires))
    fail(ErrorCode::corrupt,
         text("cache: an entry cannot be read: ", key::describe_key(key_), "; restore the store from a backup"));
  if (!entry.live(now())) return false;
  entry.value.assign(reader.rest());
  if (order_) order_->touch(key);
  return true;
}

bool DiskTable::read(std::string_view key, Entry& entry) { return read(key, entry, Record::plain); }

void DiskTable::update(std::string_view key, Change change) {
  std::optional<Entry> entry(std::in_place);
  // An increment holds at every isolation level.
  if (!read(key, *entry, Record::binding)) entry.reset();
  if (change(entry)) write(key, std::move(entry));
}

void DiskTable::write(std::string_view key, std::optional<Entry> entry) {
  key_.clear();
  key::append_id(key_, cache_);
  key_ += key;
  const bool fits = !order_ || !entry || order_->fits(key, entry->value.size());
  if (!entry || !fits) return erase(std::string(key_));
  if (order_) evict(key, entry->value.size());
  bytes_.clear();
  append_fixed(bytes_, entry->expires);
  bytes_ += entry->value;
  own_->writes().put(Keyspace::cache, key_, bytes_);
  if (order_) note(std::string(key), entry->value.size());
}

std::string DiskTable::scan(std::string_view cursor, std::size_t count, std::vector<std::string>& keys) {
  if (cache_ == 0) return {};
  const std::string prefix = cache_prefix(cache_);
  // The cursor is a byte and the last key given: empty is the beginning.
  std::string from = prefix;
  if (!cursor.empty()) from += std::string(cursor.substr(1)) + '\0';
  const auto scan = reader_.scan(Keyspace::cache, {from, key::prefix_end(prefix)}, ScanRecord::none);
  while (scan->next()) {
    reader_.interrupt().check();
    std::int64_t expires = 0;
    if (!ByteReader(scan->value()).fixed(expires) || expires <= now()) continue;
    keys.emplace_back(scan->key().substr(prefix.size()));
    if (keys.size() >= count) return "k" + keys.back();
  }
  return {};
}

void DiskTable::flush() {
  const std::string prefix = cache_prefix(cache_);
  own_->writes().erase_range(Keyspace::cache, prefix, key::prefix_end(prefix));
  note(std::nullopt, std::nullopt);
}

// ---- in memory, inside a transaction

namespace {

/// One key's change, or the removal of all (no key), on its way to a commit.
class MemoryWrite final : public transaction::LateWrite {
 public:
  MemoryWrite(std::shared_ptr<MemoryCache> cache, std::optional<std::string> key, std::optional<Entry> entry,
              std::uint64_t version)
      : cache_(std::move(cache)), key_(std::move(key)), entry_(std::move(entry)), version_(version) {}

  void resolve(transaction::LateWrites&) const override {
    if (!key_ || cache_->version(*key_) == version_) return;
    fail(
        ErrorCode::conflict,
        text(
            "conflict: a key of a memory cache was changed since this transaction read it; run the transaction again"));
  }

  void published() const noexcept override {
    try {
      key_ ? cache_->write(*key_, entry_) : cache_->flush();
    } catch (const std::bad_alloc&) {
      // A cache may forget.
    }
  }

  std::size_t bytes() const override { return (key_ ? key_->size() : 0) + (entry_ ? entry_->value.size() : 0) + 32; }

  bool is_of(const MemoryCache& cache) const { return cache_.get() == &cache; }
  bool decides(std::string_view key) const { return !key_ || *key_ == key; }
  const std::optional<std::string>& key() const { return key_; }
  const std::optional<Entry>& entry() const { return entry_; }
  std::uint64_t version() const { return version_; }

 private:
  std::shared_ptr<MemoryCache> cache_;
  std::optional<std::string> key_;
  std::optional<Entry> entry_;
  std::uint64_t version_;
};

/// The transaction's last write that says what the key is; null: none.
const MemoryWrite* last_write(const transaction::Transaction& own, const MemoryCache& cache, std::string_view key) {
  const auto& late = own.pending().late();
  for (auto it = late.rbegin(); it != late.rend(); ++it) {
    const auto* write = dynamic_cast<const MemoryWrite*>(it->write.get());
    if (write && write->is_of(cache) && write->decides(key)) return write;
  }
  return nullptr;
}

}  // namespace

bool MemoryInTransaction::read(std::string_view key, Entry& entry) {
  const MemoryWrite* write = last_write(own_, *cache_, key);
  if (!write) return cache_->read(key, entry);
  if (!write->entry() || !write->entry()->live(now())) return false;
  entry = *write->entry();
  return true;
}

void MemoryInTransaction::update(std::string_view key, Change change) {
  std::optional<Entry> entry(std::in_place);
  std::uint64_t version = 0;
  if (const MemoryWrite* write = last_write(own_, *cache_, key)) {
    version = write->key() ? write->version() : cache_->version(key);
    entry = write->entry();
    if (entry && !entry->live(now())) entry.reset();
  } else if (!cache_->read(key, *entry, version)) {
    entry.reset();
  }
  if (change(entry))
    own_.writes().late(std::make_shared<MemoryWrite>(cache_, std::string(key), std::move(entry), version));
}

void MemoryInTransaction::write(std::string_view key, std::optional<Entry> entry) {
  own_.writes().late(std::make_shared<MemoryWrite>(cache_, std::string(key), std::move(entry), cache_->version(key)));
}

std::string MemoryInTransaction::scan(std::string_view cursor, std::size_t count, std::vector<std::string>& keys) {
  std::string next = cache_->scan(cursor, count, keys);
  std::erase_if(keys, [&](const std::string& key) { return last_write(own_, *cache_, key) != nullptr; });
  if (!cursor.empty()) return next;
  std::vector<std::string> own;  // all with the first call
  for (const auto& late : own_.pending().late()) {
    const auto* write = dynamic_cast<const MemoryWrite*>(late.write.get());
    if (write && write->is_of(*cache_) && write->key()) own.push_back(*write->key());
  }
  std::ranges::sort(own);
  own.erase(std::unique(own.begin(), own.end()), own.end());
  Entry entry;
  for (std::string& key : own)
    if (read(key, entry)) keys.push_back(std::move(key));
  return next;
}

void MemoryInTransaction::flush() {
  own_.writes().late(std::make_shared<MemoryWrite>(cache_, std::nullopt, std::nullopt, 0));
}

}  // namespace stele::cache
