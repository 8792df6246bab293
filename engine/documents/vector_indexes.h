// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Making, filling and dropping vector indexes of collections, and vectors beside documents. Built online, as indexes
// are (indexes.h): declared as `building`, from where on every writer keeps it up; then what documents had before, in
// batches, each an ordinary transaction that also writes where to go on; then ready.
#pragma once

#include "engine/catalog/catalog.h"
#include "engine/documents/indexes.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stele::documents {

class VectorIndexes {
 public:
  VectorIndexes(catalog::Catalog& catalog, std::string_view collection, const json::Limits& limits)
      : catalog_(catalog), collection_(collection), limits_(limits) {}

  /// Returns when it is ready. One with the same options is left as it is; `exists` for one with others. What fails
  /// after it was declared (a document has something else than a vector at the path, an interrupt) removes it through
  /// `give_up`, which is not interrupted.
  void create(const Write& write, const Write& give_up, std::string_view path, const VectorIndexOptions& options) const;
  /// Goes on with the filling of one that is `building`. `invalid`: a document has something else at the path.
  void build(const Write& write, const std::string& path) const;
  /// False when there is none.
  bool drop(transaction::Transaction& transaction, std::string_view path) const;

  /// The definition, `not_found` when there is none.
  struct Found {
    catalog::Catalog::DefinitionPtr collection;
    const catalog::VectorIndex* index;
  };
  Found find(transaction::Reader& reader, std::string_view path) const;

  /// `not_found` when there is no such document. Where the document has its vector in its text, that is changed.
  void set(transaction::Transaction& transaction, std::string_view path, const model::Value& id,
           std::span<const float> vector) const;
  /// False when it has none; `invalid` when it stands in the document's text.
  bool remove(transaction::Transaction& transaction, std::string_view path, const model::Value& id) const;
  std::optional<std::vector<float>> get(transaction::Reader& reader, std::string_view path,
                                        const model::Value& id) const;

 private:
  bool declare(transaction::Transaction& transaction, std::string_view path, const VectorIndexOptions& options) const;
  bool build_batch(transaction::Transaction& transaction, std::string_view path) const;
  void set_ready(transaction::Transaction& transaction, std::string_view path) const;

  catalog::Catalog& catalog_;
  std::string_view collection_;
  const json::Limits& limits_;
};

}  // namespace stele::documents
