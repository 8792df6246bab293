// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/utf8.h"

#include <simdjson.h>

namespace stele {

bool is_utf8(std::string_view bytes) noexcept { return simdjson::validate_utf8(bytes.data(), bytes.size()); }

}  // namespace stele
