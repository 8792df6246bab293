// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/vectors/shapes.h"

#include "tests/support/seed.h"

#include <cmath>

namespace stele::vectors_test {

namespace {

std::uint64_t seed() {
  static const std::uint64_t chosen = testing::test_seed(42);
  return chosen;
}

}  // namespace

Numbers::Numbers(std::uint64_t stream) : state_(seed() * 0x9E3779B97F4A7C15u + stream * 0xD1B54A32D192ED03u + 1) {}

std::uint64_t Numbers::next() {  // splitmix64
  std::uint64_t x = state_ += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

float Numbers::normal() {  // near enough: the sum of four uniform ones
  float sum = 0;
  for (int i = 0; i < 4; ++i) sum += uniform();
  return (sum - 2) * 1.7320508f;
}

std::vector<float> Numbers::vector(std::size_t dimensions, float spread) {
  std::vector<float> out(dimensions);
  for (float& x : out) x = normal() * spread;
  return out;
}

std::string name(Data data) {
  switch (data) {
    case Data::clustered: return "clustered";
    case Data::uniform: return "uniform";
    case Data::duplicates: return "duplicates";
    case Data::off_origin: return "off_origin";
    case Data::flat_dimensions: return "flat_dimensions";
  }
  return "";
}

std::vector<std::vector<float>> make(Data data, std::size_t count, std::size_t dimensions, Numbers& random) {
  std::vector<std::vector<float>> centres, rows;
  const std::size_t directions = 12;
  for (int i = 0; i < 64; ++i) centres.push_back(random.vector(dimensions, 1));
  std::vector<std::vector<float>> along;
  for (std::size_t i = 0; i < 8 * directions; ++i) along.push_back(random.vector(dimensions, 0.3f));
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<float> row = random.vector(dimensions, 1);
    if (data == Data::clustered) {
      const std::uint32_t cluster = random.below(64);
      for (std::size_t d = 0; d < dimensions; ++d) row[d] = row[d] * 0.2f + centres[cluster][d];
      for (std::size_t j = 0; j < directions; ++j) {
        const float weight = random.normal();
        for (std::size_t d = 0; d < dimensions; ++d) row[d] += weight * along[cluster % 8 * directions + j][d];
      }
    } else if (data == Data::duplicates) {
      if (i >= count / 100 + 1) row = rows[random.below(static_cast<std::uint32_t>(count / 100 + 1))];
    } else if (data == Data::off_origin) {
      for (std::size_t d = 0; d < dimensions; ++d) row[d] = row[d] * 0.05f + 3 + centres[0][d];
    } else if (data == Data::flat_dimensions) {
      for (std::size_t d = 0; d < dimensions; d += 2) row[d] = static_cast<float>(d % 5);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace stele::vectors_test
