// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/distance/kernels.h"

#include "engine/distance/kernels_by_level.h"

#include <cstdlib>

namespace stele::distance {

namespace {

float dot_plain(const void* a, const void* b, const void* layout) {
  const auto* x = static_cast<const float*>(a);
  const auto* y = static_cast<const float*>(b);
  float sum = 0;
  for (std::size_t i = 0; i < layout_of(layout).dimensions; ++i) sum += x[i] * y[i];
  return layout_of(layout).base - sum;
}

float l2_plain(const void* a, const void* b, const void* layout) {
  const auto* x = static_cast<const float*>(a);
  const auto* y = static_cast<const float*>(b);
  float sum = 0;
  for (std::size_t i = 0; i < layout_of(layout).dimensions; ++i) sum += (x[i] - y[i]) * (x[i] - y[i]);
  return sum;
}

float bf16_plain(const void* a, const void* b, const void* layout) {
  const Layout& shape = layout_of(layout);
  const auto* x = static_cast<const std::uint16_t*>(a);
  const auto* y = static_cast<const std::uint16_t*>(b);
  float sum = 0;
  for (std::size_t i = 0; i < shape.padded; ++i) sum += widened(x[i]) * widened(y[i]);
  return quantized(shape, tail_of(a, 2 * shape.padded), tail_of(b, 2 * shape.padded), sum);
}

float int8_plain(const void* a, const void* b, const void* layout) {
  const Layout& shape = layout_of(layout);
  const auto* x = static_cast<const std::int8_t*>(a);
  const auto* y = static_cast<const std::int8_t*>(b);
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < shape.padded; ++i) sum += x[i] * y[i];
  const Tail& ta = tail_of(a, shape.padded);
  const Tail& tb = tail_of(b, shape.padded);
  return quantized(shape, ta, tb, static_cast<float>(sum) * (ta.scale * tb.scale));
}

const Kernels& kernels_of(Level level) {
#if defined(__x86_64__)
  switch (level) {
    case Level::plain: return plain_kernels;
    case Level::sse2: return sse2_kernels;
    case Level::avx2: return avx2_kernels;
    case Level::avx512: return avx512_kernels;
  }
#endif
  static_cast<void>(level);
  return plain_kernels;
}

}  // namespace

const Kernels plain_kernels = {dot_plain, l2_plain, bf16_plain, int8_plain};

std::string_view name(Level level) {
  constexpr std::string_view names[] = {"plain", "sse2", "avx2", "avx512"};
  return names[static_cast<std::size_t>(level)];
}

std::optional<Level> level_named(std::string_view wanted) {
  for (const Level level : levels)
    if (name(level) == wanted) return level;
  return std::nullopt;
}

Level best_level() {
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni") &&
                      __builtin_cpu_supports("avx512bf16");
  return avx2 && avx512 ? Level::avx512 : avx2 ? Level::avx2 : Level::sse2;
#else
  return Level::plain;
#endif
}

Level level() {
  static const Level chosen = [] {
    const char* wanted = std::getenv("STELE_KERNELS");
    const auto named = wanted ? level_named(wanted) : std::nullopt;
    return named && *named <= best_level() ? *named : best_level();
  }();
  return chosen;
}

Distance distance_of(Quantization quantization, Metric metric, Level level) {
  const Kernels& kernels = kernels_of(level);
  switch (quantization) {
    case Quantization::bf16: return kernels.bf16;
    case Quantization::int8: return kernels.int8;
    case Quantization::none: break;
  }
  return metric == Metric::l2 ? kernels.l2 : kernels.dot;
}

}  // namespace stele::distance
