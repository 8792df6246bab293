// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace stele::testing {

/// Of a random test: a new one, or STELE_TEST_SEED, which replays a run. Printed, so that no failure loses it.
inline std::uint64_t test_seed() {
  const char* given = std::getenv("STELE_TEST_SEED");
  const std::uint64_t seed = given ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::printf("STELE_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  return seed;
}

}  // namespace stele::testing
