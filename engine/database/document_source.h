// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/database/scope.h"
#include "engine/documents/documents.h"

#include <memory>
#include <optional>
#include <string_view>

namespace stele::detail {

/// A cursor over documents, with what it reads from.
class DocumentSource {
 public:
  std::unique_ptr<transaction::Reader> latest;            // outside a transaction
  std::shared_ptr<transaction::Transaction> transaction;  // inside one
  transaction::WriteSet::Statement statement = 0;         // of it, in which the cursor was opened
  std::shared_ptr<DatabaseCore> core;
  std::unique_ptr<documents::Cursor> cursor;

  /// A failure ends the cursor for good: what is left of the documents must not look like all of them. But for a call
  /// that was refused before the cursor moved.
  std::optional<std::string_view> next();

 private:
  void end() {
    cursor.reset();
    latest.reset();
  }
};

}  // namespace stele::detail
