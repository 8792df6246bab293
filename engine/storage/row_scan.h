// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What backends share: reading every allowed row, and putting candidates into their final order.
#pragma once

#include "engine/storage/nearest.h"
#include "engine/storage/vector_index.h"

#include <cstddef>

namespace stele::storage {

/// Where the record of a row begins: in segments, or at first + row * stride.
struct Records {
  const Segments* segments = nullptr;
  const char* first = nullptr;
  std::size_t stride = 0;
  const char* at(Row row) const { return segments ? segments->row(row) : first + row * stride; }
};

/// How many candidates are put into order by float32 when records are quantized.
inline std::size_t rescored(std::size_t k) { return k < 1u << 30 ? std::max(3 * k, k + 16) : k; }

/// Asks for the cache lines of what will be read soon, at most sixteen: from there on the processor reads ahead itself.
inline void prefetch(const void* begin, std::size_t bytes) {
  const auto* first = static_cast<const char*>(begin);
  const char* const end = first + std::min<std::size_t>(bytes, 1024);
  for (const char* line = first - reinterpret_cast<std::uintptr_t>(first) % 64; line < end; line += 64)
    __builtin_prefetch(line);
  // To g++ a function that does nothing but this has no effect, and calls of it go.
  asm volatile("");
}

/// Every row below `rows` (and from `first` on) that the query allows and sees, by float32 alone (Strategy::exact), or by
/// its record and then the best by float32 (Strategy::scan). Polls the thread's Interrupt.
VectorHits scan_exactly(const VectorQuery& query, const distance::Codec& codec, VectorRows over, Row rows,
                        Row first = 0);
VectorHits scan_records(const VectorQuery& query, const distance::Codec& codec, VectorRows over, Row rows,
                        const Records& records);

/// The first k of the candidates by float32, nearest first. What is not quantized has its distances already.
std::vector<VectorHit> final_order(const VectorQuery& query, const distance::Codec& codec, const ExactVectors& vectors,
                                   Nearest& candidates);

/// A record of the query, living as long as the calling thread's next one.
const char* encoded(const distance::Codec& codec, std::span<const float> vector);

}  // namespace stele::storage
