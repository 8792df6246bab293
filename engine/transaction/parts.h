// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/transaction/reader.h"

#include <cstdint>
#include <vector>

namespace stele::transaction {

/// Cuts a range into at most `count` parts of about the same size, one behind the other; fewer when it holds less than
/// `least_bytes` for each. What is in them is not read: a part may be empty.
std::vector<storage::KeyRange> parts_of(Reader& reader, Keyspace keyspace, const storage::KeyRange& range,
                                        std::size_t count, std::uint64_t least_bytes);

}  // namespace stele::transaction
