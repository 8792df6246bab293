// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Debian control stanzas ("Name: value" lines, blank line between stanzas), read one at a time from
// a file or pipe. The input is not trusted: whatever it holds, a stanza that comes out has field
// names of letters, digits, '-' and '_', in lower case, each once, and values in valid UTF-8
// without NUL; what had to be dropped or replaced is counted in `problems`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::demo {

struct Field {
  std::string name;   // lower case
  std::string value;  // continuation lines joined with '\n'; a line " ." is an empty one
};

struct Stanza {
  std::vector<Field> fields;  // as they came
  std::uint64_t bytes = 0;    // of input
  std::uint32_t problems = 0;
  bool too_large = false;  // what exceeded the limit was dropped

  /// The field's value, or nothing. `name` is lower case.
  std::optional<std::string_view> get(std::string_view name) const;
};

class StanzaReader {
 public:
  /// Reads from `file`, which must stay open, and keeps at most about `stanza_bytes_max` of one stanza.
  explicit StanzaReader(std::FILE* file, std::size_t stanza_bytes_max = 4u << 20)
      : file_(file), stanza_bytes_max_(stanza_bytes_max), buffer_(64u << 10) {}

  /// The next stanza that has at least one line; nothing at the end. Throws stele::Error `io`.
  std::optional<Stanza> next();

 private:
  bool read_line();
  void take_line(Stanza& stanza);

  std::FILE* file_;
  std::size_t stanza_bytes_max_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // what of buffer_ is unread
  std::string line_;                 // without its end
  std::size_t line_bytes_ = 0;       // of input, cut-off bytes and line end included
  bool continues_ = false;           // a continuation line belongs to the stanza's last field
};

/// `text` with each byte that is not valid UTF-8, and each NUL, replaced by U+FFFD; returns how many.
std::uint32_t make_valid_utf8(std::string& text);

std::string_view trimmed(std::string_view text);

}  // namespace stele::demo
