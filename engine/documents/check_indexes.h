// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/catalog/definition.h"
#include "engine/transaction/reader.h"

#include <functional>
#include <string>

namespace stele::documents {

/// Compares the ready indexes of a collection with its documents, both ways: reports each entry that no document has and
/// each that a document should have and has not. `reader` stays at one moment.
void check_indexes(transaction::Reader& reader, const catalog::Definition& collection,
                   const std::function<void(const std::string& what)>& report);

}  // namespace stele::documents
