// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What a find returns, in the order and number asked for. How it gets there: plan.h; the documents one by one: matches.h.
#pragma once

#include "engine/documents/documents.h"
#include "engine/documents/plan.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace stele::documents {

/// `collection` null: there is none, and so no documents.
std::unique_ptr<Cursor> make_cursor(transaction::Reader& reader, catalog::Catalog::DefinitionPtr collection, Query query);

/// Runs the query to its end; a JSON object: how it was reached, what was examined, how long it took.
std::string explain(transaction::Reader& reader, catalog::Catalog::DefinitionPtr collection, Query query);

/// The plan, for explain: an object.
model::Value plan_value(const Plan& plan);

}  // namespace stele::documents
