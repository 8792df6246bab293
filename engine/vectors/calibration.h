// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/storage/vector_index.h"

#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>

namespace stele::vectors {

/// What a graph finds with which ef: measured with some of its own rows as queries, against comparing with every row.
/// A row's own neighbourhood is a little easier than a stranger's, so a target is to be passed by a margin.
class Calibration {
 public:
  static constexpr std::array<std::size_t, 7> efs = {16, 32, 64, 128, 256, 512, 1024};

  using Search = std::function<storage::VectorHits(const storage::VectorQuery&)>;
  /// `queries` are rows that are seen. Polls the thread's Interrupt.
  static Calibration measure(const Search& search, const storage::ExactVectors& vectors,
                             std::span<const storage::Row> queries);

  /// The smallest of them that reaches the recall, as measured; empty: none does, and every row is to be compared with.
  std::optional<std::size_t> ef_for(double recall) const;
  /// With the ef that is taken when none is asked for.
  double recall() const { return recalls_[2]; }

 private:
  std::array<double, efs.size()> recalls_{};
};

}  // namespace stele::vectors
