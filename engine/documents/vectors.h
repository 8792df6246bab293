// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A document's vector in an index is the array of numbers at the index's path, where its text has one; otherwise it is
// what set_vector() has put beside it, or there is none. So it changes when what stands at the path changes, and goes
// when an array goes from there or the document does; other changes of the document leave it alone.
#pragma once

#include "engine/catalog/definition.h"
#include "engine/transaction/transaction.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stele::documents {

/// The text of what a document has at a path of objects' members; empty: nothing, or null.
std::string text_at(std::string_view document, const model::Path& path);

/// The numbers of an array, `invalid` for anything else.
std::vector<float> parse_vector(std::string_view array, const catalog::VectorIndex& index, std::string_view collection);

/// Keeps up the vectors of a collection's documents; for Writer.
class VectorWriter {
 public:
  VectorWriter(transaction::Transaction& transaction, const catalog::Definition& collection)
      : transaction_(transaction), collection_(collection) {}

  bool any() const { return !collection_.vector_indexes.empty(); }
  void put(std::string_view id_element, std::optional<std::string_view> before, std::string_view after) const;
  void erase(std::string_view id_element) const;
  /// What the document itself says, into one index, as a build does.
  void add(const catalog::VectorIndex& index, std::string_view id_element, std::string_view document) const;

 private:
  void touch() const;

  transaction::Transaction& transaction_;
  const catalog::Definition& collection_;
  mutable bool touched_ = false;
};

}  // namespace stele::documents
