// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/storage/row_scan.h"

#include <algorithm>
#include <cmath>

namespace stele::storage {

namespace {

constexpr std::size_t ahead = 5;  // rows asked for before they are read
constexpr std::size_t poll_every = 4096;
constexpr std::size_t rescored_least = 10;

/// Calls `visit` for each row that counts, in ascending order, and `soon` for the one some places ahead.
template <class Soon, class Visit>
void for_each_row(const VectorQuery& query, const RowVersions& versions, Row first, Row rows, const Soon& soon,
                  const Visit& visit) {
  const bool check = !versions.all_visible(query.at);
  const auto one = [&](std::size_t i, Row row) {
    if (i % poll_every == 0) Interrupt::poll();
    if (!check || versions.visible(row, query.at)) visit(row);
  };
  if (!query.allowed) {
    for (Row row = first; row < rows; ++row) {
      if (row + ahead < rows) soon(row + ahead);
      one(row, row);
    }
    return;
  }
  std::vector<Row> allowed = query.allowed->rows();
  if (first > 0) allowed.erase(allowed.begin(), std::ranges::lower_bound(allowed, first));
  for (std::size_t i = 0; i < allowed.size() && allowed[i] < rows; ++i) {
    if (i + ahead < allowed.size() && allowed[i + ahead] < rows) soon(allowed[i + ahead]);
    one(i, allowed[i]);
  }
}

/// Records err, by about as much among a query's nearest: a candidate whose record would have to err twice as much as
/// any before it did, to be among the k nearest, ends the list.
void rescore(const VectorQuery& query, const distance::Codec& codec, const ExactVectors& vectors,
             Nearest& candidates) {
  constexpr std::size_t soon = 4;
  const std::size_t bytes = vectors.dimensions() * sizeof(float);
  const std::size_t count = std::min(candidates.size(), rescored(query.k));
  thread_local Nearest nearest;
  nearest.reset(std::min(query.k, count));
  float error = 0;
  std::size_t i;
  for (i = 0; i < std::min(count, soon); ++i) prefetch(vectors.at(candidates[i].row), bytes);
  for (i = 0; i < count; ++i) {
    float& distance = candidates[i].distance;
    if (i >= rescored_least && nearest.full() && distance - 2 * error > nearest[nearest.size() - 1].distance) break;
    if (i + soon < count) prefetch(vectors.at(candidates[i + soon].row), bytes);
    const float exact = codec.exact(query.vector.data(), vectors.at(candidates[i].row));
    error = std::max(error, std::fabs(exact - distance));
    distance = exact;
    if (nearest.takes(exact)) nearest.insert(exact, candidates[i].row);
  }
  candidates.truncate(i);
}

}  // namespace

VectorHits scan_exactly(const VectorQuery& query, const distance::Codec& codec, VectorRows over, Row rows, Row first) {
  thread_local Nearest nearest;
  nearest.reset(std::min<std::size_t>(query.k, rows));
  VectorHits found;
  found.strategy = Strategy::exact;
  for_each_row(
      query, over.versions, first, rows, [&](Row row) { prefetch(over.vectors.at(row), over.vectors.dimensions() * 4); },
      [&](Row row) {
        const float distance = codec.exact(query.vector.data(), over.vectors.at(row));
        if (nearest.takes(distance)) nearest.insert(distance, row);
        ++found.visited;
      });
  for (const auto& entry : nearest) found.hits.push_back({entry.row, entry.distance});
  return found;
}

VectorHits scan_records(const VectorQuery& query, const distance::Codec& codec, VectorRows over, Row rows,
                        const Records& records) {
  thread_local Nearest nearest;
  nearest.reset(std::min<std::size_t>(rescored(query.k), rows));
  VectorHits found;
  found.strategy = Strategy::scan;
  const char* const target = encoded(codec, query.vector);
  for_each_row(
      query, over.versions, 0, rows, [&](Row row) { prefetch(records.at(row), codec.record_bytes()); },
      [&](Row row) {
        const float distance = codec.distance(target, records.at(row));
        if (nearest.takes(distance)) nearest.insert(distance, row);
        ++found.visited;
      });
  found.hits = final_order(query, codec, over.vectors, nearest);
  return found;
}

std::vector<VectorHit> final_order(const VectorQuery& query, const distance::Codec& codec, const ExactVectors& vectors,
                                   Nearest& candidates) {
  if (codec.quantization() != Quantization::none) rescore(query, codec, vectors, candidates);
  std::vector<VectorHit> hits;
  hits.reserve(candidates.size());
  for (const auto& entry : candidates) hits.push_back({entry.row, entry.distance});
  const std::size_t k = std::min(query.k, hits.size());
  std::partial_sort(hits.begin(), hits.begin() + static_cast<std::ptrdiff_t>(k), hits.end(),
                    [](const VectorHit& a, const VectorHit& b) {
                      return a.distance != b.distance ? a.distance < b.distance : a.row < b.row;
                    });
  hits.resize(k);
  return hits;
}

const char* encoded(const distance::Codec& codec, std::span<const float> vector) {
  thread_local std::vector<char> record;
  record.resize(codec.record_bytes());
  codec.encode(vector.data(), record.data());
  return record.data();
}

}  // namespace stele::storage
