// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/storage/key_value.h"

#include <memory>

namespace stele::rocks {

/// The durable key-value backend. A missing store (create = false) is `not_found`, a directory that
/// holds something else `corrupt`, one that somebody has open `locked`.
std::unique_ptr<storage::KeyValueStore> open_rocksdb(const storage::KeyValueOptions& options);

}  // namespace stele::rocks
