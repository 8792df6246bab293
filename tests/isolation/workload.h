// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/isolation/history.h"

#include <cstdint>
#include <string>

namespace stele::isolation {

struct Workload {
  std::uint64_t seed = 0;
  std::uint64_t transactions = 5000;  // to be committed, over all threads
  int threads = 8;
  Level level = Level::serializable;
};

struct Run {
  History history;
  std::uint64_t conflicts = 0;  // attempts that did not commit
  std::uint64_t commits = 0;
};

/// Runs random transactions on a new store in `directory`, over rows, documents and streams, in one tier and across,
/// and writes down what each saw and did. What a thread does depends on the seed alone.
Run run(const Workload& workload, const std::string& directory);

}  // namespace stele::isolation
