// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/storage/vector_index.h"
#include "tests/vectors/shapes.h"

#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <vector>

namespace stele::storage {

struct VectorBackend {
  std::string name;
  MakeVectorIndex make;

  friend void PrintTo(const VectorBackend& backend, std::ostream* out) { *out << backend.name; }
};

inline std::string backend_name(const ::testing::TestParamInfo<VectorBackend>& info) { return info.param.name; }

/// Rows with their versions, and an index over them.
class Rows {
 public:
  explicit Rows(VectorShape shape) : shape_(shape), vectors_(shape.dimensions) {}

  /// The next row, seen from `begin` on; not yet in the index.
  Row put(const std::vector<float>& vector, Sequence begin = 1) {
    vectors_.put(versions_.count(), prepare(shape_, vector).data());
    return versions_.add(begin);
  }
  void put_all(const std::vector<std::vector<float>>& vectors) {
    for (const auto& vector : vectors) put(vector);
  }

  /// A new index over all rows, trained on up to 2,000 of them.
  void index(const VectorBackend& backend, unsigned threads = 1) {
    std::vector<Row> sample;
    const Row count = versions_.count();
    for (Row row = 0; row < count; row += 1 + count / 2000) sample.push_back(row);
    index_ = backend.make(shape_, {vectors_, versions_}, sample);
    index_->build(count, threads);
  }

  VectorHits search(const std::vector<float>& vector, VectorQuery query) const {
    const std::vector<float> prepared = prepare(shape_, vector);
    query.vector = prepared;
    return index_->search(query);
  }
  /// What the definition says.
  std::vector<VectorHit> expected(const std::vector<float>& vector, std::size_t k, Sequence at = newest,
                                  const RowSet* allowed = nullptr) const;
  /// The share of the true nearest that searches find, a row as near as a true one counting as it.
  double recall(const std::vector<std::vector<float>>& queries, VectorQuery query) const;

  VectorIndex& index() { return *index_; }
  RowVersions& versions() { return versions_; }
  const ExactVectors& vectors() const { return vectors_; }
  const VectorShape& shape() const { return shape_; }

 private:
  VectorShape shape_;
  ExactVectors vectors_;
  RowVersions versions_;
  std::unique_ptr<VectorIndex> index_;
};

std::vector<Row> rows_of(const VectorHits& found);

}  // namespace stele::storage
