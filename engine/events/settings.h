// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What a stream's definition holds beside its id, as a JSON object; members that say nothing are left out:
//   {"retention":{"age_ms":…,"bytes":…,"count":…},
//    "windows":[{"id":…,"name":…,"width_us":…,"by_key":…,"aggregates":{…},"retention_us":…,"fill_to":…}]}
#pragma once

#include "engine/events/windows.h"

#include <stele/events.h>

#include <string>
#include <string_view>
#include <vector>

namespace stele::events {

struct Settings {
  StreamOptions options;
  std::vector<Window> windows;

  const Window* window(std::string_view name) const;
};

/// Empty when they say nothing.
std::string to_json(const Settings& settings);
/// `corrupt` for what to_json() does not write.
Settings parse_settings(std::string_view json);

}  // namespace stele::events
