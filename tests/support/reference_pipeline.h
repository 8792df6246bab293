// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Pipelines the slow and plain way: each stage a function from all rows to all rows. Of the engine it uses values,
// their comparison, expressions and filters, which have references of their own.
#pragma once

#include "engine/model/value.h"

#include <map>
#include <string>

namespace stele::pipeline {

using Collections = std::map<std::string, model::Array>;

/// Knows the stages that random_pipeline() makes. Throws what an expression throws.
model::Array reference_run(const model::Value& pipeline, model::Array rows, const Collections& collections);

}  // namespace stele::pipeline
