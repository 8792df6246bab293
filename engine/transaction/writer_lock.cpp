// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/transaction/writer_lock.h"

#include "engine/base/error.h"

#include <algorithm>

namespace stele::transaction {

void WriterLock::lock(std::chrono::milliseconds timeout, const Interrupt* interrupt) {
  using Clock = Interrupt::Clock;
  std::unique_lock guard(mutex_);
  if (!held_) {
    held_ = true;
    holder_ = std::this_thread::get_id();
    return;
  }
  if (holder_.load(std::memory_order_relaxed) == std::this_thread::get_id())
    fail(ErrorCode::busy,
         "busy: this thread has another open transaction that writes SQL; commit or roll it back first",
         {{"reason", "same_thread"}});

  Waiter waiter;
  waiter.thread = std::this_thread::get_id();
  waiters_.push_back(&waiter);
  const auto give_up = Clock::now() + timeout;
  while (!waiter.granted) {
    // Waits in slices, so that a cancel from another thread is seen.
    const auto slice = std::min(give_up, Clock::now() + std::chrono::milliseconds(20));
    waiter.turn.wait_until(guard, interrupt ? slice : give_up);
    if (waiter.granted) break;
    const bool interrupted = interrupt && interrupt->raised();
    if (!interrupted && Clock::now() < give_up) continue;
    waiters_.erase(std::find(waiters_.begin(), waiters_.end(), &waiter));
    guard.unlock();
    if (interrupted) interrupt->check();
    fail(ErrorCode::busy,
         text("busy: the SQL writer lock was not free within ", timeout.count(),
              " ms; another transaction that writes SQL is open: shorten it, or raise Options::lock_timeout"),
         {{"reason", "lock_timeout"}, {"limit", std::to_string(timeout.count())}});
  }
}

void WriterLock::unlock() {
  std::lock_guard guard(mutex_);
  if (waiters_.empty()) {
    held_ = false;
    holder_ = std::thread::id();
    return;
  }
  Waiter* next = waiters_.front();
  waiters_.pop_front();
  next->granted = true;
  holder_ = next->thread;
  next->turn.notify_one();  // under the lock: the waiter's condition variable dies when it returns
}

}  // namespace stele::transaction
