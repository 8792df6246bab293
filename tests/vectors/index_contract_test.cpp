// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What vector_index.h promises, over every backend.
#include "backends/flat/open.h"
#include "backends/hnsw/open.h"
#include "tests/support/expect_error.h"
#include "tests/vectors/index_fixture.h"

#include <algorithm>
#include <limits>

namespace stele::storage {
namespace {

using vectors_test::all_data;
using vectors_test::Data;
using vectors_test::make;
using vectors_test::Numbers;

class VectorIndexContract : public ::testing::TestWithParam<VectorBackend> {};

INSTANTIATE_TEST_SUITE_P(Bundled, VectorIndexContract,
                         ::testing::Values(VectorBackend{"flat", flat::make_flat},
                                           VectorBackend{"hnsw", hnsw::make_hnsw}),
                         backend_name);

TEST_P(VectorIndexContract, every_vector_is_its_own_nearest_with_every_metric) {
  Numbers random;
  for (const Metric metric : {Metric::l2, Metric::cosine})
    for (const std::uint32_t dimensions : {1u, 3u, 64u, 100u}) {
      Rows rows({.dimensions = dimensions, .metric = metric});
      if (metric == Metric::cosine && dimensions == 1) continue;  // there are only two directions
      const auto vectors = make(Data::uniform, 300, dimensions, random);
      rows.put_all(vectors);
      rows.index(GetParam());
      for (Row row = 0; row < 300; ++row) {
        const auto found = rows.search(vectors[row], {.k = 1});
        ASSERT_EQ(found.hits.size(), 1u);
        EXPECT_NEAR(found.hits[0].distance, 0, 1e-5);
      }
    }
}

TEST_P(VectorIndexContract, hits_come_nearest_first_with_exact_distances) {
  Numbers random;
  for (const Metric metric : {Metric::l2, Metric::cosine, Metric::ip}) {
    Rows rows({.dimensions = 40, .metric = metric, .ef_construction = 80});
    rows.put_all(make(Data::clustered, 2000, 40, random));
    rows.index(GetParam());
    const distance::Codec codec(metric, 40, Quantization::none);
    for (const auto& query : make(Data::clustered, 20, 40, random)) {
      const auto found = rows.search(query, {.k = 20});
      const auto target = prepare(rows.shape(), query);
      ASSERT_EQ(found.hits.size(), 20u);
      for (std::size_t i = 0; i < 20; ++i) {
        EXPECT_EQ(found.hits[i].distance, codec.exact(target.data(), rows.vectors().at(found.hits[i].row)));
        EXPECT_LE(found.hits[i > 0 ? i - 1 : 0].distance, found.hits[i].distance);
      }
      EXPECT_EQ(rows.search(query, {.k = 20, .exact = true}).hits, rows.expected(query, 20));
    }
  }
}

TEST_P(VectorIndexContract, an_empty_index_has_no_hits_and_says_so) {
  Rows rows({.dimensions = 4});
  rows.index(GetParam());
  for (const bool exact : {false, true}) {
    const auto found = rows.search({1, 2, 3, 4}, {.k = 5, .exact = exact});
    EXPECT_TRUE(found.hits.empty());
    EXPECT_TRUE(found.complete);
  }
}

TEST_P(VectorIndexContract, k_beyond_the_count_gives_every_row) {
  Numbers random;
  Rows rows({.dimensions = 8});
  rows.put_all(make(Data::uniform, 50, 8, random));
  rows.index(GetParam());
  for (const std::size_t k : {50ul, 51ul, 1'000'000ul, std::numeric_limits<std::size_t>::max()})
    EXPECT_EQ(rows.search(random.vector(8, 1), {.k = k, .ef = 3}).hits.size(), 50u);
}

TEST_P(VectorIndexContract, rows_are_seen_from_their_begin_to_their_end) {
  Rows rows({.dimensions = 2, .metric = Metric::l2});
  const Row first = rows.put({0, 0}, 10);
  const Row second = rows.put({1, 0}, 20);
  rows.versions().end(first, 30);
  rows.index(GetParam());
  const auto at = [&](Sequence sequence) { return rows_of(rows.search({0, 0}, {.k = 5, .at = sequence})); };
  EXPECT_EQ(at(9), (std::vector<Row>{}));
  EXPECT_EQ(at(10), (std::vector<Row>{first}));
  EXPECT_EQ(at(20), (std::vector<Row>{first, second}));
  EXPECT_EQ(at(29), (std::vector<Row>{first, second}));
  EXPECT_EQ(at(30), (std::vector<Row>{second}));
  EXPECT_EQ(at(newest), (std::vector<Row>{second}));
}

TEST_P(VectorIndexContract, rows_that_were_not_added_are_not_found) {
  Rows rows({.dimensions = 2, .metric = Metric::l2});
  rows.put({0, 0});
  rows.index(GetParam());
  const Row late = rows.put({1, 1});
  EXPECT_EQ(rows_of(rows.search({1, 1}, {.k = 5})), (std::vector<Row>{0}));
  rows.index().add(late + 1);
  EXPECT_EQ(rows_of(rows.search({1, 1}, {.k = 5})), (std::vector<Row>{late, 0}));
  EXPECT_EQ(rows.index().rows(), 2u);
}

TEST_P(VectorIndexContract, ten_thousand_equal_vectors_do_not_hide_the_others) {
  Numbers random;
  Rows rows({.dimensions = 16, .metric = Metric::l2});
  const auto others = make(Data::uniform, 200, 16, random);
  for (int i = 0; i < 200; ++i) {
    for (int j = 0; j < 50; ++j) rows.put(std::vector<float>(16, 0.25f));
    rows.put(others[i]);
  }
  rows.index(GetParam());
  EXPECT_EQ(rows.index().check(), std::nullopt);
  for (const auto& query : others) {
    const auto found = rows.search(query, {.k = 1});
    ASSERT_EQ(found.hits.size(), 1u);
    EXPECT_EQ(found.hits[0].distance, 0);
  }
  EXPECT_EQ(rows.search(std::vector<float>(16, 0.25f), {.k = 1000}).hits.size(), 1000u);
}

TEST_P(VectorIndexContract, searches_agree_with_a_model_through_random_changes_at_random_moments) {
  Numbers random(1);
  Rows rows({.dimensions = 12, .metric = Metric::l2});
  const auto pool = make(Data::clustered, 4000, 12, random);
  rows.put(pool[0]);
  rows.index(GetParam());
  Sequence now = 1;
  for (std::size_t i = 1; i < pool.size(); ++i) {
    ++now;
    const Row row = rows.put(pool[i], now);
    if (random.below(3) == 0) rows.versions().end(random.below(row), now);
    rows.index().add(row + 1);
    if (i % 40) continue;
    RowSet allowed;
    for (Row r = 0; r <= row; ++r)
      if (random.below(4) == 0) allowed.add(r);
    const Sequence at = 1 + random.below(static_cast<std::uint32_t>(now));
    const auto& query = pool[random.below(4000)];
    const RowSet* filter = random.below(2) ? &allowed : nullptr;
    EXPECT_EQ(rows.search(query, {.k = 10, .at = at, .allowed = filter, .exact = true}).hits,
              rows.expected(query, 10, at, filter));
    EXPECT_GE(rows.recall({query}, {.k = 10, .ef = 200, .at = at, .allowed = filter}), 0.7);
  }
  rows.index().repair();
  EXPECT_EQ(rows.index().check(), std::nullopt);
}

TEST_P(VectorIndexContract, recall_holds_over_data_shapes_and_quantizations) {
  for (const Data data : all_data)
    for (const Quantization quantization : {Quantization::int8, Quantization::bf16, Quantization::none}) {
      Numbers random(2);
      Rows rows({.dimensions = 32, .metric = Metric::l2, .quantization = quantization, .ef_construction = 100});
      auto vectors = make(data, 3030, 32, random);
      const std::vector<std::vector<float>> queries(vectors.end() - 30, vectors.end());
      vectors.resize(3000);
      rows.put_all(vectors);
      rows.index(GetParam());
      EXPECT_GE(rows.recall(queries, {.k = 10, .ef = 150}), data == Data::uniform ? 0.93 : 0.97)
          << name(data) << ", quantization " << static_cast<int>(quantization) << " became "
          << static_cast<int>(rows.index().figures().quantization);
      EXPECT_EQ(rows.index().check(), std::nullopt) << name(data);
    }
}

TEST_P(VectorIndexContract, filters_of_every_selectivity_find_what_they_let_through) {
  Numbers random(3);
  Rows rows({.dimensions = 24, .metric = Metric::l2, .ef_construction = 100});
  auto vectors = make(Data::clustered, 5020, 24, random);
  const std::vector<std::vector<float>> queries(vectors.end() - 20, vectors.end());
  vectors.resize(5000);
  rows.put_all(vectors);
  rows.index(GetParam());
  for (const std::uint32_t percent : {0u, 1u, 10u, 30u, 50u, 90u, 100u}) {
    RowSet allowed;
    for (Row row = 0; row < 5000; ++row)
      if (random.below(100) < percent) allowed.add(row);
    EXPECT_GE(rows.recall(queries, {.k = 10, .ef = 100, .allowed = &allowed}), 0.95) << percent << " %";
  }
}

TEST_P(VectorIndexContract, a_filter_that_excludes_the_whole_neighbourhood_still_gives_k) {
  Numbers random(4);
  Rows rows({.dimensions = 24, .metric = Metric::l2, .ef_construction = 100});
  const auto vectors = make(Data::clustered, 6000, 24, random);
  rows.put_all(vectors);
  rows.index(GetParam());
  for (const std::size_t nearest : {3000u, 4500u, 5800u}) {
    double recall = 0;
    for (int q = 0; q < 10; ++q) {
      const auto& query = vectors[random.below(6000)];
      const auto order = rows.expected(query, 6000);
      RowSet allowed;
      for (std::size_t i = nearest; i < order.size(); ++i) allowed.add(order[i].row);
      recall += rows.recall({query}, {.k = 10, .allowed = &allowed}) / 10;
    }
    EXPECT_GE(recall, 0.85) << "without the " << nearest << " nearest";
  }
}

TEST_P(VectorIndexContract, many_threads_build_as_good_an_index_as_one) {
  Numbers random(5);
  Rows rows({.dimensions = 24, .metric = Metric::cosine, .ef_construction = 100});
  auto vectors = make(Data::clustered, 6050, 24, random);
  const std::vector<std::vector<float>> queries(vectors.end() - 50, vectors.end());
  vectors.resize(6000);
  rows.put_all(vectors);
  rows.index(GetParam(), 4);
  EXPECT_EQ(rows.index().check(), std::nullopt);
  EXPECT_GE(rows.recall(queries, {.k = 10, .ef = 150}), 0.97);
  rows.index().add(rows.put(vectors[0]) + 1);
  EXPECT_EQ(rows.index().rows(), 6001u);
}

TEST(VectorShape, figures_out_of_bounds_are_refused_by_name) {
  const auto refused = [](VectorShape shape, const char* figure) {
    testing::expect_error(
        ErrorCode::invalid, [&] { check(shape); }, figure);
  };
  check({.dimensions = 1});
  check({.dimensions = 16'384, .m = 64, .ef_construction = 4'096});
  refused({.dimensions = 0}, "dimensions is 0");
  refused({.dimensions = 16'385}, "dimensions is 16385");
  refused({.dimensions = 8, .m = 3}, "m is 3");
  refused({.dimensions = 8, .m = 65}, "m is 65");
  refused({.dimensions = 8, .ef_construction = 7}, "ef_construction is 7");
}

TEST(VectorShape, vectors_without_distances_are_refused_with_a_reason) {
  const VectorShape cosine{.dimensions = 2}, l2{.dimensions = 2, .metric = Metric::l2};
  const auto reason = [](const VectorShape& shape, std::vector<float> vector) {
    return testing::expect_error(ErrorCode::invalid, [&] { prepare(shape, vector); }).detail().at("reason");
  };
  const float infinity = std::numeric_limits<float>::infinity(), huge = std::numeric_limits<float>::max();
  EXPECT_EQ(reason(l2, {1}), "dimensions");
  EXPECT_EQ(reason(l2, {1, 2, 3}), "dimensions");
  EXPECT_EQ(reason(l2, {}), "dimensions");
  EXPECT_EQ(reason(l2, {1, std::numeric_limits<float>::quiet_NaN()}), "not_finite");
  EXPECT_EQ(reason(l2, {-infinity, 1}), "not_finite");
  EXPECT_EQ(reason(l2, {huge, huge}), "overflow");
  EXPECT_EQ(reason(cosine, {0, -0.f}), "zero_vector");
  EXPECT_EQ(prepare(l2, std::vector<float>{0, 0}), (std::vector<float>{0, 0}));
  EXPECT_EQ(prepare(cosine, std::vector<float>{1e-30f, 0}), (std::vector<float>{1, 0}));
}

}  // namespace
}  // namespace stele::storage
