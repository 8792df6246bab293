// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/transaction/sql_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <span>

namespace stele::transaction {

namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

std::string_view first_word(std::string_view sql) {
  for (;;) {
    while (!sql.empty() && std::isspace(static_cast<unsigned char>(sql.front()))) sql.remove_prefix(1);
    std::string_view terminator;
    if (sql.starts_with("--")) terminator = "\n";
    if (sql.starts_with("/*")) terminator = "*/";
    if (terminator.empty()) break;
    const auto end = sql.find(terminator);
    if (end == std::string_view::npos) return {};
    sql.remove_prefix(end + terminator.size());
  }
  return sql.substr(0, static_cast<std::size_t>(std::ranges::find_if_not(sql, is_word) - sql.begin()));
}

bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view one) {
    return std::ranges::equal(word, one,
                              [](char a, char b) { return std::toupper(static_cast<unsigned char>(a)) == b; });
  });
}

}  // namespace

bool writes_by_first_word(std::string_view sql) {
  static constexpr std::array<std::string_view, 8> words = {"INSERT", "UPDATE", "DELETE", "REPLACE",
                                                            "CREATE", "DROP",   "ALTER",  "REINDEX"};
  return is_one_of(first_word(sql), words);
}

bool is_query(std::string_view sql) {
  static constexpr std::array<std::string_view, 3> words = {"SELECT", "WITH", "VALUES"};
  return is_one_of(first_word(sql), words);
}

}  // namespace stele::transaction
