// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/documents/index_entries.h"
#include "engine/model/filter.h"
#include "engine/model/path.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::documents {

/// Makes of an index's entry as much of its document as a query looks at, so that the document need not be read.
class Covered {
 public:
  /// Empty when the query looks at more than the index's fields. `reads`: what besides the filter looks at documents;
  /// of several paths the document's order would have to be known, unless members may come in any order.
  enum class Members : bool { in_order, in_any_order };
  static std::optional<Covered> by(const catalog::Index& index, const model::Filter& filter,
                                   const std::vector<model::Path>& reads, Members members = Members::in_order);

  /// The document's text, with the index's fields only. False when the entry does not hold them as they stand in the
  /// document (missing, null and doubles, say): then it must be read.
  bool document(const EntryParts& entry, std::string& out);

 private:
  explicit Covered(const catalog::Index& index);

  const catalog::Index* index_;
  std::vector<std::string> literals_;  // of the text, between the values of fields_
  std::vector<std::size_t> fields_;    // in the order of the text
  std::vector<std::string> values_;    // in the index's order
};

}  // namespace stele::documents
