// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/sifters.h"

#include <algorithm>
#include <exception>

namespace stele::documents {

std::size_t Sifters::useful() {
  // One thread reads about as fast as three sift; of what it cannot share no more would help.
  return std::clamp(std::thread::hardware_concurrency(), 1u, 4u) - 1;
}

Sifters::Sifters(std::size_t threads, const Interrupt& interrupt, const std::function<Sieve()>& sieve)
    : interrupt_(interrupt) {
  threads_.reserve(threads);
  in_work_.reserve(threads);
  try {
    for (std::size_t i = 0; i < threads; ++i)
      threads_.emplace_back([this, own = sieve()]() mutable { run(std::move(own)); });
  } catch (const std::exception&) {
    // No more threads or memory to be had: finish() does what these leave.
  }
}

Sifters::~Sifters() {
  {
    std::lock_guard guard(mutex_);
    ended_ = true;
    waiting_.clear();
  }
  given_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Sifters::give(Chunk& chunk) {
  {
    std::lock_guard guard(mutex_);
    waiting_.push_back(&chunk);
  }
  given_.notify_one();
}

void Sifters::finish(Chunk& chunk, Sieve& own) {
  std::unique_lock lock(mutex_);
  for (;;) {
    // The one that is needed first; then any, rather than wait.
    auto next = std::ranges::find(waiting_, &chunk);
    if (next == waiting_.end()) {
      if (std::ranges::find(in_work_, &chunk) == in_work_.end()) return;
      next = waiting_.begin();
    }
    if (next == waiting_.end()) {
      done_.wait(lock);
      continue;
    }
    Chunk* mine = *next;
    waiting_.erase(next);
    lock.unlock();
    mine->sift(own);
    lock.lock();
  }
}

void Sifters::run(Sieve sieve) {
  const Interrupt::Here here(interrupt_);
  std::unique_lock lock(mutex_);
  for (;;) {
    given_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
    if (ended_) return;
    Chunk* chunk = waiting_.front();
    waiting_.pop_front();
    in_work_.push_back(chunk);
    lock.unlock();
    chunk->sift(sieve);
    lock.lock();
    std::erase(in_work_, chunk);
    done_.notify_all();
  }
}

}  // namespace stele::documents
