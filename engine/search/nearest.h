// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A nearest-neighbour search as a reader sees it. The generation of the index that stands in memory (engine/vectors)
// answers for commits up to the reader's moment, and what the transaction itself has written is laid over that. Where
// no generation answers (it is being read, the index was dropped since, the moment is before it, the transaction has
// rewritten much), every vector in the store is compared with: slower, and never wrong.
//
// A filter becomes a set of documents first, by the plan of a find, and then one of rows; which way the graph is walked
// with it, or whether the rows are scanned, is the index's to decide. The set is kept while nobody writes the
// collection.
#pragma once

#include "engine/documents/vector_indexes.h"
#include "engine/vectors/live_indexes.h"
#include "engine/vectors/truth.h"

#include <stele/vectors.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stele::search {

class NearestSearch {
 public:
  /// `invalid` for options out of their bounds, `not_found` without the index, `busy` while it is being filled. All of
  /// the index then counts as read. One thread; within one statement.
  NearestSearch(transaction::Transaction& reader, const vectors::LiveIndexes& live,
                documents::VectorIndexes::Found found, const NearestOptions& options, const json::Limits& limits);

  /// `invalid` as storage::prepare() says.
  Neighbours to(std::span<const float> vector);
  /// Of others than itself. `not_found` when the document has no vector.
  Neighbours to_document(const model::Value& id);

 private:
  struct Candidate {
    std::string id_element;
    float distance;
  };
  struct Raw {
    std::vector<Candidate> hits;  // nearest first
    bool complete = true;
    storage::Strategy strategy = storage::Strategy::exact;
    std::uint64_t visited = 0;
  };

  void find_allowed(const json::Limits& limits);
  Raw in_memory(std::span<const float> prepared, std::size_t k);
  Raw in_store(std::span<const float> prepared, std::size_t k);
  void lay_own_over(std::span<const float> prepared, Raw& raw) const;
  Raw search(std::span<const float> prepared, std::size_t k);
  Neighbours answer(std::span<const float> prepared, std::string_view without);
  bool allows(std::string_view id_element) const;
  /// Those that count as gone; false: there were none.
  bool drop_expired(Raw& raw);
  DocumentId id_of(std::string_view id_element);

  transaction::Transaction& reader_;
  const catalog::Catalog::DefinitionPtr collection_;
  const catalog::VectorIndex& index_;
  const NearestOptions options_;
  const distance::Codec codec_;
  std::shared_ptr<const vectors::Generation> generation_;  // null: compare with the store
  std::vector<vectors::OwnWrite> own_;

  bool filtered_ = false;
  vectors::Generation::Rows allowed_rows_;  // with a generation
  std::vector<std::string> allowed_;  // sorted id elements; without one, or when the transaction has written vectors
};

}  // namespace stele::search
