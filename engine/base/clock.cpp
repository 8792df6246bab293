// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/clock.h"

#include <algorithm>
#include <ctime>

namespace stele {

namespace {
std::int64_t microseconds(clockid_t clock) {
  timespec t;
  ::clock_gettime(clock, &t);
  return std::int64_t{t.tv_sec} * 1'000'000 + t.tv_nsec / 1000;
}
}  // namespace

StoreClock::StoreClock(std::int64_t persisted_us)
    : offset_us_(std::max(microseconds(CLOCK_REALTIME), persisted_us) - microseconds(CLOCK_BOOTTIME)) {}

std::int64_t StoreClock::now_us() const { return offset_us_ + microseconds(CLOCK_BOOTTIME); }

}  // namespace stele
