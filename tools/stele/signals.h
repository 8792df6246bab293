// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// SIGINT, as `stele exec` takes it: the first one cancels the request in flight; a second one before the program has
// read more input ends the program in order; a third one ends it at once.
#pragma once

#include "engine/base/files.h"

#include <atomic>
#include <mutex>
#include <stop_token>
#include <thread>

namespace stele::tool {

class Signals {
 public:
  /// Before the program's other threads begin, which inherit that SIGINT is for this one.
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;

  /// What a SIGINT during this request stops.
  std::stop_token begin_request();
  void end_request();
  /// The program has read more input: a SIGINT before that is done with.
  void forget();

  bool ending() const { return count_ >= 2; }
  /// Can be read when ending.
  int end_fd() const { return end_.fd(); }

 private:
  void run();

  File end_;
  std::mutex mutex_;
  std::stop_source request_{std::nostopstate};  // none: no request is in flight
  std::atomic<int> count_{0};
  std::atomic<bool> done_{false};
  std::thread thread_;
};

}  // namespace stele::tool
