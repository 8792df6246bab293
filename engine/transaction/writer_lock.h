// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/interrupt.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace stele::transaction {

/// The SQL writer lock (`mu` in the commit protocol): first come, first served, with a timeout.
/// A transaction's first SQL write waits for it, and an attempt that runs alone. It is not held across the sync that
/// acknowledges a commit; only to free an outbox slot or a long tail a commit syncs under it, when the flusher has not
/// done so ahead of time. It is released by the thread that took it.
class WriterLock {
 public:
  /// Throws `busy` after `timeout`, at once when this thread holds the lock already (it would wait for
  /// itself), and `interrupted` when the interrupt is raised.
  void lock(std::chrono::milliseconds timeout, const Interrupt* interrupt);
  void unlock();

 private:
  struct Waiter {
    std::condition_variable turn;
    bool granted = false;
    std::thread::id thread;
  };
  std::mutex mutex_;
  bool held_ = false;
  std::thread::id holder_;
  std::deque<Waiter*> waiters_;
};

}  // namespace stele::transaction
