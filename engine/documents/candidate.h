// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What one index has to offer to a conjunction of conditions: the ranges of its entries that can match, and its order.
#pragma once

#include "engine/catalog/definition.h"
#include "engine/documents/bounds.h"
#include "engine/model/sort.h"
#include "engine/transaction/reader.h"

#include <optional>
#include <vector>

namespace stele::documents {

struct Candidate {
  const catalog::Index* index = nullptr;
  std::vector<storage::KeyRange> ranges;  // in order; none: nothing matches
  bool bounded = false;                   // by the conjunction
  bool points = false;                    // the first field is given
  bool repeats = false;                   // a document may have several entries
  bool sorted = false;                    // the entries are in the order wanted
  transaction::Direction direction = transaction::Direction::forward;
};

/// False: the index has neither bounds nor an order to offer.
bool concerns(const catalog::Index& index, const model::Condition& conjunction, const model::Sort& sort);

/// Empty when the index leaves out documents that may match: a sparse one needs bounds without missing, a partial one a
/// conjunction that implies its filter.
std::optional<Candidate> fit(transaction::Reader& reader, const catalog::Index& index, const model::Condition& conjunction,
                             const model::Sort& sort);

}  // namespace stele::documents
