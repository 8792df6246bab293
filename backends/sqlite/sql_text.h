// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The little that is read from SQL text without SQLite: its first keyword, what stands after the
// statement, and a few words that no callback reports.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace stele::sqlite {

/// Offset of the first byte that is not valid UTF-8 (overlong forms and surrogates are not).
std::optional<std::size_t> invalid_utf8(std::string_view bytes);

/// The statement's first keyword in upper case, past blanks, comments, semicolons and EXPLAIN
/// [QUERY PLAN]. Empty when there is none.
std::string first_keyword(std::string_view sql);

/// True when only blanks, comments and semicolons are left.
bool only_blanks(std::string_view sql);

/// True when `second` follows `first` as the next word (both in upper case), outside strings,
/// quoted names and comments.
bool has_words(std::string_view sql, std::string_view first, std::string_view second);

/// True for the names that belong to the engine: _stele_…, in any case.
bool is_internal_name(std::string_view name);
/// True when such a name stands in the text, quoted or not.
bool has_internal_name(std::string_view sql);

std::string lower(std::string_view text);
std::string shorten(std::string_view sql);  // for messages: one line, at most about 120 bytes

}  // namespace stele::sqlite
