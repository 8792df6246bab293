// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backends/memory/store.h"

namespace stele::memory {

/// `moment` is pinned for the cursor, which releases it.
std::unique_ptr<storage::Cursor> make_cursor(SharedMaps& shared, storage::Keyspace keyspace, storage::KeyRange range,
                                             Moment moment);

}  // namespace stele::memory
