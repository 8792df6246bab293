// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/demo/package_log.h"

#include <gtest/gtest.h>

namespace stele::demo {
namespace {

TEST(PackageLog, a_line_has_a_time_an_action_and_a_package) {
  const auto upgrade = read_log_line("2025-06-24 14:36:25 upgrade libc6:amd64 2.36-9 2.36-10");
  ASSERT_TRUE(upgrade);
  EXPECT_EQ(upgrade->key, "upgrade");
  EXPECT_EQ(upgrade->data, R"({"package":"libc6:amd64"})");
  EXPECT_EQ(upgrade->time->time_since_epoch(), std::chrono::seconds(1'750'775'785));
  EXPECT_EQ(read_log_line("2025-06-24 14:36:25 status half-configured dpkg:amd64 1.21")->data,
            R"({"package":"dpkg:amd64"})");
  EXPECT_EQ(read_log_line("2025-06-24 14:36:25 startup archives unpack")->key, "startup");
}

TEST(PackageLog, what_is_no_line_is_left_out) {
  for (const char* line :
       {"", "x", "2025-06-24 14:36:25", "2025-06-24 14:36:25 ", "2025-02-30 14:36:25 install a b",
        "2025-06-2x 14:36:25 install a b", "2025-06-24 14:36:25 install a\"b", "2025-06-24T14:36:25 install a b"})
    EXPECT_FALSE(read_log_line(line)) << line;
}

}  // namespace
}  // namespace stele::demo
