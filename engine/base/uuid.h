// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace stele {

/// A random UUID (RFC 9562, version 4) as its 36 lower-case characters.
std::string uuid_v4();

/// A UUID that begins with the time in milliseconds (version 7). Later calls of one thread give
/// greater texts, also within a millisecond and when the clock steps back.
std::string uuid_v7();

}  // namespace stele
