// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Verbs of collections through the C++ face; what MongoDB's semantics make of them is in tests/cli.
#include <gtest/gtest.h>
#include <stele/stele.h>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <mutex>
#include <set>
#include <thread>

namespace stele {
namespace {

using testing::expect_error;

class DocumentVerbsTest : public ::testing::Test {
 protected:
  Collection c() { return db.collection("c"); }
  std::string all() {
    std::string out;
    for (const std::string& document : c().find().all()) out += document;
    return out;
  }

  testing::TemporaryDirectory directory;
  Database db = Database::open(directory / "db");
};

TEST_F(DocumentVerbsTest, a_bulk_write_is_all_or_nothing_unless_told_otherwise) {
  c().insert(R"({"_id":1})");
  const BulkOperation operations[] = {
      BulkOperation::insert_one(R"({"_id":2})"), BulkOperation::update_many("{}", R"({"$set":{"n":1}})"),
      BulkOperation::insert_one(R"({"_id":1})"), BulkOperation::delete_one(R"({"_id":2})")};
  const Error error = expect_error(
      ErrorCode::exists, [&] { c().bulk_write(operations); }, "operations[2]", "_id 1");
  EXPECT_EQ(error.detail().at("index"), "2");
  EXPECT_EQ(all(), R"({"_id":1})");

  const BulkResult stopped = c().bulk_write(operations, OnRefusal::stop);
  EXPECT_EQ(stopped.inserted_ids.at(0), DocumentId(2));
  EXPECT_EQ(stopped.modified, 2u);
  EXPECT_EQ(stopped.deleted, 0u);
  ASSERT_EQ(stopped.refusals.size(), 1u);
  EXPECT_EQ(stopped.refusals[0].index, 2u);
  EXPECT_EQ(all(), R"({"_id":1,"n":1}{"_id":2,"n":1})");

  const BulkResult rest = c().bulk_write(operations, OnRefusal::go_on);
  EXPECT_EQ(rest.refusals.size(), 2u);
  EXPECT_EQ(rest.deleted, 1u);
  EXPECT_EQ(all(), R"({"_id":1,"n":1})");
}

TEST_F(DocumentVerbsTest, a_refused_bulk_write_leaves_its_transaction_as_it_was_before) {
  db.write([&](Transaction& tx) {
    tx.collection("c").insert(R"({"_id":1})");
    const BulkOperation operations[] = {BulkOperation::delete_one(R"({"_id":1})"),
                                        BulkOperation::replace_one("{}", R"({"$set":{}})", {.upsert = true})};
    expect_error(
        ErrorCode::invalid, [&] { tx.collection("c").bulk_write(operations); }, "operations[1]", "$set");
    EXPECT_EQ(tx.collection("c").count(), 1u);
  });
  EXPECT_EQ(all(), R"({"_id":1})");
}

TEST_F(DocumentVerbsTest, options_that_an_operation_does_not_have_are_refused) {
  expect_error(
      ErrorCode::invalid, [&] { c().update_many("{}", R"({"$set":{"a":1}})", {.sort = R"({"a":1})"}); }, "sort");
  expect_error(
      ErrorCode::invalid, [&] { c().find_one_and_replace("{}", "{}", {.array_filters = "[]"}); }, "array filters");
  const BulkOperation sorted[] = {BulkOperation::update_many("{}", R"({"$set":{"a":1}})", {.sort = R"({"a":1})"})};
  expect_error(
      ErrorCode::invalid, [&] { c().bulk_write(sorted); }, "sort");
}

TEST_F(DocumentVerbsTest, takers_of_a_queue_never_take_the_same_job) {
  constexpr int jobs = 60;
  for (int i = 0; i < jobs; ++i) c().insert("{\"_id\":" + std::to_string(i) + R"(,"state":"new"})");
  std::mutex mutex;
  std::multiset<std::string> taken;
  std::vector<std::thread> takers;
  for (int t = 0; t < 3; ++t)
    takers.emplace_back([&] {
      while (const auto job = c().find_one_and_update(R"({"state":"new"})", R"({"$set":{"state":"taken"}})",
                                                      {.sort = R"({"_id":-1})", .projection = R"({"_id":1})"})) {
        std::lock_guard guard(mutex);
        taken.insert(*job);
      }
    });
  for (std::thread& taker : takers) taker.join();
  EXPECT_EQ(taken.size(), std::size_t{jobs});
  EXPECT_EQ(std::set<std::string>(taken.begin(), taken.end()).size(), std::size_t{jobs});
}

TEST_F(DocumentVerbsTest, the_readmes_queue_hands_out_its_oldest_job) {
  auto jobs = db.collection("jobs");
  jobs.create({.validator =
                   R"({"$jsonSchema": {"required": ["state"], "properties": {"state": {"enum": ["new", "taken"]}}}})"});
  jobs.create_index(R"({"state": 1, "at": 1})");
  for (const char* at : {"19", "17", "18"})
    jobs.insert(R"({"_id": )" + std::string(at) + R"(, "state": "new", "at": )" + at + "}");
  expect_error(
      ErrorCode::constraint, [&] { jobs.insert(R"({"state": "old"})"); }, "state");
  const auto job = jobs.find_one_and_update(R"({"state": "new"})", R"({"$set": {"state": "taken"}})",
                                            {.sort = R"({"at": 1})", .returns = ReturnDocument::after});
  EXPECT_EQ(job, R"({"_id":17,"state":"taken","at":17})");
}

TEST_F(DocumentVerbsTest, a_transaction_and_a_validator_that_came_meanwhile_conflict) {
  c().insert(R"({"_id":1,"n":1})");
  Transaction tx = db.begin();
  tx.collection("c").update_one("{}", R"({"$set":{"n":-1}})");
  c().modify({.validator = R"({"n":{"$gte":0}})"});
  expect_error(ErrorCode::conflict, [&] { tx.commit(); });
  EXPECT_EQ(c().options().validator, R"({"n":{"$gte":0}})");
  EXPECT_EQ(all(), R"({"_id":1,"n":1})");
}

TEST_F(DocumentVerbsTest, a_collection_is_made_renamed_and_dropped_in_one_transaction) {
  c().insert(R"({"_id":1})");
  db.write([&](Transaction& tx) {
    tx.collection("d").create({.validator = R"({"n":{"$type":"int"}})", .validation_action = ValidationAction::warn});
    tx.collection("d").insert(R"({"_id":"x"})");
    tx.collection("c").rename("old");
    tx.collection("d").rename("c");
    EXPECT_EQ(tx.collections(), (std::vector<std::string>{"c", "old"}));
    tx.collection("old").drop();
  });
  EXPECT_EQ(db.collections(), std::vector<std::string>{"c"});
  EXPECT_EQ(all(), R"({"_id":"x"})");
  EXPECT_EQ(c().options().validation_action, ValidationAction::warn);
  EXPECT_NE(c().stats().find(R"("invalid_documents":1)"), std::string::npos);
}

}  // namespace
}  // namespace stele
