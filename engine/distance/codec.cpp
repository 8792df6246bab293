// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/distance/codec.h"

#include "engine/distance/kernels_by_level.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

namespace stele::distance {

namespace {

constexpr std::size_t top = 10;
constexpr std::size_t candidates = 30;
constexpr std::size_t queries_max = 128;
constexpr double kept_least = 0.995;
constexpr float integers = 0x1.8p23f;  // added, it rounds to nearest even: the lowest bits are the integer's

std::uint16_t narrowed(float value) {  // to nearest even
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}
float squared(const std::vector<float>& v) {
  double sum = 0;
  for (const float x : v) sum += double{x} * x;
  return static_cast<float>(sum);
}

/// Distances of float32 from one of the sample to all, ascending, and what the records' first `candidates` give.
double share_kept(const Codec& codec, std::span<const float* const> sample, const std::vector<char>& records,
                  std::size_t query) {
  const std::size_t bytes = codec.record_bytes();
  std::vector<float> exact(sample.size());
  std::vector<std::pair<float, std::size_t>> by_record(sample.size());
  for (std::size_t i = 0; i < sample.size(); ++i) {
    exact[i] = codec.exact(sample[query], sample[i]);
    by_record[i] = {codec.distance(&records[query * bytes], &records[i * bytes]), i};
  }
  const std::size_t wide = std::min(candidates, sample.size());
  const std::size_t narrow = std::min(top, sample.size());
  std::partial_sort(by_record.begin(), by_record.begin() + wide, by_record.end());
  std::vector<float> found(wide);
  for (std::size_t i = 0; i < wide; ++i) found[i] = exact[by_record[i].second];
  std::sort(found.begin(), found.end());
  std::partial_sort(exact.begin(), exact.begin() + narrow, exact.end());
  std::size_t kept = 0;
  for (std::size_t i = 0; i < narrow; ++i) kept += found[i] <= exact[i];
  return static_cast<double>(kept) / static_cast<double>(narrow);
}

}  // namespace

Codec::Codec(Metric metric, std::size_t dimensions, Quantization quantization, std::vector<float> mean, Level level)
    : metric_(metric),
      quantization_(quantization),
      kernel_(distance_of(quantization, metric, level)),
      exact_(distance_of(Quantization::none, metric, level)),
      mean_(std::move(mean)) {
  const float one = metric == Metric::cosine ? 1 : 0;
  exact_layout_ = {dimensions, dimensions, one, 1};
  layout_ = exact_layout_;
  record_bytes_ = dimensions * sizeof(float);
  if (quantization == Quantization::none) {
    mean_.clear();
    return;
  }
  mean_.resize(dimensions);
  layout_.padded = (dimensions + 63) / 64 * 64;
  layout_.base = metric == Metric::l2 ? 0 : one - squared(mean_);
  layout_.factor = metric == Metric::l2 ? 2 : 1;
  record_bytes_ = layout_.padded * (quantization == Quantization::bf16 ? 2 : 1) + sizeof(Tail);
}

Codec Codec::trained(Metric metric, std::size_t dimensions, Quantization wanted, std::span<const float* const> sample,
                     Level level) {
  std::vector<double> sums(dimensions);
  for (const float* vector : sample)
    for (std::size_t i = 0; i < dimensions; ++i) sums[i] += vector[i];
  std::vector<float> mean(dimensions);
  for (std::size_t i = 0; i < dimensions && !sample.empty(); ++i)
    mean[i] = static_cast<float>(sums[i] / static_cast<double>(sample.size()));
  for (const Quantization quantization : {Quantization::int8, Quantization::bf16}) {
    if (quantization > wanted) continue;
    Codec codec(metric, dimensions, quantization, mean, level);
    if (keeps_neighbours(codec, sample)) return codec;
  }
  return Codec(metric, dimensions, Quantization::none, {}, level);
}

void Codec::encode(const float* vector, char* record) const {
  const std::size_t n = layout_.dimensions;
  if (quantization_ == Quantization::none) {
    std::memcpy(record, vector, n * sizeof(float));
    return;
  }
  thread_local std::vector<float> rest;
  rest.resize(n);
  float largest = 0;
  float along_mean = 0;
  for (std::size_t i = 0; i < n; ++i) {
    rest[i] = vector[i] - mean_[i];
    largest = std::max(largest, std::fabs(rest[i]));
    along_mean += rest[i] * mean_[i];
  }
  Tail tail{0, 0, -along_mean};
  float length = 0;  // squared, of the components as kept
  std::size_t component_bytes = layout_.padded;
  if (quantization_ == Quantization::bf16) {
    component_bytes *= 2;
    std::vector<std::uint16_t> halves(layout_.padded);
    for (std::size_t i = 0; i < n; ++i) {
      halves[i] = narrowed(rest[i]);
      length += widened(halves[i]) * widened(halves[i]);
    }
    std::memcpy(record, halves.data(), component_bytes);
  } else {
    // The inverse of a denormal is infinite: such a rest is as good as none.
    const float up = largest > 1e-30f ? 127 / largest : 0;
    tail.scale = up > 0 ? largest / 127 : 0;
    auto* out = reinterpret_cast<std::int8_t*>(record);
    std::int32_t squares = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const auto component = static_cast<std::int8_t>(std::bit_cast<std::uint32_t>(rest[i] * up + integers));
      out[i] = component;
      tail.sum += component;
      squares += component * component;
    }
    std::memset(out + n, 0, layout_.padded - n);
    length = static_cast<float>(squares) * (tail.scale * tail.scale);
  }
  if (metric_ == Metric::l2) tail.offset = length;
  std::memcpy(record + component_bytes, &tail, sizeof tail);
}

bool keeps_neighbours(const Codec& codec, std::span<const float* const> sample) {
  if (sample.empty()) return true;
  std::vector<char> records(sample.size() * codec.record_bytes());
  for (std::size_t i = 0; i < sample.size(); ++i) codec.encode(sample[i], &records[i * codec.record_bytes()]);
  const std::size_t queries = std::min(queries_max, sample.size());
  double kept = 0;
  for (std::size_t q = 0; q < queries; ++q) kept += share_kept(codec, sample, records, q * sample.size() / queries);
  return kept >= kept_least * static_cast<double>(queries);
}

}  // namespace stele::distance
