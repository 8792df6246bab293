// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace stele::tool {

extern const char* const main_help;
extern const char* const check_help;
/// With every operation and an example of it.
std::string exec_help();

}  // namespace stele::tool
