// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// $out and $merge: statements of a transaction, through the writer of every verb.
#include "tests/aggregate/aggregate_case.h"

namespace stele {
namespace {

using testing::expect_error;

class WritesTest : public AggregateTest {
 protected:
  WritesTest() { insert("c", {R"({"_id":1,"v":1})", R"({"_id":2,"v":2})", R"({"_id":3,"v":3})"}); }

  Texts all(const std::string& collection) { return db.collection(collection).find("{}", {.sort = R"({"_id":1})"}).all(); }
  void refused(ErrorCode code, std::string_view pipeline, const auto&... parts) {
    SCOPED_TRACE(pipeline);
    const Texts before = all("to");
    expect_error(code, [&] { run("c", pipeline); }, parts...);
    EXPECT_EQ(all("to"), before) << "something was left behind";
  }
};

TEST_F(WritesTest, out_replaces_the_collections_documents_and_keeps_its_indexes) {
  insert("to", {R"({"_id":1,"v":3})", R"({"_id":9,"v":9})"});
  db.collection("to").create_index(R"({"v":1})", {.unique = true});
  EXPECT_TRUE(run("c", R"([{"$match":{"v":{"$gt":1}}},{"$out":"to"}])").empty());
  EXPECT_EQ(all("to"), (Texts{R"({"_id":2,"v":2})", R"({"_id":3,"v":3})"}));
  EXPECT_EQ(db.collection("to").indexes().size(), 2u) << "that of _id, too";
  EXPECT_EQ(db.collection("to").count(R"({"v":3})"), 1u);
  run("c", R"([{"$match":{"v":99}},{"$out":"to"}])");
  EXPECT_TRUE(all("to").empty());
  run("c", R"([{"$match":{"v":99}},{"$out":"made"}])");
  EXPECT_EQ(db.collections(), (Texts{"c", "made", "to"}));
}

TEST_F(WritesTest, out_may_replace_the_collection_it_reads) {
  run("c", R"([{"$group":{"_id":null,"sum":{"$sum":"$v"}}},{"$out":"c"}])");
  EXPECT_EQ(all("c"), Texts{R"({"_id":null,"sum":6})"});
}

TEST_F(WritesTest, documents_without_an_id_are_given_one) {
  run("c", R"([{"$project":{"_id":0,"v":1}},{"$out":"to"}])");
  EXPECT_EQ(db.collection("to").count(R"({"_id":{"$type":"string"},"v":{"$gte":1}})"), 3u);
}

TEST_F(WritesTest, merge_does_what_when_matched_and_when_not_matched_say) {
  const auto merged = [&](std::string_view options) {
    db.collection("to").remove_many("{}");
    insert("to", {R"({"_id":2,"v":20,"w":1})", R"({"_id":4,"v":40})"});
    run("c", R"([{"$merge":{"into":"to",)" + std::string(options) + "}}]");
    return all("to");
  };
  const std::string one = R"({"_id":1,"v":1})", three = R"({"_id":3,"v":3})", four = R"({"_id":4,"v":40})";
  EXPECT_EQ(merged(R"("on":"_id")"), (Texts{one, R"({"_id":2,"v":2,"w":1})", three, four}));
  EXPECT_EQ(merged(R"("whenMatched":"replace","whenNotMatched":"discard")"), (Texts{R"({"_id":2,"v":2})", four}));
  EXPECT_EQ(merged(R"("whenMatched":"keepExisting")"), (Texts{one, R"({"_id":2,"v":20,"w":1})", three, four}));
  EXPECT_EQ(merged(R"("whenMatched":[{"$set":{"v":{"$add":["$v","$$new.v"]}}}],"whenNotMatched":"discard")"),
            (Texts{R"({"_id":2,"v":22,"w":1})", four}));
}

TEST_F(WritesTest, merge_finds_documents_by_a_unique_index_and_sees_what_it_merged_before) {
  insert("to", {R"({"_id":"a","city":"Oslo","n":1})"});
  constexpr const char* pipeline =
      R"([{"$project":{"_id":0,"city":{"$cond":[{"$eq":["$v",1]},"Oslo","Bergen"]},"n":"$v"}},
          {"$merge":{"into":"to","on":"city","whenMatched":[{"$set":{"n":{"$add":["$n","$$new.n"]}}}]}}])";
  refused(ErrorCode::invalid, pipeline, "unique index");
  db.collection("to").create_index(R"({"city":1})", {.unique = true, .partial_filter = R"({"n":{"$gt":0}})"});
  refused(ErrorCode::invalid, pipeline, "unique index", "not partial");
  db.collection("to").drop_index("city_1");
  db.collection("to").create_index(R"({"city":1})", {.unique = true, .sparse = true});
  run("c", pipeline);
  const Texts cities = db.collection("to").find("{}", {.projection = R"({"_id":0})", .sort = R"({"city":1})"}).all();
  EXPECT_EQ(cities, (Texts{R"({"city":"Bergen","n":5})", R"({"city":"Oslo","n":2})"}));
  insert("c", {R"({"_id":7,"city":["Oslo"]})"});
  refused(ErrorCode::invalid, R"([{"$match":{"_id":7}},{"$merge":{"into":"to","on":"city"}}])", "array", "\"city\"");
}

TEST_F(WritesTest, the_total_of_everything_is_merged_under_the_id_null) {
  for (int i = 0; i < 2; ++i) run("c", R"([{"$group":{"_id":null,"v":{"$sum":"$v"}}},{"$merge":"totals"}])");
  EXPECT_EQ(db.collection("totals").count(R"({"_id":null,"v":{"$gt":0}})"), 1u);
  EXPECT_EQ(db.collection("totals").count(), 1u);
}

TEST_F(WritesTest, an_error_half_way_leaves_nothing) {
  insert("to", {R"({"_id":2,"v":7})"});
  refused(ErrorCode::exists, R"([{"$merge":{"into":"to","whenMatched":"fail"}}])", "_id 2");
  refused(ErrorCode::not_found, R"([{"$sort":{"_id":-1}},{"$merge":{"into":"to","whenNotMatched":"fail"}}])", "to");
  refused(ErrorCode::exists, R"([{"$set":{"_id":{"$min":["$_id",2]}}},{"$out":"to"}])", "stage 2, $out: ",
          "document with _id 2");
  refused(ErrorCode::invalid, R"([{"$set":{"x":{"$divide":["$v",{"$subtract":["$v",3]}]}}},{"$out":"to"}])", "_id 3");
  refused(ErrorCode::invalid, R"([{"$project":{"_id":["$v"]}},{"$out":"to"}])", "stage 2, $out: ",
          "document with _id [");
  db.collection("to").create_index(R"({"u":1})", {.unique = true});
  refused(ErrorCode::exists, R"([{"$set":{"u":1}},{"$merge":"to"}])", "stage 2, $merge: ", "document with _id ");
  db.collection("to").modify({.validator = R"({"v":{"$lt":3}})"});
  refused(ErrorCode::constraint, R"([{"$set":{"u":"$v"}},{"$out":"to"}])");
}

TEST_F(WritesTest, inside_a_transaction_it_is_one_statement) {
  Transaction tx = db.begin();
  tx.collection("to").insert(R"({"_id":3,"kept":true})");
  expect_error(ErrorCode::exists, [&] {
    tx.collection("c").aggregate(R"([{"$merge":{"into":"to","whenMatched":"fail"}}])");
  });
  EXPECT_EQ(tx.collection("to").find().all(), Texts{R"({"_id":3,"kept":true})"});
  tx.collection("c").aggregate(R"([{"$merge":"to"}])");
  EXPECT_EQ(tx.collection("to").count(), 3u);
  EXPECT_TRUE(all("to").empty()) << "before the commit";
  tx.rollback();
  EXPECT_TRUE(all("to").empty());
  db.write([](Transaction& own) {
    own.aggregate(R"({"sql":"SELECT 1 AS _id, 'x' AS name"})", R"([{"$out":"to"}])");
    own.sql("CREATE TABLE t(a)");
  });
  EXPECT_EQ(all("to"), Texts{R"({"_id":1,"name":"x"})"});
}

TEST_F(WritesTest, what_only_reads_does_not_write) {
  const Snapshot at = db.snapshot();
  expect_error(ErrorCode::readonly, [&] { at.collection("c").aggregate(R"([{"$out":"to"}])"); }, "$out");
  expect_error(ErrorCode::readonly, [&] { at.aggregate(R"("c")", R"([{"$merge":"to"}])"); }, "$merge");
  EXPECT_NE(db.collection("c").explain_aggregate(R"([{"$out":"to"}])").find(R"("written":false)"), std::string::npos);
  EXPECT_EQ(db.collections(), Texts{"c"});
}

TEST_F(WritesTest, more_than_a_transaction_holds_is_refused_and_nothing_is_written) {
  insert_many("large", 20'000);
  db.close();
  db = Database::open(directory / "db", {.transaction_bytes_max = 4u << 20});
  expect_error(ErrorCode::too_large, [&] { run("large", R"([{"$out":"to"}])"); });
  EXPECT_EQ(db.collection("to").count(), 0u);
}

}  // namespace
}  // namespace stele
