// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/catalog/catalog.h"

#include <string>

namespace stele::documents {

/// How much a collection holds, as a JSON object (Collection::stats). `collection` null: there is none, and so nothing.
std::string statistics(transaction::Reader& reader, catalog::Catalog::DefinitionPtr collection);

}  // namespace stele::documents
