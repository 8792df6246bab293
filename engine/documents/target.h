// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/documents/documents.h"
#include "engine/pipeline/sources.h"

#include <memory>
#include <string>

namespace stele::documents {

/// A collection as what $out and $merge write to: through the writer as every verb, so validator, unique indexes and
/// limits hold. It is made when it is absent. `limits` outlives it; so do transaction and catalog.
std::unique_ptr<pipeline::Target> make_target(transaction::Transaction& transaction, catalog::Catalog& catalog,
                                              std::string collection, const json::Limits& limits);

}  // namespace stele::documents
