// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What a cursor inside a transaction sees of the transaction's own writes, and writes of many documents that meet each other.
#include <gtest/gtest.h>
#include <stele/stele.h>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <string>
#include <vector>

namespace stele {
namespace {

using testing::expect_error;

class Statements : public ::testing::Test {
 protected:
  Statements() : db(Database::open(directory / "db")), c(db.collection("c")) {}

  testing::TemporaryDirectory directory;
  Database db;
  Collection c;
};

TEST_F(Statements, a_cursor_sees_what_was_there_when_it_was_opened_by_every_plan) {
  for (int i = 0; i < 100; ++i) c.insert(R"({"_id":)" + std::to_string(i) + R"(,"a":)" + std::to_string(i) + "}");
  c.create_index(R"({"a":1})");
  for (const char* hint : {"$natural", "a_1"}) {
    SCOPED_TRACE(hint);
    Transaction tx = db.begin();
    Collection own = tx.collection("c");
    own.update_one(R"({"_id":5})", R"({"$set":{"b":"before"}})");
    Documents found = own.find(R"({"a":{"$gte":0}})", {.hint = hint});
    own.update_many("{}", R"({"$set":{"b":"after"},"$inc":{"a":1}})");
    own.remove(DocumentId(99));
    own.insert(R"({"_id":200,"a":200})");
    const std::vector<std::string> documents = found.all();
    ASSERT_EQ(documents.size(), 100u);
    EXPECT_EQ(documents[5], R"({"_id":5,"a":5,"b":"before"})");
    EXPECT_EQ(documents[99], R"({"_id":99,"a":99})");
    EXPECT_EQ(own.count(R"({"b":"after"})"), 99u);
  }
}

TEST_F(Statements, insert_many_over_expired_documents_keeps_a_unique_index_whole) {
  c.create_index(R"({"k":1})", {.unique = true});
  c.create_index(R"({"t":1})", {.expire_after_seconds = 0});
  for (const std::string second : {R"({"_id":"a","k":2})", R"({"_id":"a","k":1})"}) {
    SCOPED_TRACE(second);
    c.remove_many("{}");
    c.insert(R"({"_id":"a","k":1,"t":{"$date":"2020-01-01T00:00:00Z"}})");
    const std::vector<std::string> documents = {R"({"_id":"b","k":1})", second};
    const bool duplicate = second.find("\"k\":1") != std::string::npos;
    if (duplicate) {
      expect_error(ErrorCode::exists, [&] { c.insert_many(documents); }, "unique index");
      EXPECT_EQ(c.count(), 0u);
    } else {
      c.insert_many(documents);
      EXPECT_EQ(c.find_one(R"({"k":1})", {.hint = "k_1"}), documents[0]);
      expect_error(ErrorCode::exists, [&] { c.insert(R"({"k":1})"); }, "unique index");
    }
  }
}

TEST_F(Statements, an_error_in_a_filter_ends_the_find_instead_of_leaving_documents_out) {
  for (int i = 0; i < 40; ++i) c.insert(R"({"_id":)" + std::to_string(i) + R"(,"n":)" + (i == 5 ? "\"x\"" : "1") + "}");
  Documents found = c.find(R"({"$expr":{"$gt":[{"$add":["$n",1]},0]}})");
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(found.next());
  EXPECT_THROW(found.next(), Error);
  expect_error(ErrorCode::closed, [&] { found.next(); }, "ask for them again");
}

}  // namespace
}  // namespace stele
