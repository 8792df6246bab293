// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace stele {

/// True for valid UTF-8: no overlong forms, no surrogates.
bool is_utf8(std::string_view bytes) noexcept;

}  // namespace stele
