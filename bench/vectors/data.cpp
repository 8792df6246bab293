// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "bench/vectors/data.h"

#include "engine/distance/codec.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <utility>

namespace stele::bench {

namespace {

constexpr std::uint32_t seed = 42;
constexpr std::uint32_t clusters = 256;
constexpr std::uint32_t subspaces = 8;
constexpr std::uint32_t directions = 24;
enum Stream : std::uint32_t { centres = 1, spreads = 2, base_vectors = 10, query_vectors = 11, buckets = 12 };

/// sfc32, one sequence for each (stream, item). Never draw twice in one expression.
class Sequence {
 public:
  Sequence(std::uint32_t stream, std::uint32_t item) : a_(0x9E3779B9u ^ stream), b_(item), c_(seed), d_(1) {
    for (int i = 0; i < 12; ++i) next();
  }
  std::uint32_t next() {
    const std::uint32_t drawn = a_ + b_ + d_++;
    a_ = b_ ^ (b_ >> 9);
    b_ = c_ + (c_ << 3);
    c_ = ((c_ << 21) | (c_ >> 11)) + drawn;
    return drawn;
  }
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>((std::uint64_t{next()} * bound) >> 32); }
  double uniform() { return (next() >> 8) * 0x1p-24; }
  double gauss() {  // no function of libm, so that every build agrees to the last bit
    double sum = uniform();
    sum += uniform();
    sum += uniform();
    sum += uniform();
    return (sum - 2) * 1.7320508075688772;
  }

 private:
  std::uint32_t a_, b_, c_, d_;
};

class Model {
 public:
  explicit Model(std::size_t dimensions)
      : dimensions_(dimensions), centres_(clusters * dimensions), spreads_(subspaces * directions * dimensions) {
    fill(centres_, clusters, Stream::centres, 1);
    fill(spreads_, subspaces * directions, Stream::spreads, 0.2);
  }

  void make(Stream stream, std::uint32_t item, float* out) const {
    Sequence random(stream, item);
    const std::uint32_t cluster = random.below(clusters);
    double along[directions];
    for (double& a : along) a = random.gauss();
    std::vector<double> x(dimensions_);
    for (std::size_t j = 0; j < dimensions_; ++j)
      x[j] = centres_[cluster * dimensions_ + j] + (random.uniform() - 0.5) * 1.0;
    for (std::uint32_t k = 0; k < directions; ++k) {
      const double* spread = &spreads_[(cluster % subspaces * directions + k) * dimensions_];
      for (std::size_t j = 0; j < dimensions_; ++j) x[j] += along[k] * spread[j];
    }
    double squares = 0;
    for (const double v : x) squares += v * v;
    const double length = std::sqrt(squares);
    for (std::size_t j = 0; j < dimensions_; ++j) out[j] = static_cast<float>(x[j] / length);
  }

 private:
  void fill(std::vector<double>& to, std::uint32_t rows, Stream stream, double factor) const {
    for (std::uint32_t row = 0; row < rows; ++row) {
      Sequence random(stream, row);
      for (std::size_t j = 0; j < dimensions_; ++j) to[row * dimensions_ + j] = random.gauss() * factor;
    }
  }

  std::size_t dimensions_;
  std::vector<double> centres_, spreads_;
};

template <class Body>
void in_two_threads(std::size_t count, const Body& body) {
  std::jthread other([&] {
    for (std::size_t i = 0; i < count / 2; ++i) body(i);
  });
  for (std::size_t i = count / 2; i < count; ++i) body(i);
}

void check(const VectorData& data) {
  if (data.dimensions() != 384 || data.count() < 1000) return;
  std::uint32_t hash = 2'166'136'261u;  // FNV-1a of the first 1,000
  const auto* bytes = reinterpret_cast<const unsigned char*>(data.base(0));
  for (std::size_t i = 0; i < 1000 * 384 * sizeof(float); ++i) hash = (hash ^ bytes[i]) * 16'777'619u;
  if (hash != 1'199'201'356u) throw std::logic_error("the generator's vectors are not those of other builds");
}

}  // namespace

VectorData::VectorData(std::size_t dimensions, std::size_t count, std::size_t queries)
    : dimensions_(dimensions), base_(count * dimensions), queries_(queries * dimensions) {
  const Model model(dimensions);
  in_two_threads(count, [&](std::size_t i) {
    model.make(Stream::base_vectors, static_cast<std::uint32_t>(i), &base_[i * dimensions]);
  });
  in_two_threads(queries, [&](std::size_t i) {
    model.make(Stream::query_vectors, static_cast<std::uint32_t>(i), &queries_[i * dimensions]);
  });
  check(*this);
}

std::uint32_t VectorData::bucket(std::uint32_t i) { return Sequence(Stream::buckets, i).below(100); }

std::vector<std::vector<std::uint32_t>> VectorData::truth(std::size_t k, const std::vector<bool>& allowed) const {
  const distance::Codec exact(distance::Metric::cosine, dimensions_, distance::Quantization::none);
  std::vector<std::vector<std::uint32_t>> nearest(queries());
  in_two_threads(queries(), [&](std::size_t q) {
    std::vector<std::pair<float, std::uint32_t>> all;
    for (std::uint32_t i = 0; i < count(); ++i)
      if (allowed.empty() || allowed[i]) all.emplace_back(exact.exact(query(q), base(i)), i);
    const std::size_t most = std::min(k, all.size());
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(most), all.end());
    for (std::size_t i = 0; i < most; ++i) nearest[q].push_back(all[i].second);
  });
  return nearest;
}

}  // namespace stele::bench
