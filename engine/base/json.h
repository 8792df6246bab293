// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The one gate through which JSON text comes in. Whatever passed is valid in every byte, so the
// code behind it (simdjson's On-Demand, which looks only at what it is asked for) may trust it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stele::json {

struct Limits {
  std::size_t bytes_max = 16u << 20;
  std::uint32_t depth_max = 128;  // containers inside each other; at most 1000
};

/// Where a member of the outermost object stands in the minified text: `"name":value`.
struct Member {
  std::size_t begin = 0;  // the name's opening quote
  std::size_t value = 0;
  std::size_t end = 0;    // one past the value
};

/// What the pass notices on its way, so that later checks need not read the text again.
struct Facts {
  std::string_view watched_name;  // in: a member of the outermost object to look for
  std::optional<Member> watched;  // out
  bool is_object = false;         // out: the outermost value is an object
  bool special_names = false;     // out: some name, at any depth, begins with '$' or holds '.' or NUL
};

/// Validates all of `text` and returns it without blanks between tokens. Numbers and the escapes
/// in strings stay exactly as written. Refuses, as `invalid` with detail "reason" and "offset":
/// anything outside RFC 8259, a byte order mark, bad UTF-8, lone surrogates, a name twice in one
/// object, integers beyond int64 and doubles beyond their range; and, as `too_large` with detail
/// "limit", what exceeds the limits. `what` names the text in messages: "document", "filter".
std::string minify(std::string_view text, const Limits& limits, std::string_view what, Facts* facts = nullptr);

/// Writes `text` (UTF-8) as a JSON string with its quotes.
void append_quoted(std::string& out, std::string_view text);

/// The text of a JSON string (with its quotes) that passed minify().
std::string unquoted(std::string_view quoted);

/// The value of a JSON number that passed minify(); what is too small for a double is a zero.
double to_double(std::string_view number);

}  // namespace stele::json
