// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/transaction/parts.h"
#include "tests/transaction/store_fixture.h"

#include <algorithm>
#include <string>
#include <vector>

namespace stele::transaction {
namespace {

/// Keys that lie unevenly: decimal numbers behind one letter, many short ones, and some long ones that differ late.
class PartsTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    const auto tx = begin();
    std::uint32_t random = 1;
    for (int i = 0; i < 20'000; ++i) {
      std::string key = "d" + std::to_string(100'000 + i);
      if (i % 4 == 0) key = "e" + std::string(30, 'x') + key;
      std::string value;
      while (value.size() < 150) value += std::to_string(random = random * 1'664'525 + 1'013'904'223);
      put(tx, key, value);
    }
    tx->commit();
    reopen();  // so that they stand in files
    reader_ = begin();
  }

  std::size_t keys_in(const storage::KeyRange& range) {
    std::size_t keys = 0;
    for (auto scan = reader_->scan(Keyspace::documents, range); scan->next();) ++keys;
    return keys;
  }

  Tx reader_;
};

TEST_F(PartsTest, pieces_follow_each_other_and_hold_everything_about_evenly) {
  constexpr std::uint64_t bytes_max = 100'000;
  const storage::KeyRange all{"d", {}};
  const std::uint64_t bytes = reader_->approximate_bytes(Keyspace::documents, all);
  Pieces pieces(*reader_, Keyspace::documents, all, bytes_max);
  std::string begin = "d";
  std::size_t keys = 0, count = 0, most = 0;
  while (const auto piece = pieces.next()) {
    EXPECT_EQ(piece->range.begin, begin);
    begin = piece->range.end;
    const std::size_t in_it = keys_in(piece->range);
    keys += in_it;
    most = std::max(most, in_it);
    ++count;
    if (begin.empty()) break;
  }
  EXPECT_FALSE(pieces.next());
  EXPECT_EQ(keys, 20'000u);
  EXPECT_GE(count, bytes / bytes_max);
  EXPECT_LE(count, bytes / bytes_max * 4);
  EXPECT_LE(most, 20'000 * 2 * bytes_max / bytes);
}

TEST_F(PartsTest, parts_are_as_many_as_asked_and_about_as_large_as_each_other) {
  for (const std::size_t count : {2u, 3u, 8u}) {
    const auto parts = parts_of(*reader_, Keyspace::documents, {"d", "f"}, count, 1000);
    ASSERT_EQ(parts.size(), count);
    EXPECT_EQ(parts.back().end, "f");
    std::size_t keys = 0;
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(parts[i].begin, i == 0 ? "d" : parts[i - 1].end);
      const std::size_t in_it = keys_in(parts[i]);
      keys += in_it;
      const double fair = 20'000.0 / static_cast<double>(count);
      EXPECT_NEAR(static_cast<double>(in_it), fair, fair / 5);
    }
    EXPECT_EQ(keys, 20'000u);
  }
}

TEST_F(PartsTest, what_is_too_small_to_cut_or_empty_is_one_part) {
  EXPECT_EQ(parts_of(*reader_, Keyspace::documents, {"d", "f"}, 4, 1u << 30).size(), 1u);
  EXPECT_EQ(parts_of(*reader_, Keyspace::documents, {"x", "y"}, 4, 1).size(), 1u);
  Pieces pieces(*reader_, Keyspace::documents, {"x", "y"}, 1);
  const auto whole = pieces.next();
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->range.begin + whole->range.end, "xy");
  EXPECT_FALSE(pieces.next());
}

}  // namespace
}  // namespace stele::transaction
