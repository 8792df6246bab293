// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/maintenance.h"

#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/documents/expiry.h"
#include "engine/documents/index_entries.h"
#include "engine/documents/indexes.h"
#include "engine/documents/vector_indexes.h"
#include "engine/documents/writer.h"

#include <algorithm>
#include <chrono>

namespace stele::documents {

using catalog::Definition;
using catalog::Index;
using catalog::Kind;
using storage::Keyspace;
using transaction::Transaction;

namespace {

using namespace std::chrono_literals;
constexpr auto between_rounds = 10s;
constexpr std::size_t removed_at_once = 200;

bool has_work(const Definition& definition) {
  if (std::ranges::any_of(definition.vector_indexes, &catalog::VectorIndex::building)) return true;
  return definition.kind == Kind::collection && std::ranges::any_of(definition.indexes, [](const Index& index) {
           return index.state == Index::State::building || (index.expire_after_seconds && index.maintained());
         });
}

void write(transaction::Store& store, const std::function<void(Transaction&)>& body) {
  static std::atomic<int> lock_first{0};
  store.write({}, lock_first, [&](const auto& own) { own->statement([&] { body(*own); }); });
}

}  // namespace

Maintenance::Maintenance(transaction::Store& store, catalog::Catalog& catalog, const json::Limits& limits)
    : store_(store), catalog_(catalog), limits_(limits) {
  look_again();
}

void Maintenance::look_again() noexcept {
  attempt("maintenance", [&] { begin_if_needed(); });
}

void Maintenance::begin_if_needed() {
  const auto all = catalog::Catalog::read_all(*store_.latest(true), transaction::ScanRecord::none);
  std::lock_guard guard(mutex_);
  if (stop_ || std::ranges::none_of(all, has_work)) return;
  look_ = true;
  if (thread_.joinable()) {
    wake_.notify_one();
  } else {
    thread_ = std::thread([this] { run(); });
  }
}

void Maintenance::start() noexcept {
  std::lock_guard ends(ends_);
  {
    std::lock_guard guard(mutex_);
    stop_ = false;
  }
  look_again();
}

void Maintenance::stop() noexcept {
  if (store_.forked()) {  // the thread is the parent's
    if (thread_.joinable()) new std::thread(std::move(thread_));
    return;
  }
  std::lock_guard ends(ends_);
  std::thread ending;
  {
    std::lock_guard guard(mutex_);
    stop_ = true;
    ending = std::move(thread_);
  }
  wake_.notify_all();
  if (ending.joinable()) ending.join();
}

std::string Maintenance::last_error() const {
  std::lock_guard guard(mutex_);
  return last_error_;
}

/// What one index meets does not keep the others from their turn.
template <class Work>
void Maintenance::attempt(const std::string& what, Work&& work) noexcept {
  if (stopping()) return;
  try {
    work();
  } catch (const std::exception& error) {
    std::lock_guard guard(mutex_);
    if (!stop_) last_error_ = text(what, ": ", error.what());
  }
}

bool Maintenance::stopping() {
  std::lock_guard guard(mutex_);
  return stop_;
}

void Maintenance::run() {
  std::unique_lock guard(mutex_);
  while (!stop_) {
    wake_.wait_for(guard, between_rounds, [&] { return stop_ || look_; });
    if (stop_) return;
    look_ = false;
    last_error_.clear();
    guard.unlock();
    attempt("maintenance", [&] { round(); });
    guard.lock();
  }
}

void Maintenance::round() {
  const Write in_transaction = [&](const std::function<void(Transaction&)>& body) {
    if (stopping()) fail(ErrorCode::interrupted, "maintenance: the database is being closed");
    write(store_, body);
  };
  for (const Definition& definition : catalog::Catalog::read_all(*store_.latest(true), transaction::ScanRecord::none)) {
    if (definition.kind != Kind::collection) continue;
    for (const Index& index : definition.indexes) {
      if (index.state != Index::State::building) continue;
      attempt(text("build of index \"", index.name, "\" of collection \"", definition.name, '"'),
              [&] { Indexes(catalog_, definition.name, limits_).build(in_transaction, index.name); });
    }
    for (const catalog::VectorIndex& index : definition.vector_indexes) {
      if (!index.building) continue;
      attempt(text("build of the vector index \"", index.path.text(), "\" of collection \"", definition.name, '"'), [&] {
        const VectorIndexes indexes(catalog_, definition.name, limits_);
        try {
          indexes.build(in_transaction, index.path.text());
        } catch (const Error& error) {
          if (error.code() == ErrorCode::invalid)
            write(store_, [&](Transaction& transaction) { indexes.drop(transaction, index.path.text()); });
          throw;
        }
      });
    }
  }
  remove_expired();
}

std::uint64_t Maintenance::remove_expired() {
  std::uint64_t removed = 0;
  for (const Definition& definition : catalog::Catalog::read_all(*store_.latest(true), transaction::ScanRecord::none)) {
    for (const Index& index : definition.indexes) {
      if (!index.expire_after_seconds || index.state != Index::State::ready) continue;
      attempt(text("expiry by index \"", index.name, "\" of collection \"", definition.name, '"'), [&] {
        for (std::uint64_t batch = removed_at_once; batch == removed_at_once && !stopping(); removed += batch)
          batch = remove_expired_batch(definition, index);
      });
    }
  }
  return removed;
}

/// The entries of an ascending TTL index begin with the oldest dates; each document is looked at again before it goes.
std::uint64_t Maintenance::remove_expired_batch(const Definition& collection, const Index& index) {
  std::uint64_t removed = 0;
  write(store_, [&](Transaction& transaction) {
    removed = 0;
    const auto now = catalog_.find(transaction, Kind::collection, collection.name);
    if (!now || now->id != collection.id || !now->index(index.name)) return;
    const bool descending = index.fields.front().descending;
    std::string low = index_prefix(index.id);
    std::string high = low;
    const std::size_t prefix = low.size();
    key::append_code(low, KeyCode::date);
    std::int64_t before_ms = 0;
    if (__builtin_sub_overflow(transaction.time_us() / 1000, *index.expire_after_seconds * 1000, &before_ms)) return;
    key::append_date(high, before_ms);
    if (descending) {
      key::make_descending(low, prefix);
      key::make_descending(high, prefix);
      std::swap(low, high);
    }
    const auto scan = transaction.scan(Keyspace::indexes, {low, key::prefix_end(high)}, transaction::ScanRecord::none);
    Writer writer(transaction, *now);
    Expiry expiry(*now, transaction.time_us());
    std::string document;
    while (removed < removed_at_once && scan->next()) {
      const std::string key = index_prefix(collection.id) + std::string(parse_entry(index, scan->key(), scan->value()).id);
      if (!transaction.get(Keyspace::documents, key, document) || !expiry.expired(document)) continue;
      writer.erase(key, document);
      ++removed;
    }
  });
  return removed;
}

}  // namespace stele::documents
