// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace stele::transaction {

/// True when the statement's first word says that it writes (INSERT, CREATE, …). A guess that saves a
/// second preparation; what counts is what the backend finds when it prepares the statement.
bool writes_by_first_word(std::string_view sql);

/// True when its first word is that of a query whose rows have columns of their own: no PRAGMA and no EXPLAIN.
bool is_query(std::string_view sql);

}  // namespace stele::transaction
