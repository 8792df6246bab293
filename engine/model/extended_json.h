// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// MongoDB Extended JSON, version 2, as far as it is known here: $date $oid $binary $regularExpression $numberInt
// $numberLong $numberDouble.
#pragma once

#include "engine/model/value.h"

#include <optional>
#include <string_view>

namespace stele::model {

/// The value that the object spells, which keeps its spelling; or the object itself when it spells
/// none. `invalid` when malformed, `unsupported` for the types not known here.
Value from_extended_json(Object object);

/// Of {"$date":"…"}, minified and valid, the date, which keeps its spelling. Empty: it is something else.
std::optional<Value> date_from_extended_json(std::string_view text);

/// Writes a date, binary, object id or regular expression.
void append_extended_json(std::string& out, const Value& value);

}  // namespace stele::model
