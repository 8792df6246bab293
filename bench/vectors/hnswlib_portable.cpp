// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Compiled with -O3.
#define hnswlib hnswlib_portable
#define cpuid cpuid_portable
#define xgetbv xgetbv_portable
#define AVXCapable AVXCapable_portable
#define AVX512Capable AVX512Capable_portable
#define Peer Peer_portable
#include "bench/vectors/hnswlib_peer.h"

namespace stele::bench {

std::unique_ptr<Engine> make_hnswlib_portable(Shape shape) { return std::make_unique<Peer>("hnswlib portable", shape); }

}  // namespace stele::bench
