// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/documents/documents.h"

#include <span>

namespace stele::documents {

/// Carries the operations out in their order, as parts of the transaction's statement; see Collection::bulk_write.
BulkResult bulk_write(transaction::Transaction& transaction, const Documents& documents, const json::Limits& limits,
                      std::span<const BulkOperation> operations, OnRefusal on_refusal);

}  // namespace stele::documents
