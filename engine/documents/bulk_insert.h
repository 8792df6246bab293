// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Inserting many documents of one collection in one transaction: they are validated, and their ids looked for,
// together.
#pragma once

#include "engine/base/json.h"
#include "engine/catalog/definition.h"
#include "engine/model/document.h"
#include "engine/transaction/transaction.h"

#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stele::documents {

/// Documents checked, in their order, up to the first that is refused.
struct Checked {
  std::vector<model::NewDocument> documents;
  std::exception_ptr refused;  // why the one after them was
};

Checked check_in_order(std::span<const std::string> documents, const json::Limits& limits);
/// Large lists with the help of another thread.
Checked check_documents(std::span<const std::string> documents, const json::Limits& limits);

/// Inserts them in their order. Throws what inserting them one by one would throw first; the caller undoes what was
/// written until then.
void bulk_insert(transaction::Transaction& transaction, const catalog::Definition& collection, const Checked& checked);

/// `exists`: a document with that id is there.
[[noreturn]] void fail_duplicate_id(std::string_view collection, const model::Value& id);

}  // namespace stele::documents
