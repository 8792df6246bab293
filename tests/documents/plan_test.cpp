// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Which way the planner takes, as explain tells it. That every way finds the same: index_differential_test.cpp.
#include <gtest/gtest.h>
#include <stele/stele.h>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <random>

namespace stele {
namespace {

using testing::expect_error;

class PlanTest : public ::testing::Test {
 protected:
  Collection items() { return db.collection("items"); }

  /// 1000 documents: n 0..99, name "name000".., tags of two.
  void fill() {
    db.write([](Transaction& tx) {
      for (int i = 0; i < 1000; ++i) {
        std::string number = std::to_string(i);
        number.insert(0, 3 - number.size(), '0');
        tx.collection("items").insert(R"({"_id":)" + std::to_string(i) + R"(,"n":)" + std::to_string(i % 100) + R"(,"name":"name)" + number +
                                      R"(","tags":["t)" + std::to_string(i % 10) + R"(","u)" + std::to_string(i % 7) +
                                      R"("],"parts":[{"k":)" + std::to_string(i % 50) + R"(,"v":1},{"k":7,"v":)" + std::to_string(i) + "}]}");
      }
    });
  }
  std::string explain(std::string_view filter, const FindOptions& options = {}) { return items().explain(filter, options); }
  void expect_explained(std::string_view filter, std::initializer_list<std::string_view> parts, const FindOptions& options = {}) {
    const std::string words = explain(filter, options);
    for (const std::string_view part : parts) EXPECT_NE(words.find(part), std::string::npos) << filter << ": " << words << " lacks " << part;
  }

  testing::TemporaryDirectory directory;
  Database db = Database::open(directory / "db");
};

TEST_F(PlanTest, an_anchored_pattern_is_a_range) {
  fill();
  items().create_index(R"({"name": 1})");
  expect_explained(R"({"name": {"$regex": "^name04"}})", {R"("index":"name_1")", R"("documents_examined":10)", R"("returned":10)"});
  expect_explained(R"({"name": {"$regularExpression": {"pattern": "^name04", "options": ""}}})", {R"("documents_examined":10)"});
  expect_explained(R"({"name": {"$in": [{"$regularExpression": {"pattern": "^name04", "options": ""}}, "name777"]}})", {R"("documents_examined":11)"});
  expect_explained(R"({"name": {"$regex": "^name04?"}})", {R"("returned":100,)"});
  expect_explained(R"({"name": {"$regex": "^NAME04", "$options": "i"}})", {R"("returned":10)"});
  expect_explained(R"({"name": {"$regex": "^name04|77"}})", {R"("returned":29,)"});
}

TEST_F(PlanTest, an_elem_match_binds_conditions_on_one_element_together) {
  fill();
  items().create_index(R"({"parts.k": 1, "parts.v": 1})");
  expect_explained(R"({"parts": {"$elemMatch": {"k": 7, "v": 500}}})", {R"("keys_examined":1,)", R"("returned":1,)"});
  expect_explained(R"({"parts.k": 7, "parts.v": 500})", {R"("returned":1,)"});
  items().create_index(R"({"tags": 1})");
  expect_explained(R"({"tags": {"$elemMatch": {"$gte": "t3", "$lt": "t4"}}})", {R"("documents_examined":100)", R"("returned":100)"});
}

TEST_F(PlanTest, one_tag_newest_first_reads_as_many_as_are_wanted) {
  fill();
  items().create_index(R"({"tags": 1, "n": -1})");
  expect_explained(R"({"tags": "t3"})", {R"("sorted":true)", R"("documents_examined":5,)", R"("returned":5,)"}, {.sort = R"({"n": -1})", .limit = 5});
  expect_explained(R"({"tags": {"$gte": "t3"}})", {R"("sorted":false)"}, {.sort = R"({"n": -1})", .limit = 5});
}

TEST_F(PlanTest, branches_of_any_or_use_ids_and_indexes_and_what_stands_beside) {
  fill();
  items().create_index(R"({"n": 1})");
  items().create_index(R"({"name": 1})");
  expect_explained(R"({"$or": [{"_id": 5}, {"n": 3}]})", {R"("plan":"branches")", R"("documents_examined":11)"});
  expect_explained(R"({"$and": [{"$or": [{"_id": 5}, {"n": 3}]}, {"$or": [{"name": "name005"}, {"tags": "t1"}]}]})",
                   {R"("plan":"branches")", R"("documents_examined":11)", R"("returned":1,)"});
  expect_explained(R"({"$or": [{"n": 3}, {"n": 4}]})", {R"("index":"n_1","ranges":2)", R"("documents_examined":20)"});
  expect_explained(R"({"$or": [{"n": 3}, {"other": 4}]})", {R"("plan":"documents")"});
}

TEST_F(PlanTest, the_next_page_of_a_value_begins_behind_the_last_id) {
  fill();
  items().create_index(R"({"n": 1})");
  expect_explained(R"({"n": 5, "_id": {"$gt": 705}})", {R"("index":"n_1")", R"("keys_examined":2,)", R"("returned":2,)"}, {.sort = R"({"_id": 1})"});
}

TEST_F(PlanTest, negations_leave_ranges_on_both_sides) {
  fill();
  items().create_index(R"({"n": 1})");
  expect_explained(R"({"n": {"$not": {"$gte": 2}}})", {R"("index":"n_1")", R"("documents_examined":20)"});
  expect_explained(R"({"n": {"$gte": 98, "$ne": 99}})", {R"("documents_examined":10)"});
}

TEST_F(PlanTest, a_sparse_index_answers_exists) {
  fill();
  items().update_many(R"({"_id": {"$lt": 5}})", R"({"$set": {"email": "x"}})");
  items().create_index(R"({"email": 1})", {.sparse = true});
  expect_explained(R"({"email": {"$exists": true}})", {R"("index":"email_1")", R"("documents_examined":5)"});
  expect_explained(R"({"email": {"$type": "string"}})", {R"("documents_examined":5)"});
  expect_explained(R"({"email": {"$exists": false}})", {R"("plan":"documents")", R"("returned":995)"});
}

TEST_F(PlanTest, a_hint_is_a_name_or_the_keys) {
  fill();
  items().create_index(R"({"n": 1, "name": -1})", {.name = "both"});
  expect_explained("{}", {R"("index":"both")"}, {.hint = R"({"n": 1, "name": -1})"});
  expect_explained(R"({"n": 5})", {R"("plan":"documents")"}, {.hint = "_id_"});
  expect_explained(R"({"n": 5, "_id": {"$lt": 10}})", {R"("documents_examined":10)"}, {.hint = R"({"_id": 1})"});
  expect_explained(R"({"n": 5})", {R"("plan":"documents")"}, {.hint = R"({"$natural": 1})"});
  expect_error(ErrorCode::invalid, [&] { items().find("{}", {.hint = R"({"n": 1})"}); }, "no index");
}

TEST_F(PlanTest, a_large_range_is_scanned_when_that_is_cheaper) {
  db.write([](Transaction& tx) {
    for (int i = 0; i < 5000; ++i)
      tx.collection("items").insert(R"({"_id":)" + std::to_string(i) + R"(,"n":)" + std::to_string(i) + R"(,"m":)" + std::to_string(i % 2) + "}");
  });
  items().create_index(R"({"n": 1})");
  expect_explained(R"({"n": {"$gte": 10}})", {R"("plan":"documents")"});
  expect_explained(R"({"n": {"$gte": 4900}})", {R"("index":"n_1")", R"("documents_examined":100)"});
  expect_explained(R"({"n": {"$gte": 10}})", {R"("index":"n_1")"}, {.sort = R"({"n": 1})", .limit = 10});
}

TEST_F(PlanTest, what_is_too_much_to_sort_in_memory_is_read_in_the_order_of_an_index) {
  // Random, so that it does not shrink when compressed; three times what is taken for large, because RocksDB's figure
  // is a rough one while it flushes.
  std::mt19937_64 random(1);
  for (int batch = 0; batch < 10; ++batch)
    db.write([&](Transaction& tx) {
      for (int i = 0; i < 500; ++i) {
        std::string text;
        while (text.size() < 10'000) text += std::to_string(random());
        tx.collection("items").insert(R"({"n":)" + std::to_string(random() % 5000) + R"(,"text":")" + text + "\"}");
      }
    });
  items().create_index(R"({"n": 1})");
  expect_explained("{}", {R"("index":"n_1")", R"("sorted":true)"}, {.sort = R"({"n": 1})"});
  expect_explained(R"({"n": {"$lt": 50}})", {R"("index":"n_1")"}, {.sort = R"({"text": 1})"});
}

TEST_F(PlanTest, an_order_that_finds_few_is_not_followed_to_its_end) {
  fill();
  items().create_index(R"({"n": 1})");
  items().create_index(R"({"name": 1})");
  expect_explained(R"({"n": 99})", {R"("index":"n_1")", R"("documents_examined":10)"}, {.sort = R"({"name": 1})", .limit = 5});
}

}  // namespace
}  // namespace stele
