// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Keys are tuples whose bytes, compared as unsigned, are in the order of the tuples. Every element
// ends itself, so elements may follow each other in any mixture. On disk from day one: never change.
//
// Elements for the engine's own parts:
//   id      v <= F7: the byte v; else F7+n and the n (1..8) big-endian bytes of v without leading zeros
//   u64     8 bytes, big-endian
//
// Elements for document values, each beginning with its typecode, in the order of the types:
//   08                              empty array, in sort and index keys only (MongoDB: undefined)
//   10                              null, and missing
//   20 double(8) remainder(2)       number: order-preserving bits of the greatest double <= it, and
//                                   what an int64 exceeds that double by; -0.0 is 0
//   30 bytes 00 01                  string, UTF-8; a byte 00 in it becomes 00 FF
//   40 {code name value}* 00        object: per member the value's typecode, the name as bytes 00 01, the value
//   50 value* 00                    array
//   60 size(4) subtype bytes        binary: shorter first
//   70 bytes(12)                    object id
//   80 00|01                        false, true
//   90 int64(8), sign flipped       date, milliseconds
//   A0 source 00 01 options 00 01   regular expression; a byte 00 becomes 00 FF
// Order-preserving bits: sign flipped when positive, all flipped when negative; big-endian.
// Descending: every byte of the element complemented; so the first one then ends in F, not in 0.
//
// Golden vectors (tests/base/key_codec_test.cpp):
//   id 247 = F7 · id 248 = F8F8 · id 65536 = FA010000
//   1 = 20 BFF0000000000000 0000 · -1 = 20 400FFFFFFFFFFFFF 0000 · 2^53+1 = 20 C340000000000000 0001
//   "a\0b" = 30 61 00FF 62 0001 · true = 80 01 · date 0 = 90 8000000000000000
//   /^a/i = A0 5E61 0001 69 0001
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace stele {

inline constexpr std::size_t key_bytes_max = 8192;

enum class KeyCode : unsigned char {
  end = 0x00,
  empty_array = 0x08,
  null = 0x10,
  number = 0x20,
  string = 0x30,
  object = 0x40,
  array = 0x50,
  binary = 0x60,
  oid = 0x70,
  boolean = 0x80,
  date = 0x90,
  regex = 0xA0,
};

namespace key {

void append_id(std::string& out, std::uint64_t id);
void append_u64(std::string& out, std::uint64_t value);

void append_code(std::string& out, KeyCode code);       // null, empty array; begin of object and array; their end
void append_int64(std::string& out, std::int64_t value);
void append_double(std::string& out, double value);     // not NaN
void append_string(std::string& out, std::string_view text);
void append_name(std::string& out, std::string_view name);  // a member's name: without typecode
void append_binary(std::string& out, unsigned char subtype, std::string_view bytes);
void append_oid(std::string& out, std::string_view bytes);  // 12 bytes
void append_bool(std::string& out, bool value);
void append_date(std::string& out, std::int64_t milliseconds);
void append_regex(std::string& out, std::string_view source, std::string_view options);

/// Turns what was appended since `from` into its descending form.
void make_descending(std::string& out, std::size_t from);

/// Throws `too_large` when the key is longer than key_bytes_max; `what` names it ("the _id").
void check_size(std::string_view key, std::string_view what);

/// The smallest key greater than every key that begins with `prefix`; empty: there is none.
std::string prefix_end(std::string prefix);

/// Readers of the elements above: take the element off `rest`, or return false and leave it.
bool read_id(std::string_view& rest, std::uint64_t& id);
bool read_u64(std::string_view& rest, std::uint64_t& value);
bool read_name(std::string_view& rest, std::string& name);
/// Takes one document value, ascending or descending, and appends it as text (`17`, `"ada"`,
/// `{a: 1}`, `date 0`; descending ones with a leading '-').
bool read_value_text(std::string_view& rest, std::string& text);

/// A tuple of values as text, `(17, "ada")`; bytes that are no value follow in hexadecimal.
std::string describe_key(std::string_view key);

}  // namespace key
}  // namespace stele
