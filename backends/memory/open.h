// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/storage/key_value.h"

#include <memory>

namespace stele::memory {

/// The key-value backend that keeps everything in memory: for stores without a directory, and tests.
/// A path is `invalid`.
std::unique_ptr<storage::KeyValueStore> open_memory(const storage::KeyValueOptions& options);

}  // namespace stele::memory
