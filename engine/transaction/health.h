// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/error.h"

#include <atomic>
#include <mutex>
#include <string>

namespace stele::transaction {

/// Whether the store still takes commits. After the first failed write or sync it does not, until it
/// is reopened: the kernel reports a failed sync once and then forgets the pages, so going on (or
/// trying again) could acknowledge what is not on disk. Any thread.
class Health {
 public:
  /// The first cause stays.
  void poison(const std::string& cause) noexcept {
    std::lock_guard guard(mutex_);
    if (poisoned_.load(std::memory_order_relaxed)) return;
    cause_ = cause;
    poisoned_.store(true, std::memory_order_release);
  }

  bool poisoned() const noexcept { return poisoned_.load(std::memory_order_acquire); }

  std::string cause() const {
    std::lock_guard guard(mutex_);
    return cause_;
  }

  void check() const {
    if (!poisoned()) return;
    fail(ErrorCode::poisoned,
         text("the store takes no more writes after a failure (", cause(),
              "); close it, mend the cause and open it again: nothing acknowledged is lost"),
         {{"cause", cause()}});
  }

 private:
  mutable std::mutex mutex_;
  std::atomic<bool> poisoned_{false};
  std::string cause_;
};

}  // namespace stele::transaction
