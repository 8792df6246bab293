// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/transaction/writer_lock.h"

#include <stele/error.h>

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

namespace stele::transaction {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// Runs `body` and returns the code that it threw.
template <class Body>
std::optional<ErrorCode> thrown(Body&& body) {
  try {
    body();
    return std::nullopt;
  } catch (const Error& error) {
    return error.code();
  }
}

TEST(WriterLock, is_first_come_first_served) {
  WriterLock lock;
  lock.lock(1s, nullptr);
  std::vector<int> order;
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    std::atomic<bool> about_to{false};
    threads.emplace_back([&, i] {
      about_to = true;
      lock.lock(30s, nullptr);
      order.push_back(i);  // guarded by the lock
      lock.unlock();
    });
    while (!about_to) std::this_thread::yield();
    std::this_thread::sleep_for(30ms);  // it now stands in the queue
  }
  lock.unlock();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5}));
}

TEST(WriterLock, excludes) {
  WriterLock lock;
  int counter = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int k = 0; k < 500; ++k) {
        lock.lock(30s, nullptr);
        ++counter;
        lock.unlock();
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(counter, 8 * 500);
}

TEST(WriterLock, is_busy_after_the_timeout_and_leaves_the_queue) {
  WriterLock lock;
  lock.lock(1s, nullptr);
  std::thread other([&] {
    const auto start = Clock::now();
    EXPECT_EQ(thrown([&] { lock.lock(60ms, nullptr); }), ErrorCode::busy);
    EXPECT_GE(Clock::now() - start, 60ms);
  });
  other.join();
  lock.unlock();
  std::thread later([&] {
    EXPECT_EQ(thrown([&] { lock.lock(1s, nullptr); }), std::nullopt) << "nobody waits any more";
    lock.unlock();
  });
  later.join();
}

TEST(WriterLock, waiting_for_oneself_is_busy_at_once) {
  WriterLock lock;
  lock.lock(1s, nullptr);
  const auto start = Clock::now();
  EXPECT_EQ(thrown([&] { lock.lock(30s, nullptr); }), ErrorCode::busy);
  EXPECT_LT(Clock::now() - start, 5s);
  lock.unlock();
}

TEST(WriterLock, waiting_ends_at_a_cancel_and_at_a_deadline) {
  WriterLock lock;
  lock.lock(1s, nullptr);
  std::stop_source stop;
  const Interrupt cancelled(Clock::time_point::max(), stop.get_token());
  std::thread waits([&] { EXPECT_EQ(thrown([&] { lock.lock(30s, &cancelled); }), ErrorCode::interrupted); });
  std::this_thread::sleep_for(30ms);
  stop.request_stop();
  waits.join();
  std::thread late([&] {
    Interrupt deadline(Clock::now() + 50ms);
    EXPECT_EQ(thrown([&] { lock.lock(30s, &deadline); }), ErrorCode::interrupted);
  });
  late.join();
  lock.unlock();
}

}  // namespace
}  // namespace stele::transaction
