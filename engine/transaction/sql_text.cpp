// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/transaction/sql_text.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace stele::transaction {

bool writes_by_first_word(std::string_view sql) {
  for (;;) {
    while (!sql.empty() && std::isspace(static_cast<unsigned char>(sql.front()))) sql.remove_prefix(1);
    std::string_view terminator;
    if (sql.starts_with("--")) terminator = "\n";
    if (sql.starts_with("/*")) terminator = "*/";
    if (terminator.empty()) break;
    const auto end = sql.find(terminator);
    if (end == std::string_view::npos) return false;
    sql.remove_prefix(end + terminator.size());
  }
  static constexpr std::array<std::string_view, 8> words = {"INSERT", "UPDATE", "DELETE", "REPLACE",
                                                            "CREATE", "DROP",   "ALTER",  "REINDEX"};
  return std::ranges::any_of(words, [&](std::string_view word) {
    if (sql.size() <= word.size() || std::isalnum(static_cast<unsigned char>(sql[word.size()]))) return false;
    return std::ranges::equal(sql.substr(0, word.size()), word,
                              [](char a, char b) { return std::toupper(static_cast<unsigned char>(a)) == b; });
  });
}

}  // namespace stele::transaction
