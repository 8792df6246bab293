// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/transaction/reader.h"

#include <cstdint>
#include <vector>

namespace stele::documents {

/// How many entries key ranges hold: counted as far as a few, beyond that made from the bytes they take.
struct Estimate {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;  // of keys and values
  bool exact = true;

  Estimate& operator+=(const Estimate& other);
};

/// Counts up to `count_max` entries. Reads are not recorded: a plan is no answer.
Estimate estimate(transaction::Reader& reader, storage::Keyspace keyspace, const std::vector<storage::KeyRange>& ranges,
                  std::uint64_t count_max);

}  // namespace stele::documents
