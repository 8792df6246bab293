// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace stele {

/// XXH3-64 of the bytes. On disk in every format of ours: never change it.
std::uint64_t checksum(std::string_view bytes) noexcept;

}  // namespace stele
