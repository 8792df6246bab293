// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/catalog/definition.h"
#include "engine/transaction/reader.h"

#include <functional>
#include <string>

namespace stele::documents {

/// Compares the vectors of a collection's indexes with its documents, both ways: reports each vector that cannot be
/// read or has no document, and each document whose array at the path is not its vector. `reader` stays at one moment.
void check_vectors(transaction::Reader& reader, const catalog::Definition& collection,
                   const std::function<void(const std::string& what)>& report);

}  // namespace stele::documents
