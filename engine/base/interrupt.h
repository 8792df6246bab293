// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>

namespace stele {

/// A deadline and a cancel flag that long work polls. cancel() is for any thread, the rest for the
/// thread that works.
class Interrupt {
 public:
  using Clock = std::chrono::steady_clock;

  Interrupt() = default;
  explicit Interrupt(Clock::time_point deadline) : deadline_(deadline) {}

  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }

  bool raised() const noexcept {
    return cancelled_.load(std::memory_order_relaxed) ||
           (deadline_ != Clock::time_point::max() && Clock::now() >= deadline_);
  }

  /// Throws `interrupted` when raised.
  void check() const;

  Clock::time_point deadline() const noexcept { return deadline_; }
  void set_deadline(Clock::time_point deadline) noexcept { deadline_ = deadline; }

 private:
  std::atomic<bool> cancelled_{false};
  Clock::time_point deadline_ = Clock::time_point::max();
};

}  // namespace stele
