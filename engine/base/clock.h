// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace stele {

/// The store's time: starts at the later of the wall clock and the newest time the store has
/// persisted, then advances by CLOCK_BOOTTIME. So it never steps back, neither with the wall clock
/// nor over a restart, and it counts suspended time. Any thread.
class StoreClock {
 public:
  explicit StoreClock(std::int64_t persisted_us);
  std::int64_t now_us() const;  // µs since 1970-01-01 UTC

 private:
  std::int64_t offset_us_;
};

}  // namespace stele
