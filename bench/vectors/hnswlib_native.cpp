// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Compiled with -O3 -march=native.
#define hnswlib hnswlib_native
#define cpuid cpuid_native
#define xgetbv xgetbv_native
#define AVXCapable AVXCapable_native
#define AVX512Capable AVX512Capable_native
#define Peer Peer_native
#include "bench/vectors/hnswlib_peer.h"

namespace stele::bench {

std::unique_ptr<Engine> make_hnswlib_native(Shape shape) { return std::make_unique<Peer>("hnswlib native", shape); }

}  // namespace stele::bench
