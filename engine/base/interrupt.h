// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <utility>

namespace stele {

/// A deadline and a caller's cancel, which long work polls. Belongs to the thread that works; the cancel comes from any
/// thread, through its std::stop_source.
class Interrupt {
 public:
  using Clock = std::chrono::steady_clock;

  Interrupt() = default;  // never
  explicit Interrupt(Clock::time_point deadline, std::stop_token cancel = {})
      : deadline_(deadline), cancel_(std::move(cancel)) {}
  /// `time` from now; none, or more than a clock can count, is for ever.
  static Interrupt within(std::optional<std::chrono::milliseconds> time, std::stop_token cancel = {});

  bool raised() const noexcept {
    return cancel_.stop_requested() || (deadline_ != Clock::time_point::max() && Clock::now() >= deadline_);
  }

  /// False: it will never be raised, and nobody need poll it.
  bool possible() const noexcept { return deadline_ != Clock::time_point::max() || cancel_.stop_possible(); }

  /// Throws `interrupted` when raised.
  void check() const;

  Clock::time_point deadline() const noexcept { return deadline_; }
  /// Empty: there is no deadline.
  std::optional<std::chrono::milliseconds> remaining() const;
  const std::stop_token& cancel() const noexcept { return cancel_; }

  /// What this thread works under, for code deep inside that knows no reader or transaction (expressions): poll()
  /// checks the innermost one.
  class Here {
   public:
    explicit Here(const Interrupt& interrupt) noexcept : before_(std::exchange(here_, &interrupt)) {}
    ~Here() { here_ = before_; }
    Here(const Here&) = delete;

   private:
    const Interrupt* const before_;
  };
  static void poll() {
    if (here_) here_->check();
  }

 private:
  static thread_local constinit const Interrupt* here_;

  Clock::time_point deadline_ = Clock::time_point::max();
  std::stop_token cancel_;
};

}  // namespace stele
