// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/storage/row_versions.h"
#include "engine/storage/segments.h"

#include <cstddef>
#include <string>

namespace stele::storage {

/// The float32 vectors of a vector index, by row; append-only, in memory or in a file that may be deleted and made
/// again. One thread at a time puts; at() from any thread that has heard of the row.
class ExactVectors {
 public:
  explicit ExactVectors(std::size_t dimensions) : segments_(dimensions * sizeof(float)) {}
  ExactVectors(std::size_t dimensions, const std::string& path) : segments_(dimensions * sizeof(float), path) {}

  std::size_t dimensions() const { return segments_.row_bytes() / sizeof(float); }

  /// Makes room for rows below `count`; those of a file are then there.
  void reserve(std::uint64_t count) { segments_.reserve(count); }
  /// `vector` has dimensions() floats. Throws `full` or `io`.
  void put(Row row, const float* vector) {
    segments_.reserve(std::uint64_t{row} + 1);
    segments_.write(row, vector);
  }
  const float* at(Row row) const { return reinterpret_cast<const float*>(segments_.row(row)); }

  void sync() { segments_.sync(); }

 private:
  Segments segments_;
};

}  // namespace stele::storage
