// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/key_codec.h"

#include <stele/error.h>

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <vector>

namespace stele {
namespace {

std::string hex(std::string_view bytes) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : bytes) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[c & 15];
  }
  return out;
}

template <class Append, class... A>
std::string encoded(Append append, A... arguments) {
  std::string out;
  append(out, arguments...);
  return out;
}

using namespace std::string_view_literals;

// On disk: a change here is a new format version.
TEST(KeyCodec, golden_vectors) {
  EXPECT_EQ(hex(encoded(key::append_id, 0u)), "00");
  EXPECT_EQ(hex(encoded(key::append_id, 247u)), "F7");
  EXPECT_EQ(hex(encoded(key::append_id, 248u)), "F8F8");
  EXPECT_EQ(hex(encoded(key::append_id, 65536u)), "FA010000");
  EXPECT_EQ(hex(encoded(key::append_id, ~std::uint64_t{0})), "FFFFFFFFFFFFFFFFFF");
  EXPECT_EQ(hex(encoded(key::append_u64, 258u)), "0000000000000102");
  EXPECT_EQ(hex(encoded(key::append_code, KeyCode::null)), "10");
  EXPECT_EQ(hex(encoded(key::append_int64, 1)), "20BFF00000000000000000");
  EXPECT_EQ(hex(encoded(key::append_double, 1.0)), "20BFF00000000000000000");
  EXPECT_EQ(hex(encoded(key::append_int64, -1)), "20400FFFFFFFFFFFFF0000");
  EXPECT_EQ(hex(encoded(key::append_double, -0.0)), "2080000000000000000000");
  EXPECT_EQ(hex(encoded(key::append_int64, (1LL << 53) + 1)), "20C3400000000000000001");
  EXPECT_EQ(hex(encoded(key::append_int64, INT64_MAX)), "20C3DFFFFFFFFFFFFF03FF");
  EXPECT_EQ(hex(encoded(key::append_int64, INT64_MIN)), "203C1FFFFFFFFFFFFF0000");
  EXPECT_EQ(hex(encoded(key::append_string, "a\0b"sv)), "306100FF620001");
  EXPECT_EQ(hex(encoded(key::append_binary, '\x05', "xy"sv)), "6000000002057879");
  EXPECT_EQ(hex(encoded(key::append_oid, "0123456789ab"sv)), "70303132333435363738396162");
  EXPECT_EQ(hex(encoded(key::append_bool, true)), "8001");
  EXPECT_EQ(hex(encoded(key::append_date, 0)), "908000000000000000");
  EXPECT_EQ(hex(encoded(key::append_regex, "^a"sv, "i"sv)), "A05E610001690001");
  std::string descending = encoded(key::append_bool, false);
  key::make_descending(descending, 0);
  EXPECT_EQ(hex(descending), "7FFF");
}

TEST(KeyCodec, ids_keep_their_order_and_come_back) {
  std::vector<std::uint64_t> ids = {0, 1, 246, 247, 248, 255, 256, 65535, 65536};
  for (int bits = 17; bits < 64; ++bits) {
    ids.push_back((std::uint64_t{1} << bits) - 1);
    ids.push_back(std::uint64_t{1} << bits);
  }
  ids.push_back(std::numeric_limits<std::uint64_t>::max());
  std::string last;
  for (const std::uint64_t id : ids) {
    const std::string bytes = encoded(key::append_id, id);
    EXPECT_LT(last, bytes) << id;
    last = bytes;
    std::string_view rest = bytes;
    std::uint64_t read;
    ASSERT_TRUE(key::read_id(rest, read));
    EXPECT_EQ(read, id);
    EXPECT_TRUE(rest.empty());
    rest = std::string_view(bytes).substr(0, bytes.size() - 1);
    EXPECT_FALSE(key::read_id(rest, read));
  }
}

TEST(KeyCodec, names_come_back) {
  using namespace std::string_literals;
  for (const std::string& name : {""s, "ada"s, "\0"s, "a\0b"s, "\0\xFF\0\x01"s, "\x01\xFF"s}) {
    std::string bytes, read = "before";
    key::append_name(bytes, name);
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
      std::string_view part = std::string_view(bytes).substr(0, cut);
      EXPECT_FALSE(key::read_name(part, read));
      EXPECT_EQ(part.size(), cut);
    }
    EXPECT_EQ(read, "before");
    bytes += "next";
    std::string_view rest = bytes;
    ASSERT_TRUE(key::read_name(rest, read));
    EXPECT_EQ(read, name);
    EXPECT_EQ(rest, "next");
  }
  std::string_view other("a\0b", 3);
  std::string read;
  EXPECT_FALSE(key::read_name(other, read));
}

TEST(KeyCodec, a_string_is_never_the_prefix_of_another_whatever_follows) {
  for (const unsigned char follower : {0x00, 0x01, 0x10, 0xEF, 0xFF}) {
    const std::string shorter = encoded(key::append_string, "a"sv) + static_cast<char>(follower);
    EXPECT_LT(shorter, encoded(key::append_string, "a\0"sv));
    EXPECT_LT(shorter, encoded(key::append_string, "a\x01"sv));
  }
}

TEST(KeyCodec, prefix_end_is_the_next_key_without_the_prefix) {
  EXPECT_EQ(key::prefix_end("ab"), "ac");
  EXPECT_EQ(key::prefix_end("a\xFF\xFF"), "b");
  EXPECT_EQ(key::prefix_end("\xFF"), "");
  EXPECT_EQ(key::prefix_end(""), "");
}

TEST(KeyCodec, describes_keys) {
  std::string key;
  key::append_int64(key, -17);
  key::append_string(key, "a\"b");
  const std::size_t from = key.size();
  key::append_double(key, 2.5);
  key::make_descending(key, from);
  key::append_bool(key, true);
  key::append_date(key, -5);
  EXPECT_EQ(key::describe_key(key), R"((-17, "a\"b", -2.5, true, date -5))");
  EXPECT_EQ(key::describe_key(encoded(key::append_int64, INT64_MAX)), "(9223372036854775807)");
  EXPECT_EQ(key::describe_key("\x01\xFE"), "(0x01fe)");
  for (std::size_t cut = 0; cut < key.size(); ++cut) EXPECT_EQ(key::describe_key(key.substr(0, cut)).back(), ')');
}

TEST(KeyCodec, refuses_keys_beyond_the_limit) {
  EXPECT_NO_THROW(key::check_size(std::string(key_bytes_max, 'a'), "the _id"));
  try {
    key::check_size(std::string(key_bytes_max + 1, 'a'), "the _id");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::too_large);
    EXPECT_EQ(error.detail().at("limit"), "8192");
  }
}

}  // namespace
}  // namespace stele
