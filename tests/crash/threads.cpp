// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/crash/threads.h"

#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace stele::crash {

Threads::Threads(double seconds)
    : end_(std::chrono::steady_clock::now() +
           std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(seconds))) {}

void Threads::run(std::size_t count, const std::function<void(std::size_t thread)>& body) {
  std::mutex mutex;
  std::exception_ptr failure;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < count; ++i)
    threads.emplace_back([&, i] {
      try {
        body(i);
      } catch (...) {
        std::lock_guard guard(mutex);
        if (!failure) failure = std::current_exception();
        failed_ = true;
      }
    });
  for (std::thread& thread : threads) thread.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace stele::crash
