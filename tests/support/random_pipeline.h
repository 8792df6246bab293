// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Random documents and pipelines over few paths and values, so that they meet each other.
#pragma once

#include "engine/model/value.h"

#include <cstddef>
#include <random>
#include <string>
#include <vector>

namespace stele::pipeline {

using Random = std::mt19937_64;

/// With _id 0, 1, 2 … and some of the members a, b, c.
model::Array random_documents(Random& random, std::size_t count);
/// Over such documents; `depth` 1: with $lookup, $graphLookup and $unionWith from "d", and $facet.
model::Value random_pipeline(Random& random, int depth);

/// The order in which documents are read, or groups come, may show in which rows it gives.
bool order_shows(const model::Value& pipeline);
/// Rows to compare when their order means nothing, nor which of equal numbers (2, 2.0) was met first.
std::vector<std::string> as_a_set(const std::vector<std::string>& rows);

}  // namespace stele::pipeline
