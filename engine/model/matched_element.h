// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What `$` in an update's path stands for.
#pragma once

#include "engine/model/filter.h"

#include <cstddef>
#include <optional>

namespace stele::model {

/// The index of the first element for which the filter's condition on an array holds, in a document that matches. Of
/// arrays inside arrays the outermost counts; of several conditions on arrays the last one of the filter (write
/// $elemMatch to have one); conditions inside an $or of several, $nor, $not, $ne and $nin match no element.
std::optional<std::size_t> matched_element(const Condition& filter, const Value& document);

}  // namespace stele::model
