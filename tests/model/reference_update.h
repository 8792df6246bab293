// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A slow and plain second opinion on updates, written from MongoDB's manual and sharing no code with the engine's: it
// copies documents at every step and compares values by its own rules. It knows $set $unset $inc $mul $min $max $push
// (one value, or $each with $position, $slice and $sort of whole elements) $pull (a value) $pullAll $addToSet $pop
// $rename on plain paths and paths with $[].
#pragma once

#include "engine/model/value.h"

#include <optional>

namespace stele::model {

/// Empty: the update is refused.
std::optional<Value> reference_update(const Value& document, const Value& update);

}  // namespace stele::model
