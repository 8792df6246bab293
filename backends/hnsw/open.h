// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/storage/vector_index.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace stele::hnsw {

/// The vector index that walks a graph: Malkov & Yashunin, "Efficient and robust approximate nearest neighbor search
/// using Hierarchical Navigable Small World graphs" (arXiv 1603.09320), built by hnswlib, walked by our own code.
std::unique_ptr<storage::VectorIndex> make_hnsw(const storage::VectorShape& shape, storage::VectorRows over,
                                                std::span<const storage::Row> sample);

/// snapshot.h says what is in the file.
storage::LoadedVectorIndex load_hnsw(const storage::VectorShape& shape, storage::VectorRows over,
                                     const std::string& path, std::string_view tag);

}  // namespace stele::hnsw
