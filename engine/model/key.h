// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/value.h"

namespace stele::model {

/// Appends the value in the order-preserving encoding of engine/base/key_codec.h: the order of
/// keys is that of compare(). `too_large` when `out` exceeds key_bytes_max.
void append_key(std::string& out, const Value& value);

/// The same without a limit, for sorting in memory.
void append_sort_element(std::string& out, const Value& value);

}  // namespace stele::model
