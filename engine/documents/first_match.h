// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/catalog/catalog.h"
#include "engine/model/filter.h"
#include "engine/model/sort.h"
#include "engine/transaction/reader.h"

#include <optional>
#include <string>

namespace stele::documents {

struct Match {
  std::string key;
  std::string document;
};

/// Of the documents that match, the first in this order. `collection` null: there is none, and so no documents.
std::optional<Match> first_match(transaction::Reader& reader, catalog::Catalog::DefinitionPtr collection,
                                 const model::Filter& filter, const model::Sort& sort);

}  // namespace stele::documents
