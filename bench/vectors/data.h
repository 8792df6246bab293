// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace stele::bench {

/// Unit vectors in 256 clusters, each spread along one of eight 24-dimensional subspaces that clusters share, plus
/// uniform noise; made from numbers alone, vector i without those before it. Queries are drawn from the same and not in
/// the base.
class VectorData {
 public:
  VectorData(std::size_t dimensions, std::size_t count, std::size_t queries);

  std::size_t dimensions() const { return dimensions_; }
  std::size_t count() const { return base_.size() / dimensions_; }
  std::size_t queries() const { return queries_.size() / dimensions_; }
  const float* base(std::size_t i) const { return &base_[i * dimensions_]; }
  const float* query(std::size_t i) const { return &queries_[i * dimensions_]; }
  /// 0 to 99, whatever the cluster.
  static std::uint32_t bucket(std::uint32_t i);

  /// For each query the `k` nearest by cosine of the rows that are allowed (empty: of all).
  std::vector<std::vector<std::uint32_t>> truth(std::size_t k, const std::vector<bool>& allowed) const;

 private:
  std::size_t dimensions_;
  std::vector<float> base_;
  std::vector<float> queries_;
};

}  // namespace stele::bench
