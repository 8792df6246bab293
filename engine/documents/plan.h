// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// How a find reaches its documents: the cheapest of
//   the documents' own keys        when the filter fixes the _id, or a range of it
//   a ready index                  when the filter bounds its first field, or its order is the one wanted
//   the branches of an $or         one after the other, each document once, when each has one of the above
//   all documents
// Costs are counted in documents read, from entries counted up to a few and beyond that from the bytes ranges take
// (estimate.h). What an index can do for a filter: candidate.h; what the filter says of a path: bounds.h.
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
  std::string hint;  // an index's name or keys; "_id_" or "$natural": the documents' own keys; empty: choose
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

/// `invalid` when the hint names no ready index, or one that leaves out documents that may match.
Plan make_plan(transaction::Reader& reader, const catalog::Definition& collection, const Wanted& wanted);

}  // namespace stele::documents
