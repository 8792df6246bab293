// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/interrupt.h"

#include "engine/base/error.h"

namespace stele {

void Interrupt::check() const {
  if (!raised()) return;
  const bool cancelled = cancelled_.load(std::memory_order_relaxed);
  fail(ErrorCode::interrupted,
       cancelled ? "interrupted: the operation was cancelled"
                 : "interrupted: the deadline passed; allow more time or ask for less",
       {{"reason", cancelled ? "cancel" : "deadline"}});
}

}  // namespace stele
