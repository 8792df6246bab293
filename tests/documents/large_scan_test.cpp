// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Ranges large enough that they are read in many chunks, or in pieces, and filtered by several threads.
#include <gtest/gtest.h>
#include <stele/stele.h>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace stele {
namespace {

constexpr int count = 30'000;

using testing::expect_error;

class LargeScanTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    directory = std::make_unique<testing::TemporaryDirectory>();
    db.emplace(Database::open(*directory / "db"));
    std::vector<std::string> all;
    for (int i = 0; i < count; ++i) {
      const std::string n = i == 20'011 ? R"("not a number")" : std::to_string(i % 100);
      std::string digits;  // so that files do not shrink to nothing
      for (unsigned k = 1; k < 9; ++k) digits += std::to_string(static_cast<unsigned>(i) * 2'654'435'761u * k);
      all.push_back("{\"_id\":" + std::to_string(i) + ",\"n\":" + n + ",\"digits\":\"" + digits +
                    "\",\"pad\":\"" + std::string(400, 'p') + "\"}");
    }
    db->collection("c").bulk_load([&, at = 0]() mutable -> std::optional<std::string_view> {
      if (at == count) return std::nullopt;
      return all[static_cast<std::size_t>(at++)];
    });
    db.reset();
    db.emplace(Database::open(*directory / "db"));
  }
  static void TearDownTestSuite() {
    db.reset();
    directory.reset();
  }

  static std::unique_ptr<testing::TemporaryDirectory> directory;
  static std::optional<Database> db;
  Collection docs = db->collection("c");  // of the second opening: in files
};
std::unique_ptr<testing::TemporaryDirectory> LargeScanTest::directory;
std::optional<Database> LargeScanTest::db;

TEST_F(LargeScanTest, a_count_is_the_same_inside_a_transaction_a_snapshot_and_outside) {
  const std::string filter = R"({"n":{"$gte":97}})";
  EXPECT_EQ(docs.count(filter), 900u);
  db->read([&](const Snapshot& at) { EXPECT_EQ(at.collection("c").count(filter), 900u); });
  Transaction tx = db->begin();
  auto own = tx.collection("c");
  own.remove_many(R"({"_id":{"$lt":100}})");
  own.insert(R"({"_id":-5,"n":98})");
  EXPECT_EQ(own.count(filter), 898u);
  tx.rollback();
  EXPECT_EQ(docs.count(filter), 900u);
}

TEST_F(LargeScanTest, a_find_and_its_sort_keep_their_order) {
  const auto found = docs.find(R"({"n":42})").all();
  ASSERT_EQ(found.size(), 300u);
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_TRUE(found[i].starts_with("{\"_id\":" + std::to_string(42 + 100 * i) + ","));
  const FindOptions downwards{.projection = R"({"_id":1})", .sort = R"({"n":-1,"_id":-1})", .limit = 2};
  EXPECT_EQ(docs.find(R"({"n":{"$lt":3}})", downwards).all(),
            (std::vector<std::string>{R"({"_id":29902})", R"({"_id":29802})"}));
}

TEST_F(LargeScanTest, every_document_is_examined_once_and_comes_in_order) {
  const FindOptions by_n{.sort = R"({"n":1})"};
  EXPECT_NE(docs.explain(R"({"n":{"$gte":0}})", by_n).find(R"("documents_examined":30000,"returned":29999)"),
            std::string::npos);
  EXPECT_EQ(docs.count(), 30'000u);
  EXPECT_EQ(docs.distinct("n").size(), 101u);
  const auto sorted = docs.find("{}", by_n).all();
  ASSERT_EQ(sorted.size(), 30'000u);
  for (std::size_t i = 0; i < 300; ++i) EXPECT_TRUE(sorted[i].starts_with("{\"_id\":" + std::to_string(100 * i) + ","));
}

TEST_F(LargeScanTest, an_update_changes_each_document_once_and_sees_none_of_its_own_changes) {
  Transaction tx = db->begin();
  auto own = tx.collection("c");
  EXPECT_EQ(own.update_many(R"({"n":{"$gte":90}})", R"({"$inc":{"n":5}})").modified, 3000u);
  EXPECT_EQ(own.count(R"({"n":{"$gte":95}})"), 3000u);
  EXPECT_EQ(own.update_many(R"({"n":{"$gte":95}})", R"({"$inc":{"n":-5}})").modified, 3000u);  // over its own writes
  EXPECT_EQ(own.count(R"({"n":90})"), 300u);
  tx.rollback();
  EXPECT_EQ(docs.count(R"({"n":97})"), 300u);
}

TEST_F(LargeScanTest, what_a_transaction_has_read_in_pieces_conflicts_with_who_writes_there) {
  WriteOptions serializable;
  Transaction tx = db->begin(serializable);
  EXPECT_EQ(tx.collection("c").count(R"({"n":97})"), 300u);
  tx.collection("other").insert(R"({"_id":1})");
  docs.update_one(R"({"_id":29999})", R"({"$set":{"n":99}})");
  docs.update_one(R"({"_id":29999})", R"({"$set":{"n":98.5}})");
  expect_error(ErrorCode::conflict, [&] { tx.commit(); });
  docs.update_one(R"({"_id":29999})", R"({"$set":{"n":99}})");
}

TEST_F(LargeScanTest, what_the_filter_throws_at_a_document_comes_through_and_nothing_is_changed) {
  // Of one document n is a string, which cannot be added to.
  expect_error(ErrorCode::invalid, [&] { docs.count(R"({"$expr":{"$gt":[{"$add":["$n",1]},1000]}})"); });
  const std::string positive = R"({"$expr":{"$gt":[{"$add":["$n",1]},0]}})";
  expect_error(ErrorCode::invalid, [&] { docs.update_many(positive, R"({"$set":{"n":-1}})"); });
  EXPECT_EQ(docs.count(R"({"n":-1})"), 0u);
}

TEST_F(LargeScanTest, a_deadline_ends_a_scan) {
  const ReadOptions options{.deadline = std::chrono::milliseconds(1)};
  const Snapshot at = db->snapshot(options);
  expect_error(ErrorCode::interrupted, [&] {
    for (;;) at.collection("c").count(R"({"pad":{"$regex":"q$"}})");
  });
}

TEST_F(LargeScanTest, many_scans_at_once_do_not_get_in_each_others_way) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5; ++i)
        EXPECT_EQ(docs.count("{\"n\":" + std::to_string(t * 7 + i) + "}"), t * 7 + i == 11 ? 299u : 300u);
    });
  for (auto& thread : threads) thread.join();
}

TEST(SortMemory, a_sort_of_more_than_its_bound_is_refused_and_a_limit_or_an_index_mends_it) {
  Database db = Database::in_memory();
  auto docs = db.collection("c");
  const std::string pad(1u << 20, 'p');
  for (int i = 0; i < 70; ++i)
    docs.insert("{\"_id\":" + std::to_string(i) + ",\"n\":" + std::to_string(70 - i) + ",\"pad\":\"" + pad + "\"}");
  const FindOptions sorted{.projection = R"({"n":1})", .sort = R"({"n":1})"};
  expect_error(
      ErrorCode::too_large, [&] { docs.find("{}", sorted).all(); }, "index");
  FindOptions limited = sorted;
  limited.limit = 2;
  EXPECT_EQ(docs.find("{}", limited).all(), (std::vector<std::string>{R"({"_id":69,"n":1})", R"({"_id":68,"n":2})"}));
}

}  // namespace
}  // namespace stele
