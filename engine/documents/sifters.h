// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/interrupt.h"
#include "engine/documents/chunk.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace stele::documents {

/// Threads that sift chunks beside the thread that owns the query: they see nothing but the chunks, bytes or pieces of
/// what the reader shares, so that whatever it may not share stays in its own thread. They end with this, before what was
/// not begun.
class Sifters {
 public:
  /// How many threads are worth starting on this machine: 0 with one processor.
  static std::size_t useful();

  /// The interrupt is what the threads work under.
  Sifters(std::size_t threads, const Interrupt& interrupt, const std::function<Sieve()>& sieve);
  ~Sifters();
  Sifters(const Sifters&) = delete;

  /// The chunk is to be sifted by whoever comes first, and left alone until finish().
  void give(Chunk& chunk);
  /// Returns when it is sifted; until then sifts in this thread, too.
  void finish(Chunk& chunk, Sieve& own);

 private:
  void run(Sieve sieve);

  const Interrupt interrupt_;
  std::mutex mutex_;
  std::condition_variable given_, done_;
  std::deque<Chunk*> waiting_;         // guarded by mutex_
  std::vector<const Chunk*> in_work_;  // guarded by mutex_
  bool ended_ = false;                 // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace stele::documents
