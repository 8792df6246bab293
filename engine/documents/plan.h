// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// How a find reaches its documents. In this order:
//   an _id that the filter fixes, or a range of ids     the documents' own keys
//   the ready index that examines the fewest entries    counted, up to a bound, in the ranges of each that fits
//   $or, when each branch has one of the above          the branches one after the other, each document once
//   otherwise                                           all documents of the collection
// An index fits when the filter bounds its first field, or when the order wanted is its own and there is a limit. A
// sparse index fits when its bounds leave null out, a partial one when the filter implies its own.
#pragma once

#include "engine/catalog/definition.h"
#include "engine/documents/bounds.h"
#include "engine/model/sort.h"
#include "engine/transaction/reader.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stele::documents {

/// What a query asks of a plan.
struct Wanted {
  const model::Filter& filter;
  const model::Sort& sort;
  std::optional<std::uint64_t> documents;  // skip and limit together
  std::string hint;                        // an index's name; "$natural": none; empty: choose
};

struct Plan {
  enum class Kind : std::uint8_t { nothing, ids, documents, index, branches };
  Kind kind = Kind::documents;
  std::vector<storage::KeyRange> ranges;  // of documents or of the index's entries, in order; of ids each begins with the key
  const catalog::Index* index = nullptr;
  transaction::Direction direction = transaction::Direction::forward;
  bool sorted = false;      // in the order wanted
  bool repeats = false;     // a document may come several times
  std::vector<Plan> branches;
  std::vector<std::string> considered;  // for explain: each index with what it was found to examine
};

/// `invalid` when the hint names no ready index.
Plan make_plan(transaction::Reader& reader, const catalog::Definition& collection, const Wanted& wanted);

}  // namespace stele::documents
