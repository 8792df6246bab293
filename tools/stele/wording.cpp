// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/stele/wording.h"

#include <algorithm>
#include <string_view>

namespace stele::tool {

namespace {

struct Phrase {
  std::string_view engine;
  std::string_view ours;
};

constexpr Phrase phrases[] = {
    {"use Database::begin or Database::write, and the transaction's commit() and rollback()",
     "send the requests begin, commit and rollback"},
    {"use the transaction's savepoint()", "send the requests savepoint, rollback_to and release"},
    {"; call Database::compact()", "; no request compacts a database yet"},
    {"use a transaction (Database::write or begin)",
     "send the request without \"tx\", or in a transaction that begins without \"read_only\""},
    {"this thread has another open transaction that writes SQL; commit or roll it back first",
     "another open transaction has written SQL, which one at a time can do; commit or roll it back first"},
    {"this thread's Database::write runs alone and cannot wait for itself; commit through its transaction",
     "another transaction runs alone; try again"},
    {", or raise Options::lock_timeout", ""},
    {" (Options::transaction_bytes_max)", ""},
    {"Options::wal_bytes_max", "its bound"},
    {", or raise document_depth_max", ""},
    {", or raise the limit", ""},
};

}  // namespace

std::string wording(const Error& error) {
  std::string message = error.message();
  std::string code(name(error.code()));
  std::ranges::replace(code, '_', ' ');
  if (message.starts_with(code + ": ")) message.erase(0, code.size() + 2);
  for (const Phrase& phrase : phrases)
    if (const std::size_t at = message.find(phrase.engine); at != std::string::npos)
      message.replace(at, phrase.engine.size(), phrase.ours);
  return message;
}

std::string printable(std::string text, Lines lines) {
  const auto moves = [&](char c) { return (c >= 0 && c < 0x20 && (c != '\n' || lines == Lines::one)) || c == 0x7f; };
  std::ranges::replace_if(text, moves, '?');
  return text;
}

}  // namespace stele::tool
