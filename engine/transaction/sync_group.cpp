// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/transaction/sync_group.h"

#include "engine/base/error.h"
#include "engine/base/step.h"

#include <algorithm>

namespace stele::transaction {

namespace {
void raise_to(std::atomic<std::uint64_t>& mark, std::uint64_t value) {
  std::uint64_t seen = mark.load();
  while (seen < value && !mark.compare_exchange_weak(seen, value)) {
  }
}
}  // namespace

void SyncGroup::start_at(std::uint64_t gseq, std::uint64_t key_value) {
  sql_synced_.store(gseq);
  key_value_synced_.store(gseq);
  key_value_floor_.store(key_value);
}

std::uint64_t SyncGroup::durable() const { return std::max(sql_synced_.load(), key_value_floor_.load()); }

bool SyncGroup::covered(std::uint64_t gseq, Log log) const {
  if (log == Log::key_value) return key_value_floor_.load() >= gseq;
  if (sql_synced_.load() >= gseq) return true;
  if (log == Log::sql && !planted("wrong_log_awaited")) return false;
  return key_value_synced_.load() >= gseq;
}

void SyncGroup::wait(std::uint64_t gseq, Log log) {
  if (sync_until(gseq, log)) return;
  fail(ErrorCode::unknown_outcome,
       text("unknown outcome: commit ", gseq, " was made, and then the log could not be synced (", health_.cause(),
            "); reopening the database decides whether it is there"),
       {{"cause", health_.cause()}, {"gseq", std::to_string(gseq)}});
}

/// False: the store is poisoned.
bool SyncGroup::sync_until(std::uint64_t gseq, Log log) {
  if (covered(gseq, log)) return true;
  std::unique_lock guard(mutex_);
  // Whoever was woken to lead may find its commit covered meanwhile (by the barrier): then another must be woken.
  struct PassOn {
    SyncGroup& group;
    ~PassOn() {
      if (!group.leading_ && !group.waiters_.empty()) group.wake_waiters();
    }
  } pass_on{*this};
  while (!covered(gseq, log)) {
    if (health_.poisoned()) return false;
    if (leading_) {
      Waiter waiter{gseq, log, false, {}};
      waiters_.push_back(&waiter);
      waiter.wake.wait(guard, [&] { return waiter.woken; });
    } else {
      lead(guard, log);
    }
  }
  return true;
}

void SyncGroup::lead(std::unique_lock<std::mutex>& guard, Log log) {
  leading_ = true;
  guard.unlock();
  try {
    log == Log::key_value ? flush_and_sync_key_value() : sync_once();
  } catch (const Error& error) {
    health_.poison(error.message());
  } catch (const std::exception& error) {
    health_.poison(error.what());
  }
  tell_watches();
  guard.lock();
  leading_ = false;
  wake_waiters();
}

void SyncGroup::tell_watches() noexcept {
  if (watches_.any()) watches_.durable(durable());
}

/// Those whose commit is durable, and one of the others, to lead: waking all would cost a switch each, for nothing.
void SyncGroup::wake_waiters() {
  bool leader_woken = false;
  for (auto it = waiters_.begin(); it != waiters_.end();) {
    Waiter& waiter = **it;
    const bool done = covered(waiter.gseq, waiter.log) || health_.poisoned();
    if (!done && leader_woken) {
      ++it;
      continue;
    }
    leader_woken = leader_woken || !done;
    it = waiters_.erase(it);
    waiter.woken = true;
    waiter.wake.notify_one();  // under the lock: the waiter lives on its thread's stack
  }
}

void SyncGroup::sync_key_value() {
  std::uint64_t last;
  {
    std::lock_guard order(order_.lock);
    last = order_.last_key_value;
  }
  if (!sync_until(last, Log::key_value)) health_.check();
}

void SyncGroup::sync_sql() {
  if (!sync_until(order_.sql_logged.load(), Log::sql)) health_.check();
}

void SyncGroup::sync_once() {
  bool sql;
  std::uint64_t reached;
  std::uint64_t batch;
  {
    std::lock_guard order(order_.lock);
    sql = !planted("wrong_log_awaited") && order_.sql_logged.load() > sql_synced_.load();
    reached = order_.gseq;
    batch = order_.last_key_value;
    // Nothing of SQLite is pending here, so the barrier finds nothing to do under the order lock.
    if (!sql) key_value_->flush_log();
  }
  if (sql) {
    sync_sql_log();
    return;
  }
  step("sync.key_value_flushed");
  key_value_->sync_log();
  syncs_.fetch_add(1, std::memory_order_relaxed);
  raise_to(key_value_synced_, reached);
  raise_to(key_value_floor_, batch);
  step("sync.key_value_synced");
}

void SyncGroup::sync_sql_log() {
  // Read before the sync: every commit up to it has returned from COMMIT.
  const std::uint64_t reached = order_.sql_logged.load();
  step("sync.before_sql");
  relational_.sync_log();
  syncs_.fetch_add(1, std::memory_order_relaxed);
  raise_to(sql_synced_, reached);
  step("sync.sql_synced");
}

void SyncGroup::flush_and_sync_key_value() {
  if (order_.sql_logged.load() > sql_synced_.load()) sync_sql_log();
  std::uint64_t reached;
  std::uint64_t batch;
  std::uint64_t sql_reached;
  {
    std::lock_guard order(order_.lock);
    reached = order_.gseq;
    batch = order_.last_key_value;
    sql_reached = order_.sql_logged.load();
    key_value_->flush_log();  // a commit in between makes the barrier sync: rare, and correct
  }
  key_value_->sync_log();
  syncs_.fetch_add(1, std::memory_order_relaxed);
  // key_value_synced_ promises that *all* commits below are durable: also SQL ones that came in between.
  if (sql_reached > sql_synced_.load()) sync_sql_log();
  raise_to(key_value_synced_, reached);
  raise_to(key_value_floor_, batch);
}

bool SyncGroup::before_append() noexcept {
  if (planted("no_barrier")) return true;
  const std::uint64_t reached = order_.sql_logged.load();
  if (sql_synced_.load() >= reached) return true;
  if (health_.poisoned()) return false;
  try {
    relational_.sync_log();
  } catch (const std::exception& error) {
    health_.poison(error.what());
    return false;
  }
  barrier_syncs_.fetch_add(1, std::memory_order_relaxed);
  raise_to(sql_synced_, reached);
  tell_watches();
  return true;
}

}  // namespace stele::transaction
