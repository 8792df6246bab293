// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Fixed-width and variable-width integers in byte strings. Little-endian inside values; big-endian
// where the bytes are compared (keys).
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace stele {

static_assert(std::endian::native == std::endian::little, "the formats are written in native order");

template <class T>
void append_fixed(std::string& out, T v) {
  static_assert(std::is_integral_v<T>);
  char b[sizeof v];
  std::memcpy(b, &v, sizeof v);
  out.append(b, sizeof v);
}

template <class... T>
std::string fixed_bytes(T... v) {
  std::string out;
  (append_fixed(out, v), ...);
  return out;
}

inline void append_big_endian(std::string& out, std::uint64_t v) { append_fixed(out, __builtin_bswap64(v)); }

inline std::uint64_t big_endian(std::string_view bytes) {  // exactly 8 bytes
  std::uint64_t v;
  std::memcpy(&v, bytes.data(), sizeof v);
  return __builtin_bswap64(v);
}

/// LEB128, at most 10 bytes.
inline void append_varint(std::string& out, std::uint64_t v) {
  while (v >= 0x80) {
    out += static_cast<char>(v | 0x80);
    v >>= 7;
  }
  out += static_cast<char>(v);
}

inline void append_sized(std::string& out, std::string_view bytes) {
  append_varint(out, bytes.size());
  out += bytes;
}

/// Reads what the functions above wrote. Every read says whether the bytes were there; nothing is
/// read beyond the end, whatever the input.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

  template <class... T>
  bool fixed(T&... out) {
    if (rest_.size() < (sizeof(T) + ...)) return false;
    const auto take = [&](auto& one) {
      std::memcpy(&one, rest_.data(), sizeof one);
      rest_.remove_prefix(sizeof one);
    };
    (take(out), ...);
    return true;
  }

  bool varint(std::uint64_t& out) {
    out = 0;
    for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      if (shift == 63 && byte > 1) return false;
      out |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  bool bytes(std::size_t size, std::string_view& out) {
    if (rest_.size() < size) return false;
    out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }

  bool sized(std::string_view& out) {
    std::uint64_t size;
    return varint(size) && bytes(size, out);
  }

 private:
  std::string_view rest_;
};

}  // namespace stele
