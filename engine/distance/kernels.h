// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Distances between two records. A record is what a vector becomes for searching:
//
//   none   float32[dimensions]
//   bf16   uint16[padded] | float 0 | int32 0 | float offset
//   int8   int8[padded]   | float scale | int32 sum of the components | float offset
//
// `padded` is the next multiple of 64, filled with zeros; components of int8 lie in [-127, 127]. A quantized distance
// is base + offset a + offset b - factor * (a . b), which serves all metrics (codec.h), so that one dot product per
// representation is all that is written per instruction set. Every level gives the same integers, and the same
// floats up to the order of summation. Records are aligned as floats are. Pure functions, for any thread.
#pragma once

#include "engine/distance/metric.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace stele::distance {

struct Layout {
  std::size_t dimensions = 0;
  std::size_t padded = 0;
  float base = 0;
  float factor = 1;
};

/// What follows the components of a quantized record.
struct __attribute__((packed, may_alias)) Tail {
  float scale;
  std::int32_t sum;
  float offset;
};

/// The distance of two records; `layout` is a Layout. Untyped, as hnswlib calls it.
using Distance = float (*)(const void* a, const void* b, const void* layout);

/// What the processor offers; each level includes those before it.
enum class Level : std::uint8_t {
  plain,   // no intrinsics
  sse2,    // every x86-64
  avx2,    // and FMA
  avx512,  // F, BW, VL, VNNI and BF16
};
inline constexpr Level levels[] = {Level::plain, Level::sse2, Level::avx2, Level::avx512};

std::string_view name(Level level);
std::optional<Level> level_named(std::string_view name);

/// The best one this processor has.
Level best_level();
/// best_level(), or what the environment variable STELE_KERNELS names ("plain", "sse2", "avx2", "avx512") when the
/// processor has that. Read once.
Level level();

/// float32: dot products are negated and `base` is added; l2 ignores base and factor.
Distance distance_of(Quantization quantization, Metric metric, Level level);

}  // namespace stele::distance
