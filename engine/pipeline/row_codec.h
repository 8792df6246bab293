// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Rows as bytes, while they wait to be sorted or stand in a spill file. Read back they are the same, spelling included.
#pragma once

#include "engine/base/bytes.h"
#include "engine/model/value.h"

#include <string>

namespace stele::pipeline {

void append_row(std::string& out, const model::Value& row);
/// `corrupt` for bytes that append_row() did not write.
void read_row(ByteReader& bytes, model::Value& row);

/// What a value takes in memory, about.
std::size_t bytes_in_memory(const model::Value& value);
/// As JSON a value is no larger than this, and often much smaller: each byte of it may be written as "\u0001".
inline std::size_t json_bytes_at_most(const model::Value& value) { return 6 * bytes_in_memory(value); }

}  // namespace stele::pipeline
