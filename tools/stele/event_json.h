// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stele/events.h>

#include "tools/stele/event_time.h"

#include <string>

namespace stele::tool {

/// {"offset":…,"time":…,"key":…,"data":…}; a key that is not UTF-8 is {"$binary":…}.
std::string event_json(const Event& event);

}  // namespace stele::tool
