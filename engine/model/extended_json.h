// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// MongoDB Extended JSON, version 2, as far as it is known here: $date $oid $binary $regularExpression $numberInt
// $numberLong $numberDouble.
#pragma once

#include "engine/model/value.h"

namespace stele::model {

/// The value that the object spells, which keeps its spelling; or the object itself when it spells
/// none. `invalid` when malformed, `unsupported` for the types not known here.
Value from_extended_json(Object object);

/// Writes a date, binary, object id or regular expression.
void append_extended_json(std::string& out, const Value& value);

}  // namespace stele::model
