// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/storage/relational.h"

#include <memory>

namespace stele::sqlite {

/// Opens the SQLite backend on the main file options.path. The caller holds the store's own lock.
/// Missing without `create`: not_found. A symbolic link in its place, or no SQLite file: refused.
std::unique_ptr<storage::RelationalStore> open_sqlite(const storage::RelationalOptions& options);

}  // namespace stele::sqlite
