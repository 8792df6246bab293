// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// One thread adds and repairs, others search; many threads build. Small: this runs under ThreadSanitizer.
#include "backends/hnsw/open.h"
#include "tests/support/hnsw_locks.h"
#include "tests/vectors/index_fixture.h"

#include <atomic>
#include <thread>

namespace stele::storage {
namespace {

using vectors_test::Data;
using vectors_test::make;
using vectors_test::Numbers;

const VectorBackend graph{"hnsw", hnsw::make_hnsw};

TEST(VectorThreads, searches_beside_an_insert_find_what_was_there_before_it) {
  Numbers random(9);
  Rows rows({.dimensions = 16, .metric = Metric::l2, .ef_construction = 40});
  const auto vectors = make(Data::clustered, 1500, 16, random);
  for (int i = 0; i < 700; ++i) rows.put(vectors[i]);
  rows.index(graph);
  std::atomic<bool> done{false};
  std::atomic<int> misses{0}, searches{0};
  const auto read = [&](std::uint64_t stream, Strategy strategy) {
    Numbers numbers(stream);
    RowSet allowed;
    for (Row row = 0; row < 700; ++row) allowed.add(row);
    while (!done) {
      const Row row = numbers.below(700);
      const RowSet* filter = strategy == Strategy::graph ? nullptr : &allowed;
      const auto found = rows.search(vectors[row], {.k = 1, .at = 1, .allowed = filter, .strategy = strategy});
      misses += found.hits.size() != 1 || found.hits[0].distance != 0;
      ++searches;
    }
  };
  {
    std::jthread first(read, 10, Strategy::graph), second(read, 11, Strategy::two_hop);
    for (Row i = 700; i < 1500; ++i) {  // beyond the first capacity, 1,024
      rows.index().add(rows.put(vectors[i], i) + 1);
      if (i % 7 == 0) rows.versions().end(i, 1501);
      if (i % 300 == 0) rows.index().repair();
    }
    done = true;
  }
  EXPECT_GT(searches, 0);
  EXPECT_LE(misses, searches / 50 + 1);
  rows.index().repair();
  EXPECT_EQ(rows.index().check(), std::nullopt);
}

TEST(VectorThreads, many_threads_build_one_graph) {
  Numbers random(12);
  Rows rows({.dimensions = 16, .metric = Metric::cosine, .ef_construction = 40});
  const auto vectors = make(Data::duplicates, 1200, 16, random);
  rows.put_all(vectors);
  rows.index(graph, 4);
  EXPECT_EQ(rows.index().check(), std::nullopt);
  EXPECT_GE(rows.recall({vectors.begin(), vectors.begin() + 50}, {.k = 10, .ef = 100}), 0.95);
}

}  // namespace
}  // namespace stele::storage
