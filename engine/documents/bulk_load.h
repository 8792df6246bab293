// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/interrupt.h"
#include "engine/base/json.h"
#include "engine/catalog/catalog.h"
#include "engine/transaction/store.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace stele::documents {

/// The next document's text, valid until the next call; empty after the last.
using NextDocument = std::function<std::optional<std::string_view>()>;

/// Inserts all documents, in transactions of its own of about a megabyte; another thread checks the next ones
/// meanwhile. Nothing waits for the disk until the end: when it returns, all are on disk. What a crash leaves is an
/// unbroken beginning, of whole transactions. So does an error, which carries in its detail "loaded" how many documents
/// that is; these are then on disk, unless the error is one of the disk. Returns how many it inserted.
std::uint64_t bulk_load(transaction::Store& store, catalog::Catalog& catalog, std::string_view collection,
                        const NextDocument& next, const json::Limits& limits, const Interrupt& interrupt);

}  // namespace stele::documents
