// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Which way a search goes, by how many rows of how many it may find.
//
// Scanning records costs c nanoseconds a row, c = 25 * dimensions / 384 and at least 8; walking at selectivity s costs
// 62 us * s^-0.78. With 384 dimensions they meet at 11 % of 100,000 rows and 4 % of a million. From 20 % on a walk that
// goes through disallowed rows as well finds enough; above 80 % it need not even ask while walking. Between, only
// allowed rows are worth a distance: two hops.
#pragma once

#include "engine/storage/vector_index.h"

#include <cstddef>
#include <cstdint>

namespace stele::hnsw {

struct Choice {
  storage::Strategy strategy;
  std::size_t ef;
};

/// `allowed` of `rows` rows may be found; `filtered` says that a filter is why, not only rows that ended.
Choice choose(const storage::VectorQuery& query, std::size_t dimensions, std::uint64_t allowed, std::uint64_t rows,
              bool filtered);

}  // namespace stele::hnsw
