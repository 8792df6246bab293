// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/fuzz.h"

namespace stele::fuzz {

void run(std::string_view target, std::string_view input) {
  const Interrupt deadline = Interrupt::within(std::chrono::seconds(5));
  const Interrupt::Here here(deadline);
  for (const auto targets : {text_targets(), query_targets(), pipeline_targets(), event_targets(), stored_targets()})
    for (const Target& one : targets)
      if (one.name == target) return one.run(input);
  throw std::invalid_argument("there is no target of that name: " + std::string(target));
}

}  // namespace stele::fuzz
