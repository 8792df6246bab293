// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/literal.h"

#include <algorithm>
#include <bit>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace stele::model {
namespace {

/// Otherwise it can be spelled in one way only, but for escapes.
bool is_plain(std::string_view string) {
  return std::ranges::none_of(string, [](unsigned char c) { return c < 0x20 || c == '"' || c == '\\'; });
}

/// `part` has two quotes and something between them. Looks for its second and its last but one byte, which are rarer
/// than quotes.
bool contains(std::string_view text, std::string_view part) {
  std::size_t at = 0;
#ifdef __SSE2__
  const __m128i second = _mm_set1_epi8(part[1]);
  const __m128i last = _mm_set1_epi8(part[part.size() - 2]);
  for (; at + part.size() + 15 <= text.size(); at += 16) {
    const auto load = [&](std::size_t offset) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at + offset));
    };
    const __m128i both = _mm_and_si128(_mm_cmpeq_epi8(load(1), second), _mm_cmpeq_epi8(load(part.size() - 2), last));
    for (auto found = static_cast<unsigned>(_mm_movemask_epi8(both)); found != 0; found &= found - 1)
      if (std::memcmp(text.data() + at + std::countr_zero(found), part.data(), part.size()) == 0) return true;
  }
#endif
  return ::memmem(text.data() + at, text.size() - at, part.data(), part.size()) != nullptr;
}

}  // namespace

Literal Literal::of(const Condition& conjunction) {
  Literal literal;
  for (const Condition& child : conjunction.children) {
    if (child.kind != Condition::Kind::eq || !child.operand.is_string()) continue;
    const std::string_view string = child.operand.string();
    if (string.empty() || !is_plain(string) || string.size() + 2 <= literal.quoted_.size()) continue;
    literal.quoted_ = '"';
    literal.quoted_.append(string) += '"';
  }
  return literal;
}

bool Literal::possible(std::string_view document) const {
  if (quoted_.empty() || contains(document, quoted_)) return true;
  return std::memchr(document.data(), '\\', document.size()) != nullptr;  // it may be spelled with escapes
}

}  // namespace stele::model
