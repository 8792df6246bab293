// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/key_codec.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/json.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

namespace stele::key {
namespace {

constexpr std::uint64_t sign = std::uint64_t{1} << 63;
constexpr unsigned char id_one_byte_max = 0xF7;

std::uint64_t ordered_bits(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value == 0 ? 0.0 : value);
  return bits & sign ? ~bits : bits | sign;
}

double from_ordered_bits(std::uint64_t bits) { return std::bit_cast<double>(bits & sign ? bits & ~sign : ~bits); }

void append_number(std::string& out, double floor, std::uint16_t remainder) {
  char element[11];
  element[0] = static_cast<char>(KeyCode::number);
  const std::uint64_t bits = __builtin_bswap64(ordered_bits(floor));
  std::memcpy(element + 1, &bits, sizeof bits);
  element[9] = static_cast<char>(remainder >> 8);
  element[10] = static_cast<char>(remainder);
  out.append(element, sizeof element);
}

unsigned char byte(std::string_view s, std::size_t i) { return static_cast<unsigned char>(s[i]); }

void append_hex(std::string& out, std::string_view bytes) {
  constexpr char hex[] = "0123456789abcdef";
  for (const char c : bytes) {
    out += hex[static_cast<unsigned char>(c) >> 4];
    out += hex[c & 15];
  }
}

// Reads ascending elements; the caller complements descending ones first.
class ValueReader {
 public:
  ValueReader(std::string_view bytes, std::string& text) : rest_(bytes), text_(text) {}

  std::string_view rest() const { return rest_; }

  bool value(int depth = 0) {
    if (rest_.empty() || depth > 1000) return false;
    const auto code = static_cast<KeyCode>(take(1)[0]);
    switch (code) {
      case KeyCode::empty_array: text_ += "[]"; return true;
      case KeyCode::null: text_ += "null"; return true;
      case KeyCode::number: return number();
      case KeyCode::string: return string();
      case KeyCode::object: return object(depth);
      case KeyCode::array: return array(depth);
      case KeyCode::binary: return binary();
      case KeyCode::oid: return oid();
      case KeyCode::boolean: return boolean();
      case KeyCode::date: return date();
      case KeyCode::regex: return regex();
      case KeyCode::end: break;
    }
    return false;
  }

 private:
  std::string_view take(std::size_t n) {
    const std::string_view taken = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return taken;
  }

  bool number() {
    if (rest_.size() < 10) return false;
    const double floor = from_ordered_bits(big_endian(take(8)));
    const std::string_view r = take(2);
    const int remainder = byte(r, 0) << 8 | byte(r, 1);
    char buffer[40];
    // An int64 exactly; 2^63 itself is the first double beyond.
    if (floor == std::trunc(floor) && floor >= -0x1p63 && floor < 0x1p63)
      text_.append(buffer, std::to_chars(buffer, buffer + 40, static_cast<std::int64_t>(floor) + remainder).ptr);
    else
      text_.append(buffer, std::to_chars(buffer, buffer + 40, floor).ptr);
    return true;
  }

  bool escaped(std::string& out) {
    for (std::size_t i = 0; i + 1 < rest_.size(); ++i) {
      if (rest_[i] != '\0') {
        out += rest_[i];
      } else if (byte(rest_, i + 1) == 0x01) {
        take(i + 2);
        return true;
      } else if (byte(rest_, ++i) == 0xFF) {
        out += '\0';
      } else {
        return false;
      }
    }
    return false;
  }

  bool string() {
    std::string s;
    if (!escaped(s)) return false;
    json::append_quoted(text_, s);
    return true;
  }

  bool ends() {
    if (rest_.empty() || rest_[0] != '\0') return false;
    take(1);
    return true;
  }

  bool object(int depth) {
    text_ += '{';
    for (bool first = true; !ends(); first = false) {
      if (rest_.empty()) return false;
      take(1);  // the value's typecode, for the order only
      std::string name;
      if (!escaped(name)) return false;
      text_ += first ? "" : ", ";
      json::append_quoted(text_, name);
      text_ += ": ";
      if (!value(depth + 1)) return false;
    }
    text_ += '}';
    return true;
  }

  bool array(int depth) {
    text_ += '[';
    for (bool first = true; !ends(); first = false) {
      text_ += first ? "" : ", ";
      if (!value(depth + 1)) return false;
    }
    text_ += ']';
    return true;
  }

  bool binary() {
    if (rest_.size() < 5) return false;
    const std::string_view s = take(4);
    const std::size_t size = std::size_t{byte(s, 0)} << 24 | byte(s, 1) << 16 | byte(s, 2) << 8 | byte(s, 3);
    text_ += text("binary ", static_cast<unsigned>(byte(take(1), 0)), ' ');
    if (rest_.size() < size) return false;
    append_hex(text_, take(size));
    return true;
  }

  bool oid() {
    if (rest_.size() < 12) return false;
    text_ += "oid ";
    append_hex(text_, take(12));
    return true;
  }

  bool boolean() {
    if (rest_.empty()) return false;
    text_ += take(1)[0] ? "true" : "false";
    return true;
  }

  bool date() {
    if (rest_.size() < 8) return false;
    text_ += text("date ", static_cast<std::int64_t>(big_endian(take(8)) ^ sign));
    return true;
  }

  bool regex() {
    std::string source, options;
    if (!escaped(source) || !escaped(options)) return false;
    text_ += text('/', source, '/', options);
    return true;
  }

  std::string_view rest_;
  std::string& text_;
};

}  // namespace

void append_id(std::string& out, std::uint64_t id) {
  if (id <= id_one_byte_max) {
    out += static_cast<char>(id);
    return;
  }
  const int size = (64 - std::countl_zero(id) + 7) / 8;
  out += static_cast<char>(id_one_byte_max + size);
  for (int i = size - 1; i >= 0; --i) out += static_cast<char>(id >> (8 * i));
}

void append_u64(std::string& out, std::uint64_t value) { append_big_endian(out, value); }

void append_code(std::string& out, KeyCode code) { out += static_cast<char>(code); }

void append_int64(std::string& out, std::int64_t value) {
  double floor = static_cast<double>(value);  // to nearest: may be above
  // 2^63 is no int64; everything that rounds to it lies above the double before it.
  if (floor >= 0x1p63 || static_cast<std::int64_t>(floor) > value)
    floor = std::nextafter(floor, -std::numeric_limits<double>::infinity());
  append_number(out, floor, static_cast<std::uint16_t>(value - static_cast<std::int64_t>(floor)));
}

void append_double(std::string& out, double value) { append_number(out, value, 0); }

void append_name(std::string& out, std::string_view name) {
  for (;;) {
    const std::size_t nul = name.find('\0');
    out += name.substr(0, nul);
    if (nul == std::string_view::npos) break;
    out += '\0';
    out += '\xFF';
    name.remove_prefix(nul + 1);
  }
  out.append("\0\x01", 2);
}

void append_string(std::string& out, std::string_view text) {
  append_code(out, KeyCode::string);
  append_name(out, text);
}

void append_binary(std::string& out, unsigned char subtype, std::string_view bytes) {
  append_code(out, KeyCode::binary);
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(bytes.size() >> shift);
  out += static_cast<char>(subtype);
  out += bytes;
}

void append_regex(std::string& out, std::string_view source, std::string_view options) {
  append_code(out, KeyCode::regex);
  append_name(out, source);
  append_name(out, options);
}

void append_oid(std::string& out, std::string_view bytes) {
  append_code(out, KeyCode::oid);
  out += bytes;
}

void append_bool(std::string& out, bool value) {
  append_code(out, KeyCode::boolean);
  out += value ? '\x01' : '\x00';
}

void append_date(std::string& out, std::int64_t milliseconds) {
  append_code(out, KeyCode::date);
  append_big_endian(out, static_cast<std::uint64_t>(milliseconds) ^ sign);
}

void make_descending(std::string& out, std::size_t from) {
  for (std::size_t i = from; i < out.size(); ++i) out[i] = static_cast<char>(~out[i]);
}

void check_size(std::string_view key, std::string_view what) {
  if (key.size() <= key_bytes_max) return;
  fail(ErrorCode::too_large,
       text(what, ": its key has ", key.size(), " bytes, the limit is ", key_bytes_max, "; use a shorter value"),
       {{"reason", "KeyTooLarge"}, {"size", std::to_string(key.size())}, {"limit", std::to_string(key_bytes_max)}});
}

std::string prefix_end(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xFF') prefix.pop_back();
  if (!prefix.empty()) ++prefix.back();
  return prefix;
}

bool read_id(std::string_view& rest, std::uint64_t& id) {
  if (rest.empty()) return false;
  const unsigned char first = byte(rest, 0);
  if (first <= id_one_byte_max) {
    id = first;
    rest.remove_prefix(1);
    return true;
  }
  const std::size_t size = first - id_one_byte_max;
  if (rest.size() < 1 + size) return false;
  id = 0;
  for (std::size_t i = 1; i <= size; ++i) id = id << 8 | byte(rest, i);
  rest.remove_prefix(1 + size);
  return true;
}

bool read_u64(std::string_view& rest, std::uint64_t& value) {
  if (rest.size() < 8) return false;
  value = big_endian(rest.substr(0, 8));
  rest.remove_prefix(8);
  return true;
}

bool read_name(std::string_view& rest, std::string& name) {
  std::string found;
  for (std::size_t at = 0;;) {
    const std::size_t nul = rest.find('\0', at);
    if (nul == std::string_view::npos || nul + 1 == rest.size()) return false;
    found += rest.substr(at, nul - at);
    at = nul + 2;
    if (rest[nul + 1] == '\x01') {
      rest.remove_prefix(at);
      name = std::move(found);
      return true;
    }
    if (rest[nul + 1] != '\xFF') return false;
    found += '\0';
  }
}

bool read_value_text(std::string_view& rest, std::string& text) {
  if (rest.empty()) return false;
  std::string flipped;
  std::string read;
  // Complemented codes end in F or, for the empty array, in 7.
  const bool descending = (rest[0] & 0x07) == 0x07;
  if (descending) {
    flipped = rest;
    make_descending(flipped, 0);
    read = "-";
  }
  ValueReader reader(descending ? std::string_view(flipped) : rest, read);
  if (!reader.value()) return false;
  rest = rest.substr(rest.size() - reader.rest().size());
  text += read;
  return true;
}

std::string describe_key(std::string_view key) {
  std::string out = "(";
  while (!key.empty()) {
    if (out.size() > 1) out += ", ";
    if (!read_value_text(key, out)) {
      out += "0x";
      append_hex(out, key);
      break;
    }
  }
  return out + ")";
}

}  // namespace stele::key
