// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The answers' way out. Who sends many requests ahead gets the answers in few writes, and yet none waits for a slow
// request behind it: a thread writes what is held longer than a millisecond.
#pragma once

#include <condition_variable>
#include <exception>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace stele::tool {

class Output {
 public:
  explicit Output(int fd) : fd_(fd), thread_([this] { write_in_time(); }) {}
  ~Output();  // after what is held
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  enum class When : unsigned char { now, soon };
  /// False when nobody reads any more. Throws io, full: also of what an earlier call left to be written soon.
  bool put(std::string_view line, When when);

 private:
  void write_in_time() noexcept;
  void write_held();  // under the mutex

  const int fd_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string held_;
  bool heard_ = true;
  bool done_ = false;
  std::exception_ptr failure_;  // of the thread
  std::thread thread_;
};

}  // namespace stele::tool
