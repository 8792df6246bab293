// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <random>

namespace stele::testing {

/// Of a random test: STELE_TEST_SEED, which replays a run, or `usual`, or a new one. Printed, so that no failure loses it.
inline std::uint64_t test_seed(std::optional<std::uint64_t> usual = {}) {
  const char* given = std::getenv("STELE_TEST_SEED");
  const std::uint64_t seed = given ? std::strtoull(given, nullptr, 10) : usual ? *usual : std::random_device()();
  std::printf("STELE_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  return seed;
}

}  // namespace stele::testing
