// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/error.h"

#include <atomic>
#include <utility>

namespace stele::transaction {

/// Whether a store is open, and who is using it. close() succeeds only when nobody does.
class Gatekeeper {
 public:
  void check_open() const {
    if (closed_.load()) fail(ErrorCode::closed, "the database is closed; open it again", {{"reason", "closed"}});
  }
  bool closed() const { return closed_.load(); }
  int users() const { return users_.load(); }

  /// False, and open as before, when somebody uses the store; throws `closed` when somebody else closes it.
  bool close() {
    if (closed_.exchange(true)) check_open();
    if (users_.load() == 0) return true;
    closed_.store(false);
    return false;
  }

 private:
  friend class Use;
  std::atomic<bool> closed_{false};
  std::atomic<int> users_{0};
};

/// Held by everything that touches the store's parts: transactions (until acknowledged), cursors, single calls.
class Use {
 public:
  Use() = default;
  /// Throws `closed`.
  explicit Use(Gatekeeper& gatekeeper) : gatekeeper_(&gatekeeper) {
    // Counted first and looked at second, the other way round than close(): one of the two notices the other.
    gatekeeper_->users_.fetch_add(1);
    if (!gatekeeper_->closed_.load()) return;
    gatekeeper_->users_.fetch_sub(1);
    std::exchange(gatekeeper_, nullptr)->check_open();
  }
  Use(Use&& other) noexcept : gatekeeper_(std::exchange(other.gatekeeper_, nullptr)) {}
  Use& operator=(Use&& other) noexcept {
    std::swap(gatekeeper_, other.gatekeeper_);
    return *this;
  }
  ~Use() { release(); }

  void release() noexcept {
    if (gatekeeper_) std::exchange(gatekeeper_, nullptr)->users_.fetch_sub(1);
  }

 private:
  Gatekeeper* gatekeeper_ = nullptr;
};

}  // namespace stele::transaction
