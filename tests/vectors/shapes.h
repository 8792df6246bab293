// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Data shapes that vector indexes are tested on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace stele::vectors_test {

/// Random numbers from STELE_TEST_SEED or a fixed seed, which the test's output names.
class Numbers {
 public:
  explicit Numbers(std::uint64_t stream = 0);
  std::uint64_t next();
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>((next() >> 32) * bound >> 32); }
  float uniform() { return static_cast<float>(next() >> 40) * 0x1p-24f; }  // [0, 1)
  float normal();
  /// Components normally distributed.
  std::vector<float> vector(std::size_t dimensions, float spread);

 private:
  std::uint64_t state_;
};

enum class Data {
  clustered,       // 64 clusters, each spread along few directions
  uniform,         // no structure at all: the hardest
  duplicates,      // every vector some hundred times
  off_origin,      // one tight cluster, far away
  flat_dimensions  // half of the components are the same in all
};
inline constexpr Data all_data[] = {Data::clustered, Data::uniform, Data::duplicates, Data::off_origin,
                                    Data::flat_dimensions};
std::string name(Data data);

/// `count` vectors, of which the last are good queries, too.
std::vector<std::vector<float>> make(Data data, std::size_t count, std::size_t dimensions, Numbers& random);

}  // namespace stele::vectors_test
