// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// insert_many and bulk_load: what is there afterwards is what inserting one by one leaves.
#include <gtest/gtest.h>
#include <stele/stele.h>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace stele {
namespace {

std::string document(int id, int n) { return "{\"_id\":" + std::to_string(id) + ",\"n\":" + std::to_string(n) + "}"; }

std::vector<std::string> documents(int first, int count) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) all.push_back(document(first + i, (first + i) % 7));
  return all;
}

/// What bulk_load is given: the texts of a list.
std::function<std::optional<std::string_view>()> from(const std::vector<std::string>& texts) {
  return [&texts, at = std::size_t{0}]() mutable -> std::optional<std::string_view> {
    if (at == texts.size()) return std::nullopt;
    return texts[at++];
  };
}

using testing::expect_error;

class BulkTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() {
    docs.reset();
    db.reset();
    db.emplace(Database::open(directory / "db"));
    docs.emplace(db->collection("c"));
  }

  testing::TemporaryDirectory directory;
  std::optional<Database> db;
  std::optional<Collection> docs;
};

TEST_F(BulkTest, insert_many_takes_ids_in_any_order_among_those_that_are_there) {
  docs->create_index(R"({"n":1})");
  docs->insert_many(documents(1000, 600));
  std::vector<std::string> around = documents(400, 600);
  std::ranges::reverse(around);
  for (int id = 1600; id < 1700; ++id) around.insert(around.begin(), document(id, id % 7));
  EXPECT_EQ(docs->insert_many(around).front(), DocumentId(1699));
  EXPECT_EQ(docs->count(), 1300u);
  EXPECT_EQ(docs->count(R"({"n":3})"), docs->find(R"({"n":3})", {.hint = "$natural"}).all().size());
}

TEST_F(BulkTest, the_first_document_that_is_refused_decides_and_none_is_inserted) {
  docs->insert(document(5, 0));
  std::vector<std::string> with_both = documents(0, 500);
  with_both[300] = "{";  // after the one that exists
  expect_error(
      ErrorCode::exists, [&] { docs->insert_many(with_both); }, "_id 5");
  with_both[2] = "[]";  // before it
  expect_error(ErrorCode::invalid, [&] { docs->insert_many(with_both); });
  std::vector<std::string> twice = documents(10, 500);
  twice[400] = document(17, 1);
  expect_error(
      ErrorCode::exists, [&] { docs->insert_many(twice); }, "_id 17");
  EXPECT_EQ(docs->count(), 1u);
}

TEST_F(BulkTest, insert_many_sees_what_its_transaction_has_written_and_removed) {
  docs->insert_many(documents(0, 300));
  db->write([](Transaction& tx) {
    auto own = tx.collection("c");
    own.remove(7);
    own.insert(document(1000, 1));
    expect_error(
        ErrorCode::exists, [&] { own.insert_many(documents(900, 300)); }, "_id 1000");
    own.insert_many(documents(7, 1));
    own.insert_many(documents(1001, 300));
  });
  EXPECT_EQ(docs->count(), 601u);
}

TEST_F(BulkTest, bulk_load_inserts_everything_durably_with_its_index_entries) {
  docs->create_index(R"({"n":1})");
  const auto all = documents(0, 30'000);
  EXPECT_EQ(docs->bulk_load(from(all)), 30'000u);
  open();
  EXPECT_EQ(docs->count(), 30'000u);
  EXPECT_EQ(docs->count(R"({"n":3})"), docs->find(R"({"n":3})", {.hint = "$natural"}).all().size());
  EXPECT_EQ(docs->bulk_load([]() -> std::optional<std::string_view> { return std::nullopt; }), 0u);
}

TEST_F(BulkTest, a_load_that_fails_leaves_the_beginning_that_its_error_names) {
  auto all = documents(0, 60'000);
  all[59'999] = document(3, 3);
  std::string loaded;
  try {
    docs->bulk_load(from(all));
    FAIL() << "the id 3 was loaded twice";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::exists) << error.message();
    loaded = error.detail().at("loaded");
  }
  open();
  EXPECT_GT(docs->count(), 0u);
  EXPECT_EQ(std::to_string(docs->count()), loaded);
  EXPECT_EQ(docs->count("{\"_id\":{\"$lt\":" + loaded + "}}"), docs->count());
}

TEST_F(BulkTest, bulk_load_is_not_for_the_inside_of_a_transaction) {
  const auto all = documents(0, 3);
  db->write([&](Transaction& tx) {
    expect_error(
        ErrorCode::invalid, [&] { tx.collection("c").bulk_load(from(all)); }, "insert_many");
  });
}

}  // namespace
}  // namespace stele
