// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/database/scope.h"
#include "engine/events/streams.h"

#include <string>

namespace stele::detail {

inline events::Streams stream_verbs(const Scope& scope, const std::string& stream) {
  return events::Streams(scope.core->catalog, scope.core->segments, stream, scope.core->limits);
}

}  // namespace stele::detail
