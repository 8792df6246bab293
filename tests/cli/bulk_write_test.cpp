// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Bulk writes, after the behaviours of MongoDB's published CRUD cases.
#include "tests/cli/program.h"

namespace stele::cli {
namespace {

class BulkWriteTest : public ::testing::Test {
 protected:
  BulkWriteTest() { exec.ask(R"({"op":"insert","collection":"c","docs":[{"_id":1,"x":11},{"_id":2,"x":22}]})"); }

  std::string bulk(std::string_view ops, std::string_view more = "") {
    return exec.ask(R"({"op":"bulk_write","collection":"c","ops":[)" + std::string(ops) + "]" + std::string(more) +
                    "}");
  }
  std::string all() { return exec.ask(R"({"op":"find","collection":"c","sort":{"_id":1}})"); }

  TemporaryDirectory temporary;
  Exec exec{temporary.path("db")};
};

TEST_F(BulkWriteTest, deletes) {
  EXPECT_EQ(
      bulk(R"({"deleteOne":{"filter":{"_id":3}}},{"deleteOne":{"filter":{"_id":2}}})"),
      R"({"ok":true,"inserted":0,"inserted_ids":{},"matched":0,"modified":0,"deleted":1,"upserted":0,"upserted_ids":{},"errors":[]})");
  EXPECT_NE(bulk(R"({"deleteMany":{"filter":{"x":{"$lt":11}}}},{"deleteMany":{"filter":{"x":{"$lte":22}}}})")
                .find(R"("deleted":1)"),
            std::string::npos);
  EXPECT_EQ(all(), R"({"ok":true,"docs":[]})");
}

TEST_F(BulkWriteTest, replaces_and_upserts) {
  EXPECT_EQ(
      bulk(
          R"({"replaceOne":{"filter":{"_id":3},"replacement":{"x":33}}},{"replaceOne":{"filter":{"_id":1},"replacement":{"x":12}}},)"
          R"({"replaceOne":{"filter":{"_id":3},"replacement":{"x":33},"upsert":true}})"),
      R"({"ok":true,"inserted":0,"inserted_ids":{},"matched":1,"modified":1,"deleted":0,"upserted":1,"upserted_ids":{"2":3},"errors":[]})");
  EXPECT_EQ(all(), R"({"ok":true,"docs":[{"_id":1,"x":12},{"_id":2,"x":22},{"_id":3,"x":33}]})");
}

TEST_F(BulkWriteTest, updates_count_what_matched_and_what_changed) {
  EXPECT_EQ(
      bulk(
          R"({"updateMany":{"filter":{"x":{"$lt":11}},"update":{"$set":{"x":0}}}},{"updateMany":{"filter":{"x":{"$lte":22}},"update":{"$unset":{"y":1}}}},)"
          R"({"updateOne":{"filter":{"_id":2},"update":{"$inc":{"x":1}}}},{"updateOne":{"filter":{"_id":3},"update":{"$set":{"x":33}},"upsert":true}})"),
      R"({"ok":true,"inserted":0,"inserted_ids":{},"matched":3,"modified":1,"deleted":0,"upserted":1,"upserted_ids":{"3":3},"errors":[]})");
  EXPECT_EQ(all(), R"({"ok":true,"docs":[{"_id":1,"x":11},{"_id":2,"x":23},{"_id":3,"x":33}]})");
}

TEST_F(BulkWriteTest, array_filters_and_sorts) {
  exec.ask(R"({"op":"insert","collection":"c","docs":[{"_id":3,"x":5,"y":[{"b":3},{"b":1}]}]})");
  bulk(
      R"({"updateOne":{"filter":{"_id":3},"update":{"$set":{"y.$[i].b":2}},"arrayFilters":[{"i.b":3}]}},)"
      R"({"updateOne":{"filter":{},"update":{"$set":{"least":1}},"sort":{"x":1}}},{"replaceOne":{"filter":{},"replacement":{"x":99},"sort":{"x":-1}}})");
  EXPECT_EQ(
      all(),
      R"({"ok":true,"docs":[{"_id":1,"x":11},{"_id":2,"x":99},{"_id":3,"x":5,"y":[{"b":2},{"b":1}],"least":1}]})");
}

TEST_F(BulkWriteTest, each_operation_sees_what_those_before_it_did) {
  EXPECT_EQ(
      bulk(
          R"({"insertOne":{"document":{"_id":3,"x":33}}},{"updateOne":{"filter":{"_id":2},"update":{"$inc":{"x":1}}}},)"
          R"({"updateMany":{"filter":{"_id":{"$gt":1}},"update":{"$inc":{"x":1}}}},{"insertOne":{"document":{"_id":4,"x":44}}},)"
          R"({"deleteMany":{"filter":{"x":{"$nin":[24,34]}}}},{"replaceOne":{"filter":{"_id":4},"replacement":{"_id":4,"x":44},"upsert":true}})"),
      R"({"ok":true,"inserted":2,"inserted_ids":{"0":3,"3":4},"matched":3,"modified":3,"deleted":2,"upserted":1,"upserted_ids":{"5":4},"errors":[]})");
  EXPECT_EQ(all(), R"({"ok":true,"docs":[{"_id":2,"x":24},{"_id":3,"x":34},{"_id":4,"x":44}]})");
}

constexpr std::string_view with_duplicates =
    R"({"insertOne":{"document":{"_id":3,"x":33}}},{"insertOne":{"document":{"_id":1,"x":99}}},{"updateOne":{"filter":{"_id":2},"update":{"$inc":{"x":1}}}},)"
    R"({"insertOne":{"document":{"_id":3}}},{"updateOne":{"filter":{"_id":2},"update":{"$push":{"x":1}}}},{"insertOne":{"document":{"_id":4}}})";

TEST_F(BulkWriteTest, ordered_stops_at_the_first_refusal_and_keeps_what_came_before) {
  const std::string answer = bulk(with_duplicates);
  EXPECT_EQ(code_of(answer), "exists");
  EXPECT_TRUE(message_of(answer).starts_with("ops[1]: ")) << answer;
  EXPECT_NE(answer.find(R"("inserted":1,"inserted_ids":{"0":3},"matched":0)"), std::string::npos) << answer;
  EXPECT_EQ(all(), R"({"ok":true,"docs":[{"_id":1,"x":11},{"_id":2,"x":22},{"_id":3,"x":33}]})");
}

TEST_F(BulkWriteTest, unordered_goes_on_and_lists_each_refusal) {
  const std::string answer = bulk(with_duplicates, R"(,"ordered":false)");
  EXPECT_EQ(code_of(answer), "exists");
  EXPECT_NE(answer.find(R"("inserted":2,"inserted_ids":{"0":3,"5":4},"matched":1,"modified":1)"), std::string::npos)
      << answer;
  for (const char* part :
       {R"({"index":1,"code":"exists")", R"({"index":3,"code":"exists")", R"({"index":4,"code":"invalid")"})
    EXPECT_NE(answer.find(part), std::string::npos) << answer;
  EXPECT_EQ(all(), R"({"ok":true,"docs":[{"_id":1,"x":11},{"_id":2,"x":23},{"_id":3,"x":33},{"_id":4}]})");
}

TEST_F(BulkWriteTest, in_a_transaction_it_is_part_of_it) {
  exec.ask(R"({"op":"begin"})");
  bulk(R"({"insertOne":{"document":{"_id":3}}},{"insertOne":{"document":{"_id":1}}})", R"(,"tx":1)");
  EXPECT_EQ(exec.ask(R"({"op":"count","collection":"c","tx":1})"), R"({"ok":true,"count":3})");
  exec.ask(R"({"op":"rollback","tx":1})");
  EXPECT_EQ(all(), R"({"ok":true,"docs":[{"_id":1,"x":11},{"_id":2,"x":22}]})");
}

TEST_F(BulkWriteTest, a_request_that_is_malformed_anywhere_carries_nothing_out) {
  struct Bad {
    const char* op;
    const char* named;
  };
  for (const Bad& bad : std::initializer_list<Bad>{
           {R"({"insertTwo":{"document":{}}})", "ops[1]"},
           {R"({"insertOne":{"document":{}},"deleteOne":{"filter":{}}})", "ops[1]"},
           {R"(7)", "ops[1]"},
           {R"({"insertOne":{}})", "ops[1].insertOne.document is missing"},
           {R"({"insertOne":{"document":[]}})", "must be an object"},
           {R"({"updateMany":{"filter":{},"update":{"$set":{"a":1}},"sort":{"x":1}}})", "updateMany.sort is unknown"},
           {R"({"deleteOne":{"filter":{},"collation":{"locale":"en"}}})", "deleteOne.collation is unknown"},
           {R"({"updateOne":{"filter":{},"update":{"$set":{"a":1}},"upsert":1}})",
            "updateOne.upsert must be true or false"},
           {R"({"updateOne":{"filter":{},"update":7}})", "updateOne.update must be"}}) {
    const std::string answer = bulk(R"({"insertOne":{"document":{"_id":3}}},)" + std::string(bad.op));
    EXPECT_EQ(code_of(answer), "invalid") << bad.op;
    EXPECT_NE(message_of(answer).find(bad.named), std::string::npos) << answer;
  }
  EXPECT_EQ(all(), R"({"ok":true,"docs":[{"_id":1,"x":11},{"_id":2,"x":22}]})");
}

}  // namespace
}  // namespace stele::cli
