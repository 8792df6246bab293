// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What libFuzzer calls; STELE_FUZZ_TARGET says which target this program is of.
#include "tests/fuzz/fuzz.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    stele::fuzz::run(STELE_FUZZ_TARGET, {reinterpret_cast<const char*>(data), size});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", STELE_FUZZ_TARGET, error.what());
    std::abort();
  }
  return 0;
}
