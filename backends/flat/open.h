// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/storage/vector_index.h"

#include <memory>
#include <span>

namespace stele::flat {

/// The vector index that reads every row: nothing to build, never misses a neighbour that its records keep. For small
/// indexes, and what other backends are tested against.
std::unique_ptr<storage::VectorIndex> make_flat(const storage::VectorShape& shape, storage::VectorRows over,
                                                std::span<const storage::Row> sample);

}  // namespace stele::flat
