// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/vectors/index_fixture.h"

#include <algorithm>

namespace stele::storage {

std::vector<VectorHit> Rows::expected(const std::vector<float>& vector, std::size_t k, Sequence at,
                                      const RowSet* allowed) const {
  const distance::Codec codec(shape_.metric, shape_.dimensions, Quantization::none);
  const std::vector<float> target = prepare(shape_, vector);
  std::vector<VectorHit> all;
  for (Row row = 0; row < versions_.count(); ++row)
    if (versions_.visible(row, at) && (!allowed || allowed->contains(row)))
      all.push_back({row, codec.exact(target.data(), vectors_.at(row))});
  const auto nearer = [](const VectorHit& a, const VectorHit& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.row < b.row;
  };
  k = std::min(k, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(k), all.end(), nearer);
  all.resize(k);
  return all;
}

double Rows::recall(const std::vector<std::vector<float>>& queries, VectorQuery query) const {
  std::size_t kept = 0, all = 0;
  for (const auto& vector : queries) {
    const auto truth = expected(vector, query.k, query.at, query.allowed);
    const auto found = search(vector, query);
    EXPECT_EQ(found.hits.size(), truth.size());
    EXPECT_TRUE(found.complete);
    for (std::size_t i = 0; i < std::min(found.hits.size(), truth.size()); ++i)
      kept += found.hits[i].distance <= truth.back().distance;
    all += truth.size();
  }
  return all == 0 ? 1 : static_cast<double>(kept) / static_cast<double>(all);
}

std::vector<Row> rows_of(const VectorHits& found) {
  std::vector<Row> rows;
  for (const VectorHit& hit : found.hits) rows.push_back(hit.row);
  return rows;
}

}  // namespace stele::storage
