// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// MongoDB's filters a second time, from its documentation: plain recursion over the filter as it was written, slow,
// nothing shared with the engine but the values. Not told: $expr, $jsonSchema.
#pragma once

#include "engine/model/value.h"

namespace stele::model::reference {

/// Of a filter that the engine accepts.
bool matches(const Value& filter, const Value& document);

}  // namespace stele::model::reference
