// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Who waits for commits that set a state (late_write.h): the end of a stream. A commit and a sync pay one atomic load
// while nobody waits.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace stele::transaction {

enum class WakeAt : std::uint8_t { visible, durable };

class Watches;

/// Told of commits that set the state, or change the catalog, from its construction on. One thread waits; must go
/// before the store does.
class Watch {
 public:
  Watch(Watches& watches, std::string state_key, WakeAt at);
  ~Watch();
  Watch(const Watch&) = delete;

  /// Another state from now on.
  void follow(std::string state_key);

  /// Until there was such a commit since the last call, or the time or the stop has come: then false.
  bool wait(std::chrono::steady_clock::time_point until, const std::stop_token& stop);

  /// There is such a commit already: to be told when it is durable.
  void expect(std::uint64_t gseq);

  /// An eventfd that is readable from such a commit, or raise(), until clear(). Made at the first call; closed with
  /// this.
  int file();
  void clear();
  void raise() noexcept;

 private:
  friend class Watches;

  Watches& watches_;
  std::string state_key_;  // guarded by the mutex of watches_
  const WakeAt at_;
  std::uint64_t committed_ = 0;  // the last such commit not yet told of; guarded by the mutex of watches_

  std::mutex mutex_;
  std::condition_variable_any woken_;
  bool told_ = false;
  int file_ = -1;
};

class Watches {
 public:
  bool any() const { return count_.load() > 0; }
  /// A commit has set this state (empty: has changed the catalog) and is visible. Under the order lock.
  void published(std::string_view state_key, std::uint64_t gseq) noexcept;
  /// All commits up to it are durable.
  void durable(std::uint64_t gseq) noexcept;

 private:
  friend class Watch;
  std::atomic<int> count_{0};
  std::mutex mutex_;
  std::vector<Watch*> all_;  // guarded by mutex_
};

}  // namespace stele::transaction
