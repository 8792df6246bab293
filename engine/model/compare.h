// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The one order of values, MongoDB's: null (and missing) < numbers < string < object < array <
// binary < oid < bool < date < regex. Integers and doubles compare exactly, -0.0 is 0. Strings compare by
// bytes. Objects compare member by member in their order (type of value, then name, then value),
// arrays element by element; what ends first is smaller. Binary: shorter first, subtype, bytes. Regular expressions: source, then options.
// model::append_key gives the same order as bytes.
#pragma once

#include "engine/model/value.h"

namespace stele::model {

/// Below, at or above 0.
int compare(const Value& a, const Value& b);

/// The same of two numbers.
int compare_mixed(std::int64_t a, double b);

inline bool equal(const Value& a, const Value& b) { return compare(a, b) == 0; }

}  // namespace stele::model
