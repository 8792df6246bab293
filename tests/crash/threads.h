// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>

namespace stele::crash {

/// Threads that work until their time is over or one of them has failed.
class Threads {
 public:
  explicit Threads(double seconds);

  bool failed() const { return failed_; }
  bool more() const { return !failed_ && std::chrono::steady_clock::now() < end_; }
  /// body(0), body(1), … at the same time; then throws what the first that failed threw.
  void run(std::size_t count, const std::function<void(std::size_t thread)>& body);

 private:
  std::chrono::steady_clock::time_point end_;
  std::atomic<bool> failed_{false};
};

}  // namespace stele::crash
