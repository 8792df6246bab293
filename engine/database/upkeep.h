// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What streams and caches need done in the background: retention, filling windows, and giving back the space of expired
// keys. One thread, which there is only when there is such work; all of it in ordinary transactions.
#pragma once

#include "engine/cache/caches.h"
#include "engine/catalog/catalog.h"
#include "engine/events/segments.h"
#include "engine/transaction/store.h"

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace stele {

class Upkeep {
 public:
  Upkeep(transaction::Store& store, catalog::Catalog& catalog, events::Segments& segments, cache::Caches& caches,
         const json::Limits& limits);
  ~Upkeep() { stop(); }
  Upkeep(const Upkeep&) = delete;

  /// After stop().
  void start() noexcept;
  /// Definitions may have changed. Any thread.
  void look_again() noexcept;
  void stop() noexcept;

  /// One round now, in the caller's thread: returns how many events it removed.
  std::uint64_t round();
  /// What the last round could not do; empty: nothing.
  std::string last_error() const;

 private:
  void run();
  bool has_work();
  bool stopping() const;
  void remove_expired(const catalog::Definition& cache);
  void keep_windows(const catalog::Definition& stream);
  std::uint64_t apply_retention(const catalog::Definition& stream);

  transaction::Store& store_;
  catalog::Catalog& catalog_;
  events::Segments& segments_;
  cache::Caches& caches_;
  const json::Limits& limits_;
  std::mutex ends_;  // held while the thread ends or begins
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  bool look_ = false;
  std::string last_error_;
  std::map<std::uint64_t, std::string> places_;  // how far a round came in a cache; of the thread
  std::thread thread_;
};

}  // namespace stele
