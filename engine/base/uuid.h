// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace stele {

/// A random UUID (RFC 9562, version 4) as its 36 lower-case characters.
std::string uuid_v4();

/// A UUID that begins with the time in milliseconds (version 7). Later calls of one thread give
/// greater texts, also within a millisecond and when the clock steps back.
std::string uuid_v7();

/// 36 characters as the functions above write them.
bool is_uuid(std::string_view text);

using UuidBytes = std::array<unsigned char, 16>;
/// Of a text that is_uuid().
UuidBytes uuid_bytes(std::string_view text);
std::string uuid_text(const UuidBytes& bytes);

}  // namespace stele
