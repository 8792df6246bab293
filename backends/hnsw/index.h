// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backends/hnsw/filtered_walk.h"
#include "backends/hnsw/graph.h"
#include "backends/hnsw/plan.h"
#include "backends/hnsw/snapshot.h"
#include "engine/storage/row_scan.h"
#include "engine/storage/vector_index.h"

#include <atomic>
#include <mutex>
#include <shared_mutex>

namespace stele::hnsw {

/// A graph, and who may do what in it when. Searches hold `structure_` shared; what inserts says so under the exclusive
/// lock before and after (`inserting_`), so that searches beside no insert read lists of links without their locks, and
/// grows the graph under it. What a search may see is published in `entry_` and `rows_` after each insert.
class HnswIndex final : public storage::VectorIndex {
 public:
  HnswIndex(const storage::VectorShape& shape, storage::VectorRows over, distance::Codec codec);

  /// Takes over what the file holds, into this index without rows; what is wrong with it otherwise, and then this index
  /// is of no more use.
  std::optional<std::string> restore(SnapshotReader& snapshot);

  void add(Row until) override;
  void build(Row until, unsigned threads) override;
  Row repair() override;
  Row rows() const override { return rows_.load(std::memory_order_acquire); }
  storage::VectorHits search(const storage::VectorQuery& query) const override;
  bool save(const std::string& path, std::string_view tag) const override;
  storage::VectorFigures figures() const override;
  std::optional<std::string> check() const override;

 private:
  class Inserting;

  storage::VectorHits walk(const storage::VectorQuery& query, const Choice& choice, Allowed allowed, Row rows,
                           bool beside) const;
  template <Reading reading>
  bool fill(Walk& walk, const Choice& choice, const Allowed& allowed, Nearest& beam) const;
  void expand(const Walk& walk, const Allowed& allowed, std::size_t k, Nearest& beam) const;
  storage::VectorHits scan(const storage::VectorQuery& query, Row rows) const;
  bool make_room(Row rows);
  void publish(Row rows);

  const storage::VectorRows over_;
  const storage::VectorShape shape_;
  const distance::Codec codec_;
  Graph graph_;

  mutable std::shared_mutex structure_;
  mutable std::mutex turn_;  // held by who waits for structure_ exclusively: readers then queue behind
  std::atomic<bool> waiting_{false};
  bool inserting_ = false;                   // changes under structure_, exclusively
  bool failed_ = false;                      // the adding thread's
  std::atomic<std::uint64_t> entry_{empty};  // level << 32 | row
  std::atomic<Row> rows_{0};

  static constexpr std::uint64_t empty = ~std::uint64_t{0};
};

}  // namespace stele::hnsw
