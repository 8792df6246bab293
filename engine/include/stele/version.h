// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#define STELE_VERSION_MAJOR 0
#define STELE_VERSION_MINOR 1
#define STELE_VERSION_PATCH 0

namespace stele {
/// The library's version at run time, "0.1.0".
const char* version() noexcept;
}  // namespace stele
