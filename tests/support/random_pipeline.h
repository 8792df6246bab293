// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Random documents and pipelines over few paths and values, so that they meet each other.
#pragma once

#include "engine/model/value.h"

#include <cstddef>
#include <random>

namespace stele::pipeline {

using Random = std::mt19937_64;

/// With _id 0, 1, 2 … and some of the members a, b, c.
model::Array random_documents(Random& random, std::size_t count);
/// Over such documents; `depth` 1: with $lookup, $graphLookup and $unionWith from "d", and $facet.
model::Value random_pipeline(Random& random, int depth);

}  // namespace stele::pipeline
