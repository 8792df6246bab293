// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The store's two threads. The flusher bounds what is not durable (100 ms, 128 KB of tail), frees outbox slots ahead
// of time and raises the floor in DIR/durable about once a second. The checkpointer moves SQLite's log into
// relational.db and keeps the log bounded. Both sleep until a commit wakes them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace stele::transaction {

class Store;

class Background {
 public:
  explicit Background(Store& store);
  ~Background() { stop(); }

  /// Something was committed. `urgent`: do not wait the 100 ms.
  void note_commit(bool urgent);
  void note_log_bytes(std::uint64_t bytes);
  void checkpoint_soon() { arm(checkpointer_); }
  void stop() noexcept;

 private:
  /// A thread that sleeps until it is woken.
  struct Worker {
    std::mutex mutex;
    std::condition_variable wake;
    std::atomic<bool> armed{false};
    std::atomic<bool> urgent{false};
    bool stop = false;
    std::thread thread;
  };

  void run_flusher();
  void run_checkpointer();
  void flush();
  void raise_floor();
  void checkpoint();
  void arm(Worker& worker);

  Store& store_;
  Worker flusher_;
  Worker checkpointer_;
  std::uint64_t floor_written_ = 0;
  std::atomic<std::uint64_t> checkpointed_at_{0};  // log size after the last checkpoint
  bool stopped_ = false;
};

}  // namespace stele::transaction
