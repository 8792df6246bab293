// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A collection as a source of pipelines: the filter, and the sort where an index has its order, are the plan's
// (plan.h); what an index's entries hold is not read of documents. A scan of many documents is cut into parts, which
// threads read beside each other at the same moment.
#pragma once

#include "engine/catalog/catalog.h"
#include "engine/pipeline/sources.h"
#include "engine/transaction/reader.h"

namespace stele::documents {

/// `collection` null: there is none, and so no documents. The reader outlives the cursors; so does the request.
pipeline::Opened open_source(transaction::Reader& reader, catalog::Catalog::DefinitionPtr collection,
                             const pipeline::Request& request);

/// An index, or the documents' keys, lead to those with a given value at the path, null included.
bool seeks(const catalog::Definition& collection, const model::Path& path);

}  // namespace stele::documents
