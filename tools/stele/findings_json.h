// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stele/check.h>

#include <string>
#include <vector>

namespace stele::tool {

/// [{"severity":"damage","part":"kv","message":"…"}, …]
std::string findings_json(const std::vector<Finding>& findings);

}  // namespace stele::tool
