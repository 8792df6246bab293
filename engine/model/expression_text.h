// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// UTF-8 by characters, and values as text. Strings are valid UTF-8: they came through json::minify().
#pragma once

#include "engine/model/value.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::model {

/// True when the byte at `at` is inside a character.
inline bool is_continuation(std::string_view utf8, std::size_t at) {
  return at < utf8.size() && (static_cast<unsigned char>(utf8[at]) & 0xC0) == 0x80;
}

std::size_t code_points(std::string_view utf8);
/// The byte `count` characters behind the byte `from`, at most the end.
std::size_t advance(std::string_view utf8, std::size_t from, std::size_t count);
/// Its characters, each once for each time.
std::vector<std::string_view> characters(std::string_view utf8);

/// What $toString gives; empty for objects, arrays and binaries.
std::optional<std::string> text_of(const Value& value);

}  // namespace stele::model
