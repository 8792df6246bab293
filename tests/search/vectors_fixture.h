// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <stele/stele.h>

#include "tests/support/seed.h"
#include "tests/support/temporary_directory.h"

#include <optional>
#include <random>
#include <string>
#include <vector>

namespace stele::testing {

using Vector = std::vector<float>;

inline Vector random_vector(std::mt19937& random, std::size_t dimensions) {
  std::normal_distribution<float> component;
  Vector out(dimensions);
  for (float& x : out) x = component(random);
  return out;
}

inline std::string json_of(const Vector& vector) {
  std::string out = "[";
  for (const float x : vector) out += (out.size() > 1 ? "," : "") + std::to_string(x);
  return out + "]";
}

/// A database with a collection "things" and, at "v", a vector index of 4 dimensions.
class VectorsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    open();
    things().create_vector_index("v", {.dimensions = 4, .metric = Metric::l2});
  }
  void open() { db.emplace(Database::open(directory / "db")); }
  void reopen() {
    db->close();
    db.reset();
    open();
  }
  Collection things() { return db->collection("things"); }

  /// The ids of what is found, "a b c".
  static std::string ids(const Neighbours& found) {
    std::string out;
    for (const auto& hit : found.hits) out += (out.empty() ? "" : " ") + hit.id.text();
    return out;
  }
  std::string nearest(const Vector& to, const NearestOptions& options = {}) {
    return ids(things().nearest("v", to, options));
  }

  testing::TemporaryDirectory directory;
  std::optional<Database> db;
};

}  // namespace stele::testing
