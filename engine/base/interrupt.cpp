// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/interrupt.h"

#include "engine/base/error.h"

#include <algorithm>

namespace stele {

thread_local constinit const Interrupt* Interrupt::here_ = nullptr;

Interrupt Interrupt::within(std::optional<std::chrono::milliseconds> time, std::stop_token cancel) {
  if (!time) return Interrupt(Clock::time_point::max(), std::move(cancel));
  const auto now = Clock::now();
  const auto longest = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::time_point::max() - now);
  return Interrupt(*time >= longest ? Clock::time_point::max() : now + std::max(*time, std::chrono::milliseconds(0)),
                   std::move(cancel));
}

std::optional<std::chrono::milliseconds> Interrupt::remaining() const {
  if (deadline_ == Clock::time_point::max()) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now());
}

void Interrupt::check() const {
  if (!raised()) return;
  const bool cancelled = cancel_.stop_requested();
  fail(ErrorCode::interrupted,
       cancelled ? "interrupted: the operation was cancelled"
                 : "interrupted: the deadline passed; allow more time or ask for less",
       {{"reason", cancelled ? "cancel" : "deadline"}});
}

}  // namespace stele
