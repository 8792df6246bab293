// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bench/vectors/data.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace stele::bench {

/// What is compared. Searches from one thread.
class Engine {
 public:
  virtual ~Engine() = default;
  virtual std::string name() const = 0;
  virtual void build(const VectorData& data, unsigned threads) = 0;
  virtual void allow(const std::vector<bool>& allowed) = 0;  // for search(filtered)
  /// Rows, nearest first; at most k.
  virtual void search(const float* query, std::size_t k, std::size_t ef, bool filtered,
                      std::vector<std::uint32_t>& out) = 0;
  virtual double bytes_per_vector() const = 0;
  /// Puts the vector of row `from` in the place of row `at`.
  virtual void replace(std::uint32_t at, std::uint32_t from) = 0;
};

struct Shape {
  unsigned m = 16;
  unsigned ef_construction = 200;
};

std::unique_ptr<Engine> make_stele(Shape shape);
std::unique_ptr<Engine> make_facade(Shape shape);            // the same through a database on disk
std::unique_ptr<Engine> make_hnswlib_native(Shape shape);    // -O3 -march=native
std::unique_ptr<Engine> make_hnswlib_portable(Shape shape);  // -O3
std::unique_ptr<Engine> make_float_scan();                   // every (allowed) row by float32, our kernel

}  // namespace stele::bench
