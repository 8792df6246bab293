// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// How vectors become records (kernels.h). Quantized components are those of r = v - mean: a cluster far from the origin
// would otherwise spend its 8 bits on what all vectors have in common. With m = mean, for cosine and ip
//
//   a . b = m.m + m.ra + m.rb + ra.rb     base = (cosine: 1, ip: 0) - m.m   offset = -(m.r)   factor = 1
//
// and for l2, where the mean cancels out,
//
//   |a - b|^2 = |ra|^2 + |rb|^2 - 2 ra.rb     base = 0   offset = |r|^2 of the components as kept   factor = 2
//
// int8 is symmetric, with a scale a vector: component = round(r * 127 / max |r|).
#pragma once

#include "engine/distance/kernels.h"

#include <span>
#include <vector>

namespace stele::distance {

/// A value; const calls from any thread.
class Codec {
 public:
  /// `mean`: dimensions floats, or empty for the origin. Not used by Quantization::none.
  Codec(Metric metric, std::size_t dimensions, Quantization quantization, std::vector<float> mean = {},
        Level level = distance::level());

  /// With the mean of the sample, and the wanted quantization or, when that fails keeps_neighbours() on the sample, the
  /// next finer one.
  static Codec trained(Metric metric, std::size_t dimensions, Quantization wanted, std::span<const float* const> sample,
                       Level level = distance::level());

  Quantization quantization() const { return quantization_; }
  Metric metric() const { return metric_; }
  std::size_t dimensions() const { return layout_.dimensions; }
  const std::vector<float>& mean() const { return mean_; }
  const Layout& layout() const { return layout_; }
  Distance kernel() const { return kernel_; }

  std::size_t record_bytes() const { return record_bytes_; }
  void encode(const float* vector, char* record) const;
  float distance(const char* a, const char* b) const { return kernel_(a, b, &layout_); }

  /// The distance of two vectors by their float32 components; no records.
  float exact(const float* a, const float* b) const { return exact_(a, b, &exact_layout_); }

 private:
  Metric metric_;
  Quantization quantization_;
  Layout layout_;
  Layout exact_layout_;
  Distance kernel_;
  Distance exact_;
  std::vector<float> mean_;
  std::size_t record_bytes_;
};

/// Whether the 30 nearest by records hold the 10 nearest by float32, to 99.5 % over up to 128 of the sample as queries.
/// A neighbour that is as near as the true one counts, so that equal vectors do no harm.
bool keeps_neighbours(const Codec& codec, std::span<const float* const> sample);

}  // namespace stele::distance
