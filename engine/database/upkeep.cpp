// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/database/upkeep.h"

#include "engine/base/error.h"
#include "engine/events/streams.h"

#include <algorithm>
#include <chrono>

namespace stele {

using catalog::Definition;
using catalog::Kind;

namespace {
constexpr auto between_rounds = std::chrono::seconds(5);

constexpr std::size_t cache_keys_a_round = 20'000;
constexpr std::size_t events_a_fill = 5000;

bool works_on(const Definition& definition) {
  return definition.kind == Kind::cache || (definition.kind == Kind::stream && !definition.settings.empty());
}
}  // namespace

Upkeep::Upkeep(transaction::Store& store, catalog::Catalog& catalog, events::Segments& segments, cache::Caches& caches,
               const json::Limits& limits)
    : store_(store), catalog_(catalog), segments_(segments), caches_(caches), limits_(limits) {
  look_again();
}

bool Upkeep::has_work() {
  return std::ranges::any_of(catalog::Catalog::read_all(*store_.latest(true), transaction::ScanRecord::none), works_on);
}

void Upkeep::look_again() noexcept {
  try {
    if (!has_work()) return;
    std::lock_guard guard(mutex_);
    if (stop_) return;
    look_ = true;
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  } catch (const std::exception& error) {
    std::lock_guard guard(mutex_);
    last_error_ = error.what();
  }
  wake_.notify_one();
}

void Upkeep::start() noexcept {
  std::lock_guard ends(ends_);
  {
    std::lock_guard guard(mutex_);
    stop_ = false;
  }
  look_again();
}

void Upkeep::stop() noexcept {
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

bool Upkeep::stopping() const {
  std::lock_guard guard(mutex_);
  return stop_;
}

std::string Upkeep::last_error() const {
  std::lock_guard guard(mutex_);
  return last_error_;
}

void Upkeep::run() {
  std::unique_lock guard(mutex_);
  while (!stop_) {
    wake_.wait_for(guard, between_rounds, [&] { return stop_ || look_; });
    if (stop_) return;
    look_ = false;
    last_error_.clear();
    guard.unlock();
    try {
      round();
    } catch (const std::exception& error) {
      std::lock_guard error_guard(mutex_);
      if (!stop_) last_error_ = error.what();
    }
    guard.lock();
  }
}

std::uint64_t Upkeep::round() {
  std::uint64_t removed = 0;
  caches_.sweep_memory();
  for (const Definition& definition : catalog::Catalog::read_all(*store_.latest(true), transaction::ScanRecord::none)) {
    if (stopping()) break;
    if (!works_on(definition)) continue;
    try {
      if (definition.kind == Kind::cache) {
        remove_expired(definition);
      } else {
        keep_windows(definition);
        removed += apply_retention(definition);
      }
    } catch (const std::exception& error) {  // does not keep other streams from their turn
      std::lock_guard guard(mutex_);
      if (!stop_)
        last_error_ = text("upkeep of ", catalog::name(definition.kind), " \"", definition.name, "\": ", error.what());
    }
  }
  return removed;
}

void Upkeep::remove_expired(const Definition& cache) {
  static std::atomic<int> lock_first{0};
  std::string place = places_[cache.id];
  store_.write({.durability = Durability::relaxed}, lock_first, [&](const auto& own) {
    own->statement([&] {
      const auto now = catalog_.find(*own, Kind::cache, cache.name);
      if (now && now->id == cache.id)
        place = caches_.remove_expired(*own, store_.clock(), *now, places_[cache.id], cache_keys_a_round);
    });
  });
  places_[cache.id] = std::move(place);
}

void Upkeep::keep_windows(const Definition& stream) {
  static std::atomic<int> lock_first{0};
  const events::Streams verbs(catalog_, segments_, stream.name, limits_);
  for (bool complete = verbs.windows(*store_.latest(true)).empty(); !complete && !stopping();)
    store_.write({}, lock_first, [&](const auto& own) {
      complete = own->statement([&] { return verbs.keep_windows(*own, events_a_fill); });
    });
}

std::uint64_t Upkeep::apply_retention(const Definition& stream) {
  const events::Streams verbs(catalog_, segments_, stream.name, limits_);
  const auto latest = store_.latest(true);
  const std::uint64_t earliest = verbs.extent(*latest).earliest;
  const std::uint64_t cut = verbs.retention_cut(*latest);
  if (cut <= earliest) return 0;
  static std::atomic<int> lock_first{0};
  store_.write({}, lock_first, [&](const auto& own) {
    own->statement([&] {
      const auto now = catalog_.find(*own, Kind::stream, stream.name);
      if (now && now->id == stream.id) verbs.truncate(*own, cut);
    });
  });
  return cut - earliest;
}

}  // namespace stele
