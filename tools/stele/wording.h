// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The engine's messages speak to C++ programs. Here the cures they name become the requests and options of this
// program.
#pragma once

#include <stele/error.h>

#include <string>

namespace stele::tool {

/// The message without its code in front (that is said beside it), in this program's words.
std::string wording(const Error& error);

/// One line, or several with their ends kept; what would move a terminal's cursor is '?'.
enum class Lines : unsigned char { one, kept };
std::string printable(std::string text, Lines lines);

}  // namespace stele::tool
