// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/vectors/calibration.h"

#include <algorithm>

namespace stele::vectors {

using storage::Row;
using storage::VectorQuery;

namespace {
constexpr std::size_t neighbours = 10;
constexpr double margin = 0.25;  // of what is missing to 1
}  // namespace

Calibration Calibration::measure(const Search& search, const storage::ExactVectors& vectors,
                                 std::span<const Row> queries) {
  Calibration out;
  std::array<std::size_t, efs.size()> found{};
  std::size_t wanted = 0;
  for (const Row row : queries) {
    VectorQuery query{.vector = {vectors.at(row), vectors.dimensions()}, .k = neighbours + 1};
    query.exact = true;
    const auto truth = search(query).hits;
    if (truth.empty()) continue;
    // Another row that is as near is as good.
    const float farthest = truth.back().distance;
    wanted += truth.size() - 1;
    query.exact = false;
    query.strategy = storage::Strategy::graph;  // also where so few rows would be scanned: there will be more
    for (std::size_t i = 0; i < efs.size(); ++i) {
      query.ef = efs[i];
      const auto hits = search(query).hits;
      const auto good = std::ranges::count_if(hits, [&](const auto& hit) { return hit.distance <= farthest; });
      found[i] += static_cast<std::size_t>(std::max<std::ptrdiff_t>(good - 1, 0));
    }
  }
  for (std::size_t i = 0; i < efs.size(); ++i)
    out.recalls_[i] = wanted == 0 ? 1 : std::min(1.0, static_cast<double>(found[i]) / static_cast<double>(wanted));
  return out;
}

std::optional<std::size_t> Calibration::ef_for(double recall) const {
  const double needed = recall + (1 - recall) * margin;
  for (std::size_t i = 0; i < efs.size(); ++i)
    if (recalls_[i] >= needed) return efs[i];
  return std::nullopt;
}

}  // namespace stele::vectors
