// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The rows of an index in memory, with the graph over them. Each vector that a commit gives a document is a new row and
// ends the document's row before; rows never change, so that readers at any moment from `base` on find what was true
// then. Rows that the graph does not hold yet are searched exactly.
//
// Who calls what:
//   search, ids, versions, figures   any thread
//   change                           who follows commits, in their order
//   step, settle, save               the index's upkeep, one thread at a time
//
// The graph is hidden from searches while it is built by several threads, at first and when much more came than it
// holds: which nobody may read then.
#pragma once

#include "engine/storage/vector_index.h"
#include "engine/vectors/calibration.h"
#include "engine/vectors/row_ids.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

namespace stele::storage {
struct VectorIndexBackend;
}

namespace stele::vectors {

using storage::Sequence;

class Generation {
 public:
  static constexpr Row graph_from = 2'000;  // fewer rows are searched exactly as fast as a graph

  /// `floats_path`: the file of the exact vectors; empty: in memory.
  Generation(const storage::VectorShape& shape, const storage::VectorIndexBackend& backend, Sequence base,
             const std::string& floats_path);

  Sequence base() const { return base_; }
  const storage::VectorShape& shape() const { return shape_; }
  const RowIds& ids() const { return ids_; }
  const storage::RowVersions& versions() const { return versions_; }

  /// The document has this vector, or none, from that commit on. Throws `full` or `io`, and is then of no more use.
  void change(std::string_view id_element, const float* vector, Sequence at);

  storage::VectorHits search(const storage::VectorQuery& query) const;

  /// The rows of the documents that a filter finds, kept for other searches with it. They are those of any moment from
  /// touched() on, as long as that stays the same.
  using Rows = std::shared_ptr<const storage::RowSet>;
  Rows known(std::string_view filter, Sequence at) const;
  void keep(std::string_view filter, Sequence touched, Rows rows) const;
  /// The last commit that changed a document or a vector.
  Sequence touched() const { return touched_.load(std::memory_order_acquire); }
  void touch(Sequence at) { touched_.store(at, std::memory_order_release); }

  /// Some of what is to be done for the graph; false: nothing is. Throws what the graph does, and is of no more use.
  bool step(unsigned threads);
  /// After the last step: what cut rows off is mended.
  void settle();
  /// Measures what ef gives which recall, when that was never done or long ago.
  void calibrate();
  std::optional<Calibration> calibration() const;
  /// More than 30 % of the rows are ended: worth being made anew.
  bool worn() const;

  struct Figures {
    Row rows = 0;
    Row ended = 0;
    Row pending = 0;  // not in the graph
    bool graph = false;
    bool hidden = false;
    std::uint64_t memory_bytes = 0;
    storage::Quantization quantization = storage::Quantization::none;
  };
  Figures figures() const;
  Row pending() const;
  /// What is wrong with the graph, if anything. Settles first; by the upkeep's thread.
  std::optional<std::string> check();

  const std::string& floats_path() const { return floats_path_; }

 private:
  friend class IndexFiles;
  void make_graph();
  void take_graph(std::unique_ptr<storage::VectorIndex> graph);
  std::uint64_t floats_checksum(Row first, Row end) const;

  void hide();

  const storage::VectorShape shape_;
  const storage::VectorIndexBackend& backend_;
  const Sequence base_;
  const std::string floats_path_;
  const distance::Codec exact_codec_;
  storage::ExactVectors exact_;
  storage::RowVersions versions_;
  RowIds ids_;

  struct Known {
    std::string filter;
    Sequence touched;
    Rows rows;
  };
  static constexpr std::size_t known_max = 8;
  static constexpr std::uint64_t known_bytes_max = 4u << 20;
  std::atomic<Sequence> touched_;
  mutable std::mutex known_mutex_;
  mutable std::vector<Known> known_;        // the one used last in front; guarded by known_mutex_
  std::optional<Calibration> calibration_;  // guarded by known_mutex_
  Row calibrated_rows_ = 0;                 // the upkeep's

  std::unique_ptr<storage::VectorIndex> graph_;  // made or loaded once
  std::atomic<bool> visible_{false};
  mutable std::shared_mutex use_;  // shared by searches of the graph
  std::atomic<Row> applied_{0};
  std::atomic<bool> has_graph_{false};
  Row unsettled_ = 0;  // rows added since settle()
};

}  // namespace stele::vectors
