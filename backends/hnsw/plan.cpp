// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/hnsw/plan.h"

#include <algorithm>
#include <cmath>

namespace stele::hnsw {

using storage::Strategy;

namespace {

constexpr std::uint64_t always_scanned = 2'000;
constexpr std::size_t ef_default = 64;
constexpr double in_traversal_from = 0.2;
constexpr double post_filter_from = 0.8;

bool scan_is_cheaper(std::size_t dimensions, std::uint64_t allowed, double selectivity) {
  const double row_ns = std::max(8.0, 25.0 * static_cast<double>(dimensions) / 384);
  const double walk_ns = 62'000 * std::pow(selectivity, -0.78);
  return static_cast<double>(allowed) * row_ns < walk_ns;
}

std::size_t wider(std::size_t ef, double selectivity) {
  return static_cast<std::size_t>(std::ceil(static_cast<double>(ef) / std::max(selectivity, 0.01)));
}

}  // namespace

Choice choose(const storage::VectorQuery& query, std::size_t dimensions, std::uint64_t allowed, std::uint64_t rows,
              bool filtered) {
  const std::size_t ef = std::max(query.ef == 0 ? ef_default : query.ef, query.k);
  const double selectivity = static_cast<double>(allowed) / static_cast<double>(std::max<std::uint64_t>(rows, 1));
  if (query.exact) return {Strategy::exact, ef};
  if (query.strategy) return {*query.strategy, *query.strategy == Strategy::post_filter ? wider(ef, selectivity) : ef};
  if (allowed <= std::max<std::uint64_t>(always_scanned, ef) || scan_is_cheaper(dimensions, allowed, selectivity))
    return {Strategy::scan, ef};
  if (allowed == rows) return {Strategy::graph, ef};
  if (selectivity > post_filter_from)
    return {filtered ? Strategy::post_filter : Strategy::graph, wider(ef, selectivity)};
  return {selectivity >= in_traversal_from ? Strategy::in_traversal : Strategy::two_hop, ef};
}

}  // namespace stele::hnsw
