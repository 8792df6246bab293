// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Where the instruction sets' files meet kernels.cpp.
#pragma once

#include "engine/distance/kernels.h"

#include <bit>

namespace stele::distance {

struct Kernels {
  Distance dot;  // float32
  Distance l2;   // float32
  Distance bf16;
  Distance int8;
};

extern const Kernels plain_kernels;
#if defined(__x86_64__)
extern const Kernels sse2_kernels;
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;
#endif

/// A bf16 as the float32 it is the upper half of.
inline float widened(std::uint16_t half) { return std::bit_cast<float>(std::uint32_t{half} << 16); }

__attribute__((always_inline)) inline const Layout& layout_of(const void* layout) {
  return *static_cast<const Layout*>(layout);
}

__attribute__((always_inline)) inline const Tail& tail_of(const void* record, std::size_t component_bytes) {
  return *reinterpret_cast<const Tail*>(static_cast<const char*>(record) + component_bytes);
}

__attribute__((always_inline)) inline float quantized(const Layout& layout, const Tail& a, const Tail& b, float dot) {
  return layout.base + (a.offset + b.offset) - layout.factor * dot;
}

}  // namespace stele::distance
