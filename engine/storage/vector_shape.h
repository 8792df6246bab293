// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/distance/metric.h"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace stele::storage {

using distance::Metric;
using distance::Quantization;

/// What all vectors of an index have in common.
using VectorShape = VectorIndexOptions;

/// Throws `invalid` for a shape out of its bounds, naming the figure.
void check(const VectorShape& shape);

/// The vector as it is kept and searched with: of unit length for cosine. Throws `invalid` with the reason dimensions,
/// not_finite, overflow (of the squared length) or zero_vector (cosine).
std::vector<float> prepare(const VectorShape& shape, std::span<const float> vector);

}  // namespace stele::storage
