// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The fuse of a store. After the first failed write, sync or background job, no byte reaches the
// store's files until it is opened again: what is on disk stays a prefix of what was applied.
#pragma once

#include <stele/error.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>

namespace stele::rocks {

class Failure {
 public:
  explicit Failure(std::function<void(const Error&)> on_failure) : on_failure_(std::move(on_failure)) {}

  bool happened() const noexcept { return happened_.load(std::memory_order_acquire); }
  /// Keeps the first cause and tells on_failure about it, once. Any thread, also inside RocksDB.
  void report(const Error& cause) noexcept;

  /// Throws `poisoned`, naming the cause, when something failed.
  void check() const;
  /// Throws the cause itself: for the call that met it.
  [[noreturn]] void throw_cause() const;

  /// Silently ends all writing, for the destructor: a dropped store leaves what a killed process would.
  void stop() noexcept { stopped_.store(true, std::memory_order_release); }
  bool blocks_writes() const noexcept { return happened() || stopped_.load(std::memory_order_acquire); }

 private:
  std::function<void(const Error&)> on_failure_;
  std::atomic<bool> happened_{false};
  std::atomic<bool> stopped_{false};
  mutable std::mutex mutex_;
  std::optional<Error> cause_;  // set before happened_
};

}  // namespace stele::rocks
