// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/distance/kernels.h"
#include "engine/distance/codec.h"
#include "tests/vectors/shapes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace stele::distance {
namespace {

using vectors_test::Numbers;

constexpr std::size_t lengths[] = {1, 2, 7, 8, 15, 16, 31, 33, 63, 64, 65, 100, 127, 128, 384, 768, 1000, 16'384};
constexpr Metric metrics[] = {Metric::l2, Metric::cosine, Metric::ip};
constexpr Quantization quantizations[] = {Quantization::none, Quantization::bf16, Quantization::int8};

struct Case {
  Level level;
  Metric metric;
  Quantization quantization;
  std::size_t dimensions;
  std::string text() const {
    return std::string(name(level)) + ", metric " + std::to_string(int(metric)) + ", quantization " +
           std::to_string(int(quantization)) + ", " + std::to_string(dimensions) + " dimensions";
  }
};

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const Level level : levels) {
    if (level > best_level()) continue;  // this processor cannot run it
    for (const Metric metric : metrics)
      for (const Quantization quantization : quantizations)
        for (const std::size_t length : lengths) cases.push_back({level, metric, quantization, length});
  }
  return cases;
}

TEST(Kernels, every_level_gives_what_the_plain_one_gives) {
  Numbers random;
  for (const Case& c : all_cases()) {
    const std::vector<float> mean = random.vector(c.dimensions, 0.3f);
    const Codec plain(c.metric, c.dimensions, c.quantization, mean, Level::plain);
    const Codec fast(c.metric, c.dimensions, c.quantization, mean, c.level);
    const auto a = random.vector(c.dimensions, 1);
    const auto b = random.vector(c.dimensions, 1);
    // No more than a float is aligned.
    std::vector<char> x(plain.record_bytes() + 4), y(plain.record_bytes() + 4);
    plain.encode(a.data(), &x[4]);
    plain.encode(b.data(), &y[4]);
    const float expected = plain.distance(&x[4], &y[4]);
    const float scale = std::fabs(expected) + static_cast<float>(c.dimensions);
    EXPECT_NEAR(fast.distance(&x[4], &y[4]), expected, 1e-5f * scale) << c.text();
    EXPECT_EQ(fast.distance(&x[4], &y[4]), fast.distance(&y[4], &x[4])) << "not symmetric: " << c.text();
    EXPECT_NEAR(fast.exact(a.data(), b.data()), plain.exact(a.data(), b.data()), 1e-5f * scale) << c.text();
  }
}

TEST(Kernels, the_largest_components_do_not_overflow) {
  for (const Case& c : all_cases()) {
    if (c.quantization != Quantization::int8) continue;
    const Codec codec(c.metric, c.dimensions, c.quantization, {}, c.level);
    const std::vector<float> ones(c.dimensions, 1), minus_ones(c.dimensions, -1);
    std::vector<char> a(codec.record_bytes()), b(codec.record_bytes());
    codec.encode(ones.data(), a.data());
    codec.encode(minus_ones.data(), b.data());
    const float exact = codec.exact(ones.data(), minus_ones.data());
    EXPECT_NEAR(codec.distance(a.data(), b.data()), exact, 1e-4f * static_cast<float>(c.dimensions)) << c.text();
    EXPECT_NEAR(codec.distance(b.data(), a.data()), exact, 1e-4f * static_cast<float>(c.dimensions)) << c.text();
  }
}

TEST(Kernels, distances_are_those_of_their_definitions) {
  const std::vector<float> a = {3, 4}, b = {0, 5}, u = {0.6f, 0.8f}, v = {0, 1};
  EXPECT_FLOAT_EQ(Codec(Metric::l2, 2, Quantization::none).exact(a.data(), b.data()), 10);
  EXPECT_FLOAT_EQ(Codec(Metric::ip, 2, Quantization::none).exact(a.data(), b.data()), -20);
  EXPECT_FLOAT_EQ(Codec(Metric::cosine, 2, Quantization::none).exact(u.data(), v.data()), 0.2f);
}

TEST(Codec, quantized_distances_are_near_the_exact_ones_with_any_mean) {
  Numbers random;
  for (const Metric metric : metrics)
    for (const Quantization quantization : {Quantization::bf16, Quantization::int8})
      for (const float offset : {0.f, 10.f}) {
        const std::vector<float> mean(96, offset);
        const Codec codec(metric, 96, quantization, mean);
        std::vector<char> x(codec.record_bytes()), y(codec.record_bytes());
        for (int i = 0; i < 50; ++i) {
          auto a = random.vector(96, 1), b = random.vector(96, 1);
          for (float& component : a) component += offset;
          for (float& component : b) component += offset;
          codec.encode(a.data(), x.data());
          codec.encode(b.data(), y.data());
          EXPECT_NEAR(codec.distance(x.data(), y.data()), codec.exact(a.data(), b.data()), 1.0f);
        }
      }
}

TEST(Codec, a_vector_equal_to_the_mean_is_a_record_of_zeros) {
  const std::vector<float> mean(10, 0.5f);
  const Codec codec(Metric::l2, 10, Quantization::int8, mean);
  std::vector<char> record(codec.record_bytes());
  codec.encode(mean.data(), record.data());
  EXPECT_EQ(codec.distance(record.data(), record.data()), 0);
}

TEST(Codec, training_takes_a_finer_representation_where_int8_would_lose_neighbours) {
  // One component carries nearly all of the length, so that 8 bits leave nothing for those that tell vectors apart.
  Numbers random;
  std::vector<std::vector<float>> rows;
  std::vector<const float*> sample;
  for (int i = 0; i < 2000; ++i) {
    auto row = random.vector(64, 1);
    row[0] = i % 2 ? 1000.f : -1000.f;
    rows.push_back(std::move(row));
  }
  for (const auto& row : rows) sample.push_back(row.data());
  EXPECT_NE(Codec::trained(Metric::l2, 64, Quantization::int8, sample).quantization(), Quantization::int8);
  for (auto& row : rows) row[0] = 1000;
  EXPECT_EQ(Codec::trained(Metric::l2, 64, Quantization::int8, sample).quantization(), Quantization::int8)
      << "what all have in common goes into the mean";
  EXPECT_EQ(Codec::trained(Metric::l2, 64, Quantization::none, sample).quantization(), Quantization::none);
}

TEST(Kernels, level_names_read_back) {
  for (const Level level : levels) EXPECT_EQ(level_named(name(level)), level);
  EXPECT_EQ(level_named("mmx"), std::nullopt);
}

}  // namespace
}  // namespace stele::distance
