// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/storage/vector_index.h"

#include "engine/base/error.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace stele::storage {

namespace {

void check_bounds(std::string_view figure, std::uint64_t value, std::uint64_t least, std::uint64_t most) {
  if (value < least || value > most)
    fail(ErrorCode::invalid, text("vector index: ", figure, " is ", value, "; give one from ", least, " to ", most),
         {{"reason", figure}});
}

}  // namespace

void check(const VectorShape& shape) {
  check_bounds("dimensions", shape.dimensions, 1, 16'384);
  check_bounds("m", shape.m, 4, 64);
  check_bounds("ef_construction", shape.ef_construction, 8, 4'096);
}

std::vector<float> prepare(const VectorShape& shape, std::span<const float> vector) {
  if (vector.size() != shape.dimensions)
    fail(ErrorCode::invalid,
         text("vector: ", vector.size(), " numbers, but the index has ", shape.dimensions, " dimensions"),
         {{"reason", "dimensions"}});
  double sums[4] = {};  // one would wait for itself
  for (std::size_t i = 0; i < vector.size(); ++i) sums[i % 4] += double{vector[i]} * vector[i];
  const double squares = sums[0] + sums[1] + sums[2] + sums[3];
  if (!std::isfinite(squares)) {  // finite floats, squared, are far from overflowing a double
    const auto bad = std::ranges::find_if_not(vector, [](float x) { return std::isfinite(x); }) - vector.begin();
    fail(ErrorCode::invalid, text("vector: number ", bad, " is NaN or infinite; only finite ones have distances"),
         {{"reason", "not_finite"}});
  }
  // A difference of two vectors is at most twice as long.
  if (squares > std::numeric_limits<float>::max() / 4)
    fail(ErrorCode::invalid, "vector: it is too long, its squared length overflows a float32; scale it down",
         {{"reason", "overflow"}});
  std::vector<float> prepared(vector.begin(), vector.end());
  if (shape.metric != Metric::cosine) return prepared;
  if (squares == 0)
    fail(ErrorCode::invalid, "vector: all numbers are 0, and such a vector has no direction for the metric cosine",
         {{"reason", "zero_vector"}});
  const double scale = 1 / std::sqrt(squares);
  for (float& x : prepared) x = static_cast<float>(x * scale);
  return prepared;
}

distance::Codec trained_codec(const VectorShape& shape, const ExactVectors& vectors, std::span<const Row> sample) {
  std::vector<const float*> pointers;
  for (const Row row : sample) pointers.push_back(vectors.at(row));
  const Quantization wanted = sample.empty() ? Quantization::none : shape.quantization;
  return distance::Codec::trained(shape.metric, shape.dimensions, wanted, pointers);
}

std::string_view name(Strategy strategy) {
  constexpr std::string_view names[] = {"exact", "scan", "graph", "post_filter", "in_traversal", "two_hop"};
  return names[static_cast<std::size_t>(strategy)];
}

}  // namespace stele::storage
