// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Bytes of any kind (keys, values of caches) as JSON: a string when they are UTF-8, else {"$binary":…}. Both are read.
#pragma once

#include "tools/stele/request.h"

#include <string>
#include <string_view>

namespace stele::tool {

std::string bytes_json(std::string_view bytes);
/// `field`: the one of the request that the value stands in.
std::string bytes_from(const Request& request, std::string_view field, std::string_view json);

}  // namespace stele::tool
