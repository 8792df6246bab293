// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace stele::crash {

/// Counts the engine's named steps from now on; kills this process at the n-th time that `kill_at` is reached
/// ("NAME:N"; empty: never).
void watch_steps(const std::string& kill_at);

/// Prints "step NAME TIMES" for each that occurred.
void print_steps();

}  // namespace stele::crash
