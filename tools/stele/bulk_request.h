// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stele/documents.h>

#include "tools/stele/request.h"

#include <vector>

namespace stele::tool {

/// The operations in a request's field "ops". Unknown operations and fields, and missing or mistyped ones, are
/// `invalid`, named with their place.
std::vector<BulkOperation> bulk_operations(const Request& request);

}  // namespace stele::tool
