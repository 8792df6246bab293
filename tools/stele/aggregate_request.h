// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tools/stele/request.h"
#include "tools/stele/session.h"

#include <string>

namespace stele::tool {

/// The explain of an aggregate; `outer` is the request that asks for it.
std::string explain_aggregate(Session& session, const Request& outer, const Request& aggregate);

}  // namespace stele::tool
