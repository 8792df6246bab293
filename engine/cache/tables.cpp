// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/cache/tables.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/cache/caches.h"

#include <map>
#include <utility>

namespace stele::cache {

using storage::Keyspace;
using transaction::Record;
using transaction::ScanRecord;

/// Follows the late writes of one kind that a transaction makes, undone ones left out again.
class Follower : public transaction::Attached {
 protected:
  /// Calls `forget()` when what was seen may be undone, and `visit(write)` for each that was not seen before.
  template <class Write, class Forget, class Visit>
  void follow(const transaction::Transaction& own, Forget&& forget, Visit&& visit) {
    const auto& late = own.pending().late();
    if (undone_ != own.pending().undone()) {
      undone_ = own.pending().undone();
      seen_ = 0;
      forget();
    }
    for (; seen_ < late.size(); ++seen_)
      if (const auto* write = dynamic_cast<const Write*>(late[seen_].write.get())) visit(*write);
  }

 private:
  std::size_t seen_ = 0;
  std::uint64_t undone_ = 0;
};

/// The transaction's one, made when it is first asked for.
template <class Kept, class... Arguments>
std::shared_ptr<Kept> beside(transaction::Transaction& own, const void* owner, Arguments&&... arguments) {
  auto& attached = own.attached(owner);
  if (!attached) attached = std::make_shared<Kept>(std::forward<Arguments>(arguments)...);
  return std::static_pointer_cast<Kept>(attached);
}

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

  bool is_of(const UseOrder& order) const { return order_.get() == &order; }
  void add_to(OwnUse& own) const { order_->note(own, key_, value_bytes_); }

 private:
  std::shared_ptr<UseOrder> order_;
  std::optional<std::string> key_;
  std::optional<std::uint64_t> value_bytes_;
};

class DiskOfTransaction final : public Follower {
 public:
  explicit DiskOfTransaction(std::shared_ptr<UseOrder> order) : order_(std::move(order)) {}

  const OwnUse& use(const transaction::Transaction& own) {
    follow<UseNote>(
        own, [&] { use_ = {}; },
        [&](const UseNote& note) {
          if (note.is_of(*order_)) note.add_to(use_);
        });
    return use_;
  }

 private:
  std::shared_ptr<UseOrder> order_;
  OwnUse use_;
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

const OwnUse& DiskTable::own_use() {
  static const OwnUse none;
  if (own_->pending().late().empty()) return none;
  return beside<DiskOfTransaction>(*own_, order_.get(), order_)->use(*own_);
}

void DiskTable::evict(std::optional<std::string_view> key, std::size_t value_bytes) {
  // Blind: who writes a victim at the same time conflicts, and one of the two runs again.
  for (const std::string& victim : order_->victims(key, value_bytes, own_use())) erase(cache_prefix(cache_) + victim);
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

/// One key's change, or the removal of all (no key), on its way to a commit.
class MemoryWrite final : public transaction::LateWrite {
 public:
  MemoryWrite(std::shared_ptr<MemoryCache> cache, std::optional<std::string> key, std::optional<Entry> entry)
      : cache_(std::move(cache)), key_(std::move(key)), entry_(std::move(entry)) {}

  void resolve(transaction::LateWrites&) const override {}
  void published() const noexcept override {
    try {
      key_ ? cache_->apply(*key_, entry_) : cache_->flush();
    } catch (const std::bad_alloc&) {
      // A cache may forget.
    }
  }

  std::size_t bytes() const override { return (key_ ? key_->size() : 0) + (entry_ ? entry_->value.size() : 0) + 32; }

  bool is_of(const MemoryCache& cache) const { return cache_.get() == &cache; }
  const std::optional<std::string>& key() const { return key_; }
  const std::optional<Entry>& entry() const { return entry_; }

 private:
  std::shared_ptr<MemoryCache> cache_;
  std::optional<std::string> key_;
  std::optional<Entry> entry_;
};

/// What a transaction has read and written of a memory cache.
class MemoryOfTransaction final : public Follower {
 public:
  /// `alone`: nobody is to make it conflict; so what it reads is held until it ends.
  MemoryOfTransaction(std::shared_ptr<MemoryCache> cache, bool alone) : cache_(std::move(cache)), alone_(alone) {}
  ~MemoryOfTransaction() override { release(); }

  /// The last write that says what the key is; null: none.
  const MemoryWrite* last_write(const transaction::Transaction& own, std::string_view key) {
    follow_writes(own);
    const auto found = writes_.find(key);
    return found == writes_.end() ? flush_ : found->second;
  }

  /// Keys that were written since the last flush, in order.
  std::vector<std::string> written(const transaction::Transaction& own) {
    follow_writes(own);
    std::vector<std::string> keys;
    for (const auto& [key, write] : writes_) keys.push_back(key);
    return keys;
  }

  bool read(std::string_view key, Entry& entry, bool binding) {
    const auto [seen, first] = seen_.try_emplace(std::string(key));
    if (first && alone_) hold(seen->first, seen->second);
    std::uint64_t version = 0;
    const bool there = cache_->read(key, entry, version);
    if (first) seen->second.version = version;
    seen->second.binding = seen->second.binding || binding;
    return there;
  }

  void bind(std::string_view key) {
    if (const auto seen = seen_.find(key); seen != seen_.end()) seen->second.binding = true;
  }

  void validate(bool all) override {
    for (auto& [key, seen] : seen_) {
      if (!all && !seen.binding) continue;
      if (!seen.held) hold(key, seen);
      if (cache_->version(key) == seen.version) continue;
      fail(ErrorCode::conflict,
           "conflict: a key of a memory cache was changed since this transaction read it; run the transaction again");
    }
  }

  void release() noexcept override {
    for (auto& [key, seen] : seen_)
      if (std::exchange(seen.held, false)) cache_->let_go(key);
  }

 private:
  struct Seen {
    std::uint64_t version = 0;
    bool binding = false;
    bool held = false;
  };

  void hold(const std::string& key, Seen& seen) {
    cache_->hold(key);
    seen.held = true;
  }

  void follow_writes(const transaction::Transaction& own) {
    const auto forget = [&] {
      writes_.clear();
      flush_ = nullptr;
    };
    follow<MemoryWrite>(own, forget, [&](const MemoryWrite& write) {
      if (!write.is_of(*cache_)) return;
      if (write.key()) {
        writes_.insert_or_assign(*write.key(), &write);
      } else {
        writes_.clear();
        flush_ = &write;
      }
    });
  }

  std::shared_ptr<MemoryCache> cache_;
  const bool alone_;
  std::map<std::string, Seen, std::less<>> seen_;
  std::map<std::string, const MemoryWrite*, std::less<>> writes_;
  const MemoryWrite* flush_ = nullptr;
};

MemoryInTransaction::MemoryInTransaction(transaction::Transaction& own, std::shared_ptr<MemoryCache> cache)
    : own_(own),
      cache_(std::move(cache)),
      beside_(beside<MemoryOfTransaction>(own, cache_.get(), cache_, own.alone())) {}

bool MemoryInTransaction::read(std::string_view key, Entry& entry) {
  const MemoryWrite* write = beside_->last_write(own_, key);
  if (!write) return own_.records() ? beside_->read(key, entry, false) : cache_->read(key, entry);
  if (!write->entry() || !write->entry()->live(now())) return false;
  entry = *write->entry();
  return true;
}

void MemoryInTransaction::update(std::string_view key, Change change) {
  std::optional<Entry> entry(std::in_place);
  if (const MemoryWrite* write = beside_->last_write(own_, key)) {
    entry = write->entry();
    if (entry && !entry->live(now())) entry.reset();
  } else if (!beside_->read(key, *entry, true)) {
    entry.reset();
  }
  if (change(entry)) write(key, std::move(entry));
}

void MemoryInTransaction::write(std::string_view key, std::optional<Entry> entry) {
  own_.writes().late(std::make_shared<MemoryWrite>(cache_, std::string(key), std::move(entry)));
  beside_->bind(key);
}

std::string MemoryInTransaction::scan(std::string_view cursor, std::size_t count, std::vector<std::string>& keys) {
  std::string next = cache_->scan(cursor, count, keys);
  std::erase_if(keys, [&](const std::string& key) { return beside_->last_write(own_, key) != nullptr; });
  if (!cursor.empty()) return next;
  Entry entry;
  for (std::string& key : beside_->written(own_))  // all with the first call
    if (read(key, entry)) keys.push_back(std::move(key));
  return next;
}

void MemoryInTransaction::flush() {
  own_.writes().late(std::make_shared<MemoryWrite>(cache_, std::nullopt, std::nullopt));
}

}  // namespace stele::cache
