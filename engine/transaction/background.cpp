// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/transaction/background.h"

#include "engine/base/error.h"
#include "engine/base/step.h"
#include "engine/transaction/store.h"

#include <algorithm>
#include <chrono>

namespace stele::transaction {

using namespace std::chrono_literals;

Background::Background(Store& store) : store_(store) {
  floor_written_ = store_.floor_->found().gseq;
  flusher_.thread = std::thread([this] { run_flusher(); });
  checkpointer_.thread = std::thread([this] { run_checkpointer(); });
}

void Background::arm(Worker& worker) {
  // A commit pays one atomic load when the thread is armed already.
  if (worker.armed.load(std::memory_order_relaxed) || worker.armed.exchange(true)) return;
  { std::lock_guard guard(worker.mutex); }
  worker.wake.notify_one();
}

void Background::note_commit(bool urgent) {
  if (urgent && !flusher_.urgent.exchange(true)) {
    flusher_.armed.store(true);
    { std::lock_guard guard(flusher_.mutex); }
    flusher_.wake.notify_one();
  }
  arm(flusher_);
}

void Background::note_log_bytes(std::uint64_t bytes) {
  const std::uint64_t last = checkpointed_at_.load(std::memory_order_relaxed);
  if (bytes < last) {
    checkpointed_at_.store(0, std::memory_order_relaxed);  // the log has started anew
  } else if (bytes - last >= store_.tuning_.checkpoint_bytes) {
    arm(checkpointer_);
  }
}

void Background::stop() noexcept {
  if (stopped_) return;
  stopped_ = true;
  for (Worker* worker : {&flusher_, &checkpointer_}) {
    {
      std::lock_guard guard(worker->mutex);
      worker->stop = true;
    }
    worker->wake.notify_one();
    worker->thread.join();
  }
}

void Background::run_flusher() {
  std::unique_lock guard(flusher_.mutex);
  auto floor_at = std::chrono::steady_clock::now();
  while (!flusher_.stop) {
    const auto woken = [&] { return flusher_.stop || flusher_.armed.load(); };
    const bool floor_is_behind = store_.sync_->durable() > floor_written_ && !store_.health_.poisoned();
    if (floor_is_behind) {
      flusher_.wake.wait_until(guard, floor_at + 1s, woken);
    } else {
      flusher_.wake.wait(guard, woken);
    }
    if (flusher_.stop) return;
    if (flusher_.armed.load())
      flusher_.wake.wait_for(guard, 100ms, [&] { return flusher_.stop || flusher_.urgent.load(); });
    flusher_.armed = false;
    guard.unlock();
    flush();
    if (std::chrono::steady_clock::now() >= floor_at + 1s) {
      raise_floor();
      floor_at = std::chrono::steady_clock::now();
    }
    guard.lock();
  }
}

void Background::flush() {
  const bool urgent = flusher_.urgent.exchange(false);
  if (store_.health_.poisoned()) return;
  try {
    const std::uint64_t published = store_.order_.published.load();
    bool tail;
    {
      std::lock_guard order(store_.order_.lock);
      store_.order_.trim_tail(store_.sync_->key_value_durable());
      tail = !store_.order_.tail.empty();
    }
    if (urgent || tail) {
      store_.sync_->sync_key_value();
    } else if (store_.sync_->durable() < published) {
      store_.sync_->sync_sql();
    }
    store_.large_->key_value_durable(store_.sync_->key_value_durable());
  } catch (const std::exception& error) {
    store_.health_.poison(error.what());
  }
}

void Background::raise_floor() {
  const std::uint64_t durable = store_.sync_->durable();
  if (durable <= floor_written_ || store_.health_.poisoned()) return;
  try {
    store_.floor_->raise({durable, store_.clock_->now_us()});
    floor_written_ = durable;
    step("floor.raised");
  } catch (const std::exception& error) {
    store_.health_.poison(error.what());
  }
}

void Background::run_checkpointer() {
  std::unique_lock guard(checkpointer_.mutex);
  while (!checkpointer_.stop) {
    checkpointer_.wake.wait(guard, [&] { return checkpointer_.stop || checkpointer_.armed.load(); });
    if (checkpointer_.stop) return;
    guard.unlock();
    checkpoint();
    checkpointer_.armed = false;
    guard.lock();
  }
}

void Background::checkpoint() {
  if (store_.health_.poisoned()) return;
  try {
    store_.release_warm_readers();
    store_.relational_->checkpoint();
    step("checkpoint.done");
    std::uint64_t bytes = store_.relational_->log_bytes();
    if (bytes > std::min(store_.tuning_.restart_bytes, store_.options_.wal_bytes_max)) {
      // Under steady writing a checkpoint never catches up, and the log never starts anew: hold writers off for
      // the little that is left. Readers may still keep the log; the oldest is expired when it gets too long.
      store_.writer_lock_.lock(store_.options_.lock_timeout, nullptr);
      storage::CheckpointResult result;
      try {
        store_.release_warm_readers();
        result = store_.relational_->checkpoint();
      } catch (...) {
        store_.writer_lock_.unlock();
        throw;
      }
      store_.writer_lock_.unlock();
      bytes = store_.relational_->log_bytes();
      const bool kept_by_reader = result.checkpointed_frames < result.log_frames;
      if (kept_by_reader && bytes > store_.options_.wal_bytes_max) store_.expire_oldest_snapshot();
    }
    checkpointed_at_.store(bytes, std::memory_order_relaxed);
  } catch (const Error& error) {
    // `full`: a write had no space, nothing was synced and the log still holds everything; tried again with a later commit.
    if (error.code() != ErrorCode::busy && error.code() != ErrorCode::full) store_.health_.poison(error.message());
  } catch (const std::exception& error) {
    store_.health_.poison(error.what());
  }
}

}  // namespace stele::transaction
