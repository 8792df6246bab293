// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// SSE2, AVX2 and AVX-512. Each function is compiled for its own instruction set, and only ever called after
// best_level() found it. A lambda does not inherit the attribute, so there are none here.
#include "engine/distance/kernels_by_level.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma GCC diagnostic ignored "-Wuninitialized"  // in g++ 12's own intrinsics (GCC bug 105593)

// Helpers take on their caller's instruction set. Called, they would mix legacy SSE with dirty upper halves of the
// registers, which took 100 ns a call.
#define STELE_HELPER __attribute__((always_inline)) inline
#define STELE_AVX2 __attribute__((target("avx2,fma")))
#define STELE_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx512bf16")))

namespace stele::distance {

namespace {

STELE_HELPER float int8_distance(const Layout& shape, const void* a, const void* b, std::int32_t dot) {
  const Tail& ta = tail_of(a, shape.padded);
  const Tail& tb = tail_of(b, shape.padded);
  return quantized(shape, ta, tb, static_cast<float>(dot) * (ta.scale * tb.scale));
}
STELE_HELPER float bf16_distance(const Layout& shape, const void* a, const void* b, float dot) {
  return quantized(shape, tail_of(a, 2 * shape.padded), tail_of(b, 2 * shape.padded), dot);
}

// SSE2

STELE_HELPER float sum_of(__m128 v) {
  v = _mm_add_ps(v, _mm_movehl_ps(v, v));
  return _mm_cvtss_f32(_mm_add_ss(v, _mm_shuffle_ps(v, v, 1)));
}
STELE_HELPER std::int32_t sum_of(__m128i v) {
  v = _mm_add_epi32(v, _mm_shuffle_epi32(v, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(v, _mm_shuffle_epi32(v, 0xb1)));
}
STELE_HELPER __m128i load(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }

float dot_sse2(const void* a, const void* b, const void* layout) {
  const std::size_t n = layout_of(layout).dimensions;
  const auto* x = static_cast<const float*>(a);
  const auto* y = static_cast<const float*>(b);
  __m128 s0 = _mm_setzero_ps(), s1 = s0;
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    s0 = _mm_add_ps(s0, _mm_mul_ps(_mm_loadu_ps(x + i), _mm_loadu_ps(y + i)));
    s1 = _mm_add_ps(s1, _mm_mul_ps(_mm_loadu_ps(x + i + 4), _mm_loadu_ps(y + i + 4)));
  }
  float sum = sum_of(_mm_add_ps(s0, s1));
  for (; i < n; ++i) sum += x[i] * y[i];
  return layout_of(layout).base - sum;
}

float l2_sse2(const void* a, const void* b, const void* layout) {
  const std::size_t n = layout_of(layout).dimensions;
  const auto* x = static_cast<const float*>(a);
  const auto* y = static_cast<const float*>(b);
  __m128 s0 = _mm_setzero_ps(), s1 = s0;
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m128 d0 = _mm_sub_ps(_mm_loadu_ps(x + i), _mm_loadu_ps(y + i));
    const __m128 d1 = _mm_sub_ps(_mm_loadu_ps(x + i + 4), _mm_loadu_ps(y + i + 4));
    s0 = _mm_add_ps(s0, _mm_mul_ps(d0, d0));
    s1 = _mm_add_ps(s1, _mm_mul_ps(d1, d1));
  }
  float sum = sum_of(_mm_add_ps(s0, s1));
  for (; i < n; ++i) sum += (x[i] - y[i]) * (x[i] - y[i]);
  return sum;
}

float bf16_sse2(const void* a, const void* b, const void* layout) {
  const Layout& shape = layout_of(layout);
  const auto* x = static_cast<const std::uint16_t*>(a);
  const auto* y = static_cast<const std::uint16_t*>(b);
  const __m128i zero = _mm_setzero_si128();
  __m128 s0 = _mm_setzero_ps(), s1 = s0;
  for (std::size_t i = 0; i < shape.padded; i += 8) {
    const __m128i vx = load(x + i), vy = load(y + i);
    s0 = _mm_add_ps(
        s0, _mm_mul_ps(_mm_castsi128_ps(_mm_unpacklo_epi16(zero, vx)), _mm_castsi128_ps(_mm_unpacklo_epi16(zero, vy))));
    s1 = _mm_add_ps(
        s1, _mm_mul_ps(_mm_castsi128_ps(_mm_unpackhi_epi16(zero, vx)), _mm_castsi128_ps(_mm_unpackhi_epi16(zero, vy))));
  }
  return bf16_distance(shape, a, b, sum_of(_mm_add_ps(s0, s1)));
}

float int8_sse2(const void* a, const void* b, const void* layout) {
  const Layout& shape = layout_of(layout);
  const auto* x = static_cast<const std::int8_t*>(a);
  const auto* y = static_cast<const std::int8_t*>(b);
  __m128i s0 = _mm_setzero_si128(), s1 = s0;
  for (std::size_t i = 0; i < shape.padded; i += 16) {
    const __m128i vx = load(x + i), vy = load(y + i);
    const __m128i x_low = _mm_srai_epi16(_mm_unpacklo_epi8(vx, vx), 8);
    const __m128i y_low = _mm_srai_epi16(_mm_unpacklo_epi8(vy, vy), 8);
    const __m128i x_high = _mm_srai_epi16(_mm_unpackhi_epi8(vx, vx), 8);
    const __m128i y_high = _mm_srai_epi16(_mm_unpackhi_epi8(vy, vy), 8);
    s0 = _mm_add_epi32(s0, _mm_madd_epi16(x_low, y_low));
    s1 = _mm_add_epi32(s1, _mm_madd_epi16(x_high, y_high));
  }
  return int8_distance(shape, a, b, sum_of(_mm_add_epi32(s0, s1)));
}

// AVX2

STELE_AVX2 STELE_HELPER float sum_of(__m256 v) {
  return sum_of(_mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1)));
}
STELE_AVX2 STELE_HELPER __m256i load32(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }

STELE_AVX2 float dot_avx2(const void* a, const void* b, const void* layout) {
  const std::size_t n = layout_of(layout).dimensions;
  const auto* x = static_cast<const float*>(a);
  const auto* y = static_cast<const float*>(b);
  __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
  std::size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    s0 = _mm256_fmadd_ps(_mm256_loadu_ps(x + i), _mm256_loadu_ps(y + i), s0);
    s1 = _mm256_fmadd_ps(_mm256_loadu_ps(x + i + 8), _mm256_loadu_ps(y + i + 8), s1);
    s2 = _mm256_fmadd_ps(_mm256_loadu_ps(x + i + 16), _mm256_loadu_ps(y + i + 16), s2);
    s3 = _mm256_fmadd_ps(_mm256_loadu_ps(x + i + 24), _mm256_loadu_ps(y + i + 24), s3);
  }
  for (; i + 8 <= n; i += 8) s0 = _mm256_fmadd_ps(_mm256_loadu_ps(x + i), _mm256_loadu_ps(y + i), s0);
  float sum = sum_of(_mm256_add_ps(_mm256_add_ps(s0, s1), _mm256_add_ps(s2, s3)));
  for (; i < n; ++i) sum += x[i] * y[i];
  return layout_of(layout).base - sum;
}

STELE_AVX2 float l2_avx2(const void* a, const void* b, const void* layout) {
  const std::size_t n = layout_of(layout).dimensions;
  const auto* x = static_cast<const float*>(a);
  const auto* y = static_cast<const float*>(b);
  __m256 s0 = _mm256_setzero_ps(), s1 = s0;
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const __m256 d0 = _mm256_sub_ps(_mm256_loadu_ps(x + i), _mm256_loadu_ps(y + i));
    const __m256 d1 = _mm256_sub_ps(_mm256_loadu_ps(x + i + 8), _mm256_loadu_ps(y + i + 8));
    s0 = _mm256_fmadd_ps(d0, d0, s0);
    s1 = _mm256_fmadd_ps(d1, d1, s1);
  }
  float sum = sum_of(_mm256_add_ps(s0, s1));
  for (; i < n; ++i) sum += (x[i] - y[i]) * (x[i] - y[i]);
  return sum;
}

STELE_AVX2 STELE_HELPER __m256 widened(const std::uint16_t* p) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(load(p)), 16));
}

STELE_AVX2 float bf16_avx2(const void* a, const void* b, const void* layout) {
  const Layout& shape = layout_of(layout);
  const auto* x = static_cast<const std::uint16_t*>(a);
  const auto* y = static_cast<const std::uint16_t*>(b);
  __m256 s0 = _mm256_setzero_ps(), s1 = s0;
  for (std::size_t i = 0; i < shape.padded; i += 16) {
    s0 = _mm256_fmadd_ps(widened(x + i), widened(y + i), s0);
    s1 = _mm256_fmadd_ps(widened(x + i + 8), widened(y + i + 8), s1);
  }
  return bf16_distance(shape, a, b, sum_of(_mm256_add_ps(s0, s1)));
}

// |x| times y with x's sign: maddubs wants one operand unsigned. Two products of at most 127 * 127 fit its 16 bits.
STELE_AVX2 STELE_HELPER __m256i products(__m256i x, __m256i y) {
  return _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_abs_epi8(x), _mm256_sign_epi8(y, x)), _mm256_set1_epi16(1));
}

STELE_AVX2 float int8_avx2(const void* a, const void* b, const void* layout) {
  const Layout& shape = layout_of(layout);
  const auto* x = static_cast<const char*>(a);
  const auto* y = static_cast<const char*>(b);
  __m256i s0 = _mm256_setzero_si256(), s1 = s0;
  for (std::size_t i = 0; i < shape.padded; i += 64) {
    s0 = _mm256_add_epi32(s0, products(load32(x + i), load32(y + i)));
    s1 = _mm256_add_epi32(s1, products(load32(x + i + 32), load32(y + i + 32)));
  }
  const __m256i sum = _mm256_add_epi32(s0, s1);
  return int8_distance(shape, a, b,
                       sum_of(_mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1))));
}

// AVX-512

STELE_AVX512 float dot_avx512(const void* a, const void* b, const void* layout) {
  const std::size_t n = layout_of(layout).dimensions;
  const auto* x = static_cast<const float*>(a);
  const auto* y = static_cast<const float*>(b);
  __m512 s0 = _mm512_setzero_ps(), s1 = s0;
  std::size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    s0 = _mm512_fmadd_ps(_mm512_loadu_ps(x + i), _mm512_loadu_ps(y + i), s0);
    s1 = _mm512_fmadd_ps(_mm512_loadu_ps(x + i + 16), _mm512_loadu_ps(y + i + 16), s1);
  }
  for (; i < n; i += 16) {
    const __mmask16 rest = n - i >= 16 ? __mmask16(0xffff) : __mmask16((1u << (n - i)) - 1);
    s0 = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(rest, x + i), _mm512_maskz_loadu_ps(rest, y + i), s0);
  }
  return layout_of(layout).base - _mm512_reduce_add_ps(_mm512_add_ps(s0, s1));
}

STELE_AVX512 float l2_avx512(const void* a, const void* b, const void* layout) {
  const std::size_t n = layout_of(layout).dimensions;
  const auto* x = static_cast<const float*>(a);
  const auto* y = static_cast<const float*>(b);
  __m512 sum = _mm512_setzero_ps();
  for (std::size_t i = 0; i < n; i += 16) {
    const __mmask16 rest = n - i >= 16 ? __mmask16(0xffff) : __mmask16((1u << (n - i)) - 1);
    const __m512 d = _mm512_sub_ps(_mm512_maskz_loadu_ps(rest, x + i), _mm512_maskz_loadu_ps(rest, y + i));
    sum = _mm512_fmadd_ps(d, d, sum);
  }
  return _mm512_reduce_add_ps(sum);
}

STELE_AVX512 float bf16_avx512(const void* a, const void* b, const void* layout) {
  const Layout& shape = layout_of(layout);
  const auto* x = static_cast<const std::uint16_t*>(a);
  const auto* y = static_cast<const std::uint16_t*>(b);
  __m512 s0 = _mm512_setzero_ps(), s1 = s0;
  for (std::size_t i = 0; i < shape.padded; i += 64) {
    s0 = _mm512_dpbf16_ps(s0, reinterpret_cast<__m512bh>(_mm512_loadu_si512(x + i)),
                          reinterpret_cast<__m512bh>(_mm512_loadu_si512(y + i)));
    s1 = _mm512_dpbf16_ps(s1, reinterpret_cast<__m512bh>(_mm512_loadu_si512(x + i + 32)),
                          reinterpret_cast<__m512bh>(_mm512_loadu_si512(y + i + 32)));
  }
  return bf16_distance(shape, a, b, _mm512_reduce_add_ps(_mm512_add_ps(s0, s1)));
}

// dpbusd wants one operand unsigned: y + 128, and 128 times the sum of x is taken off at the end.
STELE_AVX512 float int8_avx512(const void* a, const void* b, const void* layout) {
  const Layout& shape = layout_of(layout);
  const auto* x = static_cast<const char*>(a);
  const auto* y = static_cast<const char*>(b);
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(0x80));
  __m512i sum = _mm512_setzero_si512();
  for (std::size_t i = 0; i < shape.padded; i += 64)
    sum = _mm512_dpbusd_epi32(sum, _mm512_xor_si512(_mm512_loadu_si512(y + i), flip), _mm512_loadu_si512(x + i));
  return int8_distance(shape, a, b, _mm512_reduce_add_epi32(sum) - 128 * tail_of(a, shape.padded).sum);
}

}  // namespace

const Kernels sse2_kernels = {dot_sse2, l2_sse2, bf16_sse2, int8_sse2};
const Kernels avx2_kernels = {dot_avx2, l2_avx2, bf16_avx2, int8_avx2};
const Kernels avx512_kernels = {dot_avx512, l2_avx512, bf16_avx512, int8_avx512};

}  // namespace stele::distance
#endif
