// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/uuid.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>

namespace stele {
namespace {

// The id with every hexadecimal digit but the version's made x, and the variant's v.
std::string form(std::string id) {
  for (std::size_t i = 0; i < id.size(); ++i) {
    if (i == 14 || id[i] == '-') continue;
    id[i] = i == 19 && std::string_view("89ab").find(id[i]) != std::string_view::npos ? 'v' : 'x';
  }
  return id;
}

TEST(Uuid, has_the_form_of_its_version) {
  EXPECT_EQ(form(uuid_v4()), "xxxxxxxx-xxxx-4xxx-vxxx-xxxxxxxxxxxx");
  EXPECT_EQ(form(uuid_v7()), "xxxxxxxx-xxxx-7xxx-vxxx-xxxxxxxxxxxx");
  EXPECT_NE(uuid_v4(), uuid_v4());
}

TEST(Uuid, version_7_grows_within_a_thread) {
  std::string last = uuid_v7();
  for (int i = 0; i < 20000; ++i) {
    const std::string next = uuid_v7();
    ASSERT_LT(last, next);
    last = next;
  }
}

TEST(Uuid, version_7_begins_with_the_time) {
  using namespace std::chrono;
  const std::string id = uuid_v7();
  const auto milliseconds = std::stoll(id.substr(0, 8) + id.substr(9, 4), nullptr, 16);
  const auto now = duration_cast<std::chrono::milliseconds>(system_clock::now().time_since_epoch()).count();
  EXPECT_NEAR(static_cast<double>(milliseconds), static_cast<double>(now), 10'000.0);
}

TEST(Uuid, its_bytes_and_back_and_what_is_none) {
  const std::string id = uuid_v4();
  EXPECT_TRUE(is_uuid(id));
  EXPECT_EQ(uuid_text(uuid_bytes(id)), id);
  EXPECT_EQ(uuid_bytes("00010203-0405-0607-0809-0a0b0c0d0eff")[15], 0xff);
  for (const char* none : {"", "..", "00010203-0405-0607-0809-0a0b0c0d0ef", "00010203-0405-0607-0809-0a0b0c0d0eFF",
                           "000102030405-0607-0809-0a0b0c0d0eff-", "../../../../../../../../etc/passwd-x"})
    EXPECT_FALSE(is_uuid(none)) << none;
}

}  // namespace
}  // namespace stele
