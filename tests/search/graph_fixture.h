// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/search/vectors_fixture.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>

namespace stele::testing {

/// An index that gets so large that its graph is walked.
class GraphTest : public VectorsTest {
 protected:
  static constexpr std::size_t dimensions = 16;

  void SetUp() override { open(); }

  /// Documents 0 … n-1 of the group id % 100, each with a vector.
  void load(int n) {
    things().create_index(R"({"group": 1})");
    things().create_vector_index("v", {.dimensions = dimensions, .metric = Metric::l2, .m = 8, .ef_construction = 40});
    for (int first = 0; first < n; first += 2000)
      db->write({.durability = Durability::relaxed}, [&](Transaction& tx) {
        for (int id = first; id < std::min(n, first + 2000); ++id) {
          tx.collection("things").insert("{\"_id\":" + std::to_string(id) + ",\"group\":" + std::to_string(id % 100) +
                                         "}");
          tx.collection("things").set_vector("v", id, random_vector(random, dimensions));
        }
      });
    ASSERT_TRUE(things().wait_applied("v"));
  }

  std::string state() { return things().vector_indexes().at(0); }

  /// The share of what exact searches find that others find, too.
  double recall(const NearestOptions& options = {}, int queries = 30) {
    std::size_t found = 0, wanted = 0;
    for (int i = 0; i < queries; ++i) {
      const Vector query = random_vector(random, dimensions);
      NearestOptions exact = options;
      exact.exact = true;
      const Neighbours truth = things().nearest("v", query, exact);
      const Neighbours some = things().nearest("v", query, options);
      EXPECT_EQ(some.hits.size(), truth.hits.size());
      EXPECT_TRUE(some.complete);
      last_strategy = some.strategy;
      for (const auto& hit : truth.hits) found += std::ranges::count(some.hits, hit.id, &Neighbours::Hit::id) > 0;
      wanted += truth.hits.size();
    }
    return double(found) / double(wanted);
  }

  std::filesystem::path file_with(std::string_view ending) {
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(directory / "db") / "vectors"))
      if (entry.path().string().ends_with(ending)) return entry.path();
    ADD_FAILURE() << "no file *" << ending;
    return {};
  }

  std::mt19937 random{static_cast<unsigned>(test_seed())};
  std::string last_strategy;
};

}  // namespace stele::testing
