// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// An event's time as JSON: {"$date":"2024-01-02T03:04:05.678Z"}, with six digits when it has microseconds;
// outside the years 0 to 9999 an integer of microseconds since 1970. Both are read.
#pragma once

#include <stele/events.h>

#include "tools/stele/request.h"

#include <optional>
#include <string>
#include <string_view>

namespace stele::tool {

std::string time_json(Timestamp time);
/// Empty when it is neither.
std::optional<Timestamp> read_time(std::string_view json);
/// Of a request; empty when it has none.
std::optional<Timestamp> time_field(const Request& request, std::string_view field);

}  // namespace stele::tool
