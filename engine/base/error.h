// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stele/error.h>

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace stele {

/// What text() joins. Plain data and read out of line: messages stand in every file, and are not to cost each of
/// them the compiling of string code.
class Piece {
 public:
  Piece(std::string_view text) : kind_(Kind::text), text_(text) {}
  Piece(const std::string& text) : Piece(std::string_view(text)) {}
  Piece(const char* text) : Piece(std::string_view(text)) {}
  Piece(char character) : kind_(Kind::character), character_(character) {}
  Piece(std::signed_integral auto number) : kind_(Kind::integer), integer_(number) {}
  Piece(std::unsigned_integral auto number) : kind_(Kind::natural), natural_(number) {}
  Piece(double number) : kind_(Kind::real), real_(number) {}

  void append_to(std::string& out) const;

 private:
  enum class Kind : std::uint8_t { text, character, integer, natural, real } kind_;
  union {
    std::string_view text_;
    char character_;
    std::int64_t integer_;
    std::uint64_t natural_;
    double real_;
  };
};

std::string join(std::initializer_list<Piece> pieces);

/// Joins texts and numbers into one string: message text without a format language.
template <class... Part>
std::string text(const Part&... parts) {
  return join({Piece(parts)...});
}

struct DetailPart {
  std::string_view name;
  std::string_view value;
};

[[noreturn]] void fail(ErrorCode code, const std::string& message, std::initializer_list<DetailPart> detail = {});

/// An io (or, for ENOSPC and EDQUOT, full) error that names file, operation and errno.
[[noreturn]] void fail_errno(std::string_view operation, std::string_view file, int error_number);

}  // namespace stele
