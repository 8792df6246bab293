// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What collections need done in the background: builds of indexes that a crash cut short, and removal of expired
// documents. One thread, which there is only when there is such work; all of it in ordinary transactions.
#pragma once

#include "engine/catalog/catalog.h"
#include "engine/transaction/store.h"

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace stele::documents {

class Maintenance {
 public:
  Maintenance(transaction::Store& store, catalog::Catalog& catalog, const json::Limits& limits);
  ~Maintenance() { stop(); }
  Maintenance(const Maintenance&) = delete;

  /// After stop().
  void start() noexcept;
  /// Indexes may have changed. Any thread. Whoever changed them has committed already: what fails here is last_error().
  void look_again() noexcept;
  /// Ends the thread; the work goes on when the database is opened again. Any thread.
  void stop() noexcept;

  /// One round now, in the caller's thread: returns how many expired documents it removed.
  std::uint64_t remove_expired();

  /// Of the last round: what kept an index from being built or expired documents from being removed; empty: nothing.
  std::string last_error() const;

 private:
  void run();
  void begin_if_needed();
  void round();
  bool stopping();
  template <class Work>
  void attempt(const std::string& what, Work&& work) noexcept;
  std::uint64_t remove_expired_batch(const catalog::Definition& collection, const catalog::Index& index);

  transaction::Store& store_;
  catalog::Catalog& catalog_;
  const json::Limits& limits_;
  std::mutex ends_;  // held while the thread ends or begins again: two may close at once
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  bool look_ = false;
  std::string last_error_;
  std::thread thread_;
};

}  // namespace stele::documents
