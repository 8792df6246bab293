// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tools/stele/request.h"
#include "tools/stele/session.h"

#include <string>

namespace stele::tool {

/// The explain of a search: how it went, how its filter reached the documents, and its index. `outer` is the request
/// that asks for it.
std::string explain_search(Session& session, const Request& outer, const Request& search);

}  // namespace stele::tool
