// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Pipelines over collections, streams and SQL, at one moment and with the transaction's own writes.
#include "tests/aggregate/aggregate_case.h"

namespace stele {
namespace {

using testing::expect_error;

constexpr const char* by_k = R"([{"$group":{"_id":"$k","n":{"$sum":"$v"}}},{"$sort":{"_id":1}}])";

class SourcesTest : public AggregateTest {
 protected:
  SourcesTest() {
    insert("c", {R"({"_id":1,"k":"x","v":2})", R"({"_id":2,"k":"y","v":3})", R"({"_id":3,"k":"x","v":5})"});
    db.sql("CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT, weight REAL, photo BLOB)");
    db.sql("INSERT INTO users VALUES(2, 'Ada', 1.5, x'00ff'), (3, 'Bob', NULL, NULL)");
    db.stream("s").append({.key = "ada", .data = R"({"v":1})", .time = Timestamp(std::chrono::seconds(86400))});
    db.stream("s").append(
        {.key = "\xff", .data = "[2]", .time = Timestamp(std::chrono::microseconds(86400'000'000 + 123'456))});
  }
};

TEST_F(SourcesTest, a_collection_is_grouped_inside_a_transaction_a_snapshot_and_outside) {
  EXPECT_EQ(run("c", by_k), (Texts{R"({"_id":"x","n":7})", R"({"_id":"y","n":3})"}));
  const Snapshot before = db.snapshot();
  Transaction tx = db.begin();
  tx.collection("c").insert(R"({"_id":4,"k":"z","v":9})");
  tx.collection("c").remove(1);
  EXPECT_EQ(tx.collection("c").aggregate(by_k).all(),
            (Texts{R"({"_id":"x","n":5})", R"({"_id":"y","n":3})", R"({"_id":"z","n":9})"}));
  tx.commit();
  EXPECT_EQ(before.collection("c").aggregate(by_k).all().size(), 2u);
  EXPECT_EQ(run("c", by_k).size(), 3u);
}

TEST_F(SourcesTest, a_streamed_result_stays_at_its_statement) {
  Transaction tx = db.begin();
  Documents found = tx.collection("c").aggregate(R"([{"$set":{"w":1}}])");
  tx.collection("c").insert(R"({"_id":4})");
  tx.collection("c").remove(3);
  EXPECT_EQ(found.all().size(), 3u);
}

TEST_F(SourcesTest, an_absent_source_has_no_documents) {
  EXPECT_TRUE(run("nothing", "[]").empty());
  EXPECT_TRUE(run_source(R"({"stream":"nothing"})", "[]").empty());
}

TEST_F(SourcesTest, events_are_documents_with_offset_time_key_and_data) {
  EXPECT_EQ(run_source(R"({"stream":"s"})", "[]"),
            (Texts{R"({"offset":0,"time":{"$date":"1970-01-02T00:00:00.000Z"},"key":"ada","data":{"v":1}})",
                   R"({"offset":1,"time":{"$date":"1970-01-02T00:00:00.123456Z"},)"
                   R"("key":{"$binary":{"base64":"/w==","subType":"00"}},"data":[2]})"}));
  EXPECT_EQ(run_source(R"({"stream":"s"})", R"([{"$match":{"offset":{"$gt":0,"$lt":7}}},{"$project":{"data":1}}])"),
            Texts{R"({"data":[2]})"});
  EXPECT_TRUE(run_source(R"({"stream":"s"})", R"([{"$match":{"offset":{"$gt":3,"$lt":2}}}])").empty());
  Transaction tx = db.begin();
  tx.stream("s").append({.key = "own", .data = "3"});
  EXPECT_EQ(tx.aggregate(R"({"stream":"s"})", R"([{"$group":{"_id":null,"last":{"$last":"$key"},"n":{"$sum":1}}}])").all(),
            Texts{R"({"_id":null,"last":"own","n":3})"});
}

// $first binds a $group to the order of offsets; without it events are read as their data lie.
TEST_F(SourcesTest, a_group_that_needs_no_order_sees_the_same_events) {
  append("many", 10'000);
  const std::string large = R"({"v":7,"pad":")" + std::string(9u << 20, 'p') + "\"}";
  for (int i = 0; i < 2; ++i) db.stream("many").append({.key = "k5", .data = large});  // the segment is full
  append("many", 10'000);
  db.stream("many").append({.key = std::string("a\0b", 3), .data = R"({"v":1.5})"});
  db.stream("many").truncate(123);
  Transaction own = db.begin();
  own.stream("many").append({.key = "k7", .data = R"({"v":-5})"});
  const std::string source = R"({"stream":"many"})", bound = R"(,"first":{"$first":"$offset"})";
  for (
      const std::string match :
      {R"({})", R"({"offset":{"$gte":200,"$lt":15000}})", R"({"offset":{"$gte":10002}})", R"({"offset":10001})",
       R"({"time":{"$gte":{"$date":{"$numberLong":"1700000500000"}},"$lt":{"$date":{"$numberLong":"1700008000000"}}}})",
       R"({"data.v":{"$lt":300}})"}) {
    SCOPED_TRACE(match);
    const auto group = [&](const std::string& more) {
      return R"([{"$match":)" + match + R"(},{"$group":{"_id":"$key","n":{"$sum":1},"v":{"$sum":"$data.v"},)" +
             R"("from":{"$min":"$time"},"to":{"$max":"$offset"})" + more +
             R"(}},{"$unset":"first"},{"$sort":{"_id":1}}])";
    };
    const auto told = [&](const std::string& more) { return db.explain_aggregate(source, group(more)); };
    EXPECT_NE(told("").find(R"("order":"stored")"), std::string::npos);
    EXPECT_EQ(told(bound).find(R"("order":"stored")"), std::string::npos);
    EXPECT_FALSE(run_source(source, group("")).empty());
    EXPECT_EQ(run_source(source, group("")), run_source(source, group(bound)));
    EXPECT_EQ(own.aggregate(source, group("")).all(), own.aggregate(source, group(bound)).all());
  }
}

TEST_F(SourcesTest, rows_of_a_select_are_documents) {
  EXPECT_EQ(run_source(R"({"sql":"SELECT * FROM users WHERE id > ? ORDER BY id","parameters":[1]})", "[]"),
            (Texts{R"({"id":2,"name":"Ada","weight":1.5,"photo":{"$binary":{"base64":"AP8=","subType":"00"}}})",
                   R"({"id":3,"name":"Bob","weight":null,"photo":null})"}));
  EXPECT_EQ(run("c", R"([{"$lookup":{"from":{"sql":"SELECT id, name FROM users"},"localField":"_id","foreignField":"id",
                          "as":"user"}},{"$match":{"user.name":"Bob"}}])"),
            Texts{R"({"_id":3,"k":"x","v":5,"user":[{"id":3,"name":"Bob"}]})"});
}

TEST_F(SourcesTest, all_sources_are_read_at_one_moment_with_the_transactions_writes) {
  constexpr const char* all = R"([{"$project":{"_id":1}},{"$unionWith":{"coll":{"stream":"s"},"pipeline":[{"$count":"n"}]}},
      {"$unionWith":{"coll":{"sql":"SELECT count(*) AS users FROM users"}}}])";
  const Texts before = {R"({"_id":1})", R"({"_id":2})", R"({"_id":3})", R"({"n":2})", R"({"users":2})"};
  const Snapshot at = db.snapshot();
  Transaction tx = db.begin();
  tx.sql("DELETE FROM users WHERE id = 3");
  tx.collection("c").remove_many("{}");
  tx.stream("s").append({.data = "1"});
  EXPECT_EQ(tx.collection("c").aggregate(all).all().size(), 2u - 1 + 1);
  EXPECT_EQ(tx.aggregate(R"("c")", all).all(), (Texts{R"({"n":3})", R"({"users":1})"}));
  EXPECT_EQ(run("c", all), before);
  tx.commit();
  EXPECT_EQ(at.aggregate(R"("c")", all).all(), before);
  EXPECT_EQ(run("c", all).size(), 2u);
}

TEST_F(SourcesTest, what_a_serializable_transaction_aggregates_is_validated_at_its_commit) {
  insert_many("large", 8000);  // enough for threads
  for (const char* collection : {"c", "large"}) {
    Transaction tx = db.begin();
    tx.collection(collection).aggregate(R"([{"$group":{"_id":null,"n":{"$sum":1}}}])").all();
    tx.collection("d").put(R"({"_id":1})");
    db.collection(collection).insert(R"({"_id":1000000})");
    expect_error(ErrorCode::conflict, [&] { tx.commit(); }, "documents");
  }
}

TEST_F(SourcesTest, sources_that_are_none_are_refused) {
  const auto refused = [&](std::string_view source, const auto&... parts) {
    expect_error(ErrorCode::invalid, [&] { run_source(source, "[]"); }, parts...);
  };
  refused("17", "source");
  refused(R"({"table":"users"})", "source");
  refused(R"({"sql":"DELETE FROM users"})", "DELETE", "SELECT");
  refused(R"({"sql":"PRAGMA user_version"})", "PRAGMA", "SELECT");
  refused(R"({"sql":"/* a plan */ EXPLAIN SELECT 1"})", "EXPLAIN", "SELECT");
  refused(R"({"sql":"SELECT id, id FROM users"})", "two columns", "\"id\"");
  refused(R"({"sql":"SELECT nope FROM users"})", "no such column");
  refused(R"({"sql":"SELECT ?","parameters":[[1]]})", "parameter 1", "array");
  refused(R"({"sql":"SELECT 9e999 AS x"})", "\"x\"", "infinite");
  Transaction tx = db.begin();
  expect_error(
      ErrorCode::invalid, [&] { tx.aggregate(R"({"sql":"UPDATE users SET name = 'x' RETURNING id"})", "[]").all(); },
      "SELECT");
  EXPECT_EQ(tx.sql("SELECT count(*) FROM users WHERE name = 'x'").one<std::int64_t>(), 0);
}

TEST_F(SourcesTest, a_result_outlives_neither_its_transaction_nor_the_database) {
  insert_many("large", 8000);
  Transaction tx = db.begin();
  Documents grouped = tx.collection("large").aggregate(R"([{"$group":{"_id":"$k"}}])");
  Documents streamed = tx.collection("large").aggregate(R"([{"$set":{"x":1}}])");
  Documents rows = tx.aggregate(R"({"sql":"SELECT id FROM users"})", "[]");
  streamed.next();
  tx.rollback();
  for (Documents* each : {&grouped, &streamed, &rows}) expect_error(ErrorCode::invalid, [&] { each->next(); }, "ended");
  db.close();
}

}  // namespace
}  // namespace stele
