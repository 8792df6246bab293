// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What a stream's definition holds beside its id, as a JSON object; members that say nothing are left out:
//   {"retention":{"age_ms":…,"bytes":…,"count":…}}
#pragma once

#include <stele/events.h>

#include <string>
#include <string_view>

namespace stele::events {

std::string to_json(const StreamOptions& options);
/// `corrupt` for what to_json() does not write.
StreamOptions parse_options(std::string_view json);

}  // namespace stele::events
