// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace stele::distance {

/// Smaller is nearer, with every metric.
enum class Metric : std::uint8_t {
  l2,      // squared Euclidean distance
  cosine,  // 1 - cosine; vectors are kept at unit length
  ip,      // the inner product, negated
};

/// How a component is held where searches walk; the final order always comes from the float32 vectors.
enum class Quantization : std::uint8_t {
  none,  // float32
  bf16,  // the upper half of a float32
  int8,  // 8 bits and a scale a vector
};

}  // namespace stele::distance
