// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/checksum.h"

#include <xxhash.h>

namespace stele {

std::uint64_t checksum(std::string_view bytes) noexcept { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace stele
