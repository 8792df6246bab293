// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The rows of a SELECT as a source of pipelines: a document of each, with a member for each column. NULL is null, INTEGER
// and REAL are numbers, TEXT is a string, BLOB, and TEXT that is no UTF-8, a binary.
#pragma once

#include "engine/pipeline/sources.h"
#include "engine/transaction/transaction.h"

namespace stele::detail {

/// `invalid` for a statement that writes, for two columns of one name, for parameters that SQL has no type for. The
/// transaction and the request outlive the cursor.
pipeline::Opened open_select(transaction::Transaction& transaction, const pipeline::SourceName& select,
                             const pipeline::Request& request);

}  // namespace stele::detail
