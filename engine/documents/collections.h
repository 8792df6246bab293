// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/catalog/catalog.h"

#include <stele/documents.h>

#include <string_view>

namespace stele::documents {

/// Collections as a whole. Light; for one call. One thread.
class Collections {
 public:
  Collections(catalog::Catalog& catalog, const json::Limits& limits) : catalog_(catalog), limits_(limits) {}

  /// `exists` when it is there.
  void create(transaction::Transaction& transaction, std::string_view name, const CollectionOptions& options) const;
  /// `not_found` when there is none.
  void modify(transaction::Transaction& transaction, std::string_view name, const CollectionOptions& options) const;
  /// `not_found` when there is none of the old name, `exists` for one of the new name that is not to be dropped.
  void rename(transaction::Transaction& transaction, std::string_view from, std::string_view to,
              const RenameOptions& options) const;
  /// With its documents and indexes; false when there is none.
  bool drop(transaction::Transaction& transaction, std::string_view name) const;

 private:
  catalog::Catalog& catalog_;
  const json::Limits& limits_;
};

}  // namespace stele::documents
