// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What only the graph does: its ways of searching.
#include "backends/hnsw/open.h"
#include "tests/vectors/index_fixture.h"

namespace stele::storage {
namespace {

using vectors_test::Data;
using vectors_test::make;
using vectors_test::Numbers;

const VectorBackend graph{"hnsw", hnsw::make_hnsw};

TEST(Graph, every_strategy_finds_enough_and_gives_up_where_it_would_not) {
  Numbers random(6);
  Rows rows({.dimensions = 24, .metric = Metric::l2, .ef_construction = 100});
  auto vectors = make(Data::clustered, 6'010, 24, random);
  const std::vector<std::vector<float>> queries(vectors.end() - 10, vectors.end());
  vectors.resize(6'000);
  rows.put_all(vectors);
  rows.index(graph);
  for (const std::uint32_t percent : {1u, 20u, 60u, 95u}) {
    RowSet allowed;
    for (Row row = 0; row < 6'000; ++row)
      if (random.below(100) < percent) allowed.add(row);
    for (const Strategy strategy : {Strategy::post_filter, Strategy::in_traversal, Strategy::two_hop, Strategy::scan})
      EXPECT_GE(rows.recall(queries, {.k = 10, .ef = 150, .allowed = &allowed, .strategy = strategy}), 0.9)
          << name(strategy) << " at " << percent << " %";
  }
}

TEST(Graph, the_way_is_chosen_by_selectivity) {
  Numbers random(7);
  Rows rows({.dimensions = 96, .metric = Metric::l2, .m = 8, .ef_construction = 20});
  const auto vectors = make(Data::clustered, 20'000, 96, random);
  rows.put_all(vectors);
  rows.index(graph, 2);
  const auto strategy = [&](std::uint32_t percent) {
    RowSet allowed;
    for (Row row = 0; row < 20'000; ++row)
      if (random.below(100) < percent) allowed.add(row);
    return rows.search(vectors[5], {.k = 10, .allowed = &allowed}).strategy;
  };
  EXPECT_EQ(rows.search(vectors[5], {.k = 10}).strategy, Strategy::graph);
  EXPECT_EQ(rows.search(vectors[5], {.k = 10, .exact = true}).strategy, Strategy::exact);
  EXPECT_EQ(strategy(2), Strategy::scan);
  EXPECT_EQ(strategy(60), Strategy::in_traversal);
  EXPECT_EQ(strategy(90), Strategy::post_filter);
  const auto visited = rows.search(vectors[5], {.k = 10}).visited;
  EXPECT_LT(visited, 6'000u);
  for (Row row = 0; row < 20'000; row += 10) rows.versions().end(row, 2);
  EXPECT_EQ(rows.search(vectors[5], {.k = 10}).strategy, Strategy::graph) << "ended rows are passed over";
}

TEST(Graph, a_small_set_is_scanned_and_not_walked) {
  Numbers random(8);
  Rows rows({.dimensions = 8});
  rows.put_all(make(Data::uniform, 1500, 8, random));
  rows.index(graph);
  const auto found = rows.search(random.vector(8, 1), {.k = 10});
  EXPECT_EQ(found.strategy, Strategy::scan);
  EXPECT_EQ(found.visited, 1500u);
}

}  // namespace
}  // namespace stele::storage
