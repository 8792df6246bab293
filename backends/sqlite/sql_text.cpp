// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/sqlite/sql_text.h"

#include <cstdint>
#include <cstring>

namespace stele::sqlite {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r'; }
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}
char upper(char c) { return static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c); }

/// Drops blanks and comments in front, as SQLite's tokenizer does (a byte order mark is a blank).
std::string_view skip_blanks(std::string_view sql) {
  for (;;) {
    if (sql.empty()) return sql;
    if (is_space(sql.front())) {
      sql.remove_prefix(1);
    } else if (sql.starts_with("\xEF\xBB\xBF")) {
      sql.remove_prefix(3);
    } else if (sql.starts_with("--")) {
      const std::size_t end = sql.find('\n');
      sql.remove_prefix(end == sql.npos ? sql.size() : end + 1);
    } else if (sql.starts_with("/*")) {
      const std::size_t end = sql.find("*/", 2);
      sql.remove_prefix(end == sql.npos ? sql.size() : end + 2);
    } else {
      return sql;
    }
  }
}

/// Length of the token in front: a word, a quoted string or name, or one byte.
std::size_t token_length(std::string_view sql) {
  const char c = sql.front();
  if (c == '\'' || c == '"' || c == '`' || c == '[') {
    const std::size_t end = sql.find(c == '[' ? ']' : c, 1);
    return end == sql.npos ? sql.size() : end + 1;  // a doubled quote is two tokens: no harm here
  }
  std::size_t n = 0;
  while (n < sql.size() && is_word(sql[n])) ++n;
  return n == 0 ? 1 : n;
}

std::string_view take_token(std::string_view& sql) {
  sql = skip_blanks(sql);
  if (sql.empty()) return {};
  const std::string_view token = sql.substr(0, token_length(sql));
  sql.remove_prefix(token.size());
  return token;
}

bool equals(std::string_view token, std::string_view upper_case) {
  if (token.size() != upper_case.size()) return false;
  for (std::size_t i = 0; i < token.size(); ++i)
    if (upper(token[i]) != upper_case[i]) return false;
  return true;
}

/// Length of the valid sequence at the front, 0 when there is none.
std::size_t sequence_length(const unsigned char* p, std::size_t left) {
  const auto tail = [&](std::size_t i) { return i < left && (p[i] & 0xC0) == 0x80; };
  if (p[0] < 0x80) return 1;
  if (p[0] >= 0xC2 && p[0] <= 0xDF) return tail(1) ? 2 : 0;
  if (p[0] >= 0xE0 && p[0] <= 0xEF) {
    if (!tail(1) || !tail(2)) return 0;
    if (p[0] == 0xE0 && p[1] < 0xA0) return 0;
    return p[0] == 0xED && p[1] > 0x9F ? 0 : 3;
  }
  if (p[0] >= 0xF0 && p[0] <= 0xF4) {
    if (!tail(1) || !tail(2) || !tail(3)) return 0;
    if (p[0] == 0xF0 && p[1] < 0x90) return 0;
    return p[0] == 0xF4 && p[1] > 0x8F ? 0 : 4;
  }
  return 0;
}

}  // namespace

std::optional<std::size_t> invalid_utf8(std::string_view bytes) {
  const auto* p = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t i = 0;
  while (i < bytes.size()) {
    std::uint64_t eight;
    while (i + sizeof eight <= bytes.size()) {  // ASCII, eight at a time
      std::memcpy(&eight, p + i, sizeof eight);
      if (eight & 0x8080808080808080u) break;
      i += sizeof eight;
    }
    if (i == bytes.size()) break;
    const std::size_t n = sequence_length(p + i, bytes.size() - i);
    if (n == 0) return i;
    i += n;
  }
  return std::nullopt;
}

std::string first_keyword(std::string_view sql) {
  std::string_view token;
  do {
    token = take_token(sql);
    while (token == ";") token = take_token(sql);
  } while (equals(token, "EXPLAIN") || equals(token, "QUERY") || equals(token, "PLAN"));
  std::string keyword;
  for (char c : token) keyword += upper(c);
  return keyword;
}

bool only_blanks(std::string_view sql) {
  for (;;) {
    const std::string_view token = take_token(sql);
    if (token.empty()) return true;
    if (token != ";") return false;
  }
}

bool has_words(std::string_view sql, std::string_view first, std::string_view second) {
  bool before = false;
  for (;;) {
    const std::string_view token = take_token(sql);
    if (token.empty()) return false;
    if (before && equals(token, second)) return true;
    before = equals(token, first);
  }
}

bool is_internal_name(std::string_view name) { return name.size() >= 7 && equals(name.substr(0, 7), "_STELE_"); }

bool has_internal_name(std::string_view sql) {
  for (;;) {
    std::string_view token = take_token(sql);
    if (token.empty()) return false;
    if (!is_word(token.front())) token.remove_prefix(1);
    if (is_internal_name(token)) return true;
  }
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return out;
}

std::string shorten(std::string_view sql) {
  constexpr std::size_t bytes_max = 120;
  std::string out;
  for (char c : sql) {
    const bool blank = is_space(c) || static_cast<unsigned char>(c) < 0x20;
    if (blank && (out.empty() || out.back() == ' ')) continue;
    if (out.size() >= bytes_max && (static_cast<unsigned char>(c) & 0xC0) != 0x80) return out + "…";
    out += blank ? ' ' : c;
  }
  return out;
}

}  // namespace stele::sqlite
