// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/rocksdb/failure.h"

#include "engine/base/error.h"

namespace stele::rocks {

void Failure::report(const Error& cause) noexcept {
  {
    std::lock_guard guard(mutex_);
    if (cause_ || stopped_.load(std::memory_order_acquire)) return;  // errors of stopping are not failures
    cause_ = cause;
    happened_.store(true, std::memory_order_release);
  }
  if (!on_failure_) return;
  try {
    on_failure_(cause);
  } catch (...) {  // RocksDB's threads are C++ without a handler: nothing may leave here
  }
}

void Failure::check() const {
  if (!happened()) return;
  std::lock_guard guard(mutex_);
  fail(ErrorCode::poisoned,
       text("the key-value store takes no more writes after a failure (", cause_->message(),
            "); close it, mend the cause and open it again"),
       {{"cause", cause_->message()}, {"store", "rocksdb"}});
}

void Failure::throw_cause() const {
  std::lock_guard guard(mutex_);
  throw Error(*cause_);
}

}  // namespace stele::rocks
