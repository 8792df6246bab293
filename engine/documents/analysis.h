// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/catalog/catalog.h"

#include <cstdint>
#include <string>

namespace stele::documents {

/// Which fields the documents of a collection have, as a JSON object (Collection::analyze), by a sample of at most so
/// many. `collection` null: there is none, and so no documents. `invalid` for a sample of 0 or above 1,000,000.
std::string analyze(transaction::Reader& reader, catalog::Catalog::DefinitionPtr collection, std::uint64_t sample);

}  // namespace stele::documents
