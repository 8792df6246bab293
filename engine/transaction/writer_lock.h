// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/interrupt.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace stele::transaction {

/// The SQL writer lock (`mu` in the commit protocol): first come, first served, with a timeout.
/// A transaction's first SQL write waits for it, and an attempt that runs alone. It is not held across the sync that
/// acknowledges a commit; only to free an outbox slot or a long tail a commit syncs under it, when the flusher has not
/// done so ahead of time. It belongs to a transaction, which may be handed from thread to thread.
class WriterLock {
 public:
  /// Throws `busy` after `timeout`, at once when this thread holds the lock already (it would wait for
  /// itself), and `interrupted` when the interrupt is raised.
  void lock(std::chrono::milliseconds timeout, const Interrupt* interrupt);
  void unlock();
  /// The holder goes on in this thread: from here on it is this one that would wait for itself.
  void taken_over() noexcept { holder_.store(std::this_thread::get_id(), std::memory_order_relaxed); }

 private:
  struct Waiter {
    std::condition_variable turn;
    bool granted = false;
    std::thread::id thread;
  };
  std::mutex mutex_;
  bool held_ = false;
  std::atomic<std::thread::id> holder_;
  std::deque<Waiter*> waiters_;
};

}  // namespace stele::transaction
