// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What of a pipeline the collection does: filter, order, covering indexes, parts for threads; as explain tells it.
#include "tests/aggregate/aggregate_case.h"

#include <algorithm>
#include <thread>

namespace stele {
namespace {

class PushdownTest : public AggregateTest {
 protected:
  PushdownTest() { insert_many("c", 12'000); }
};

TEST_F(PushdownTest, a_match_uses_an_index_wherever_it_can_be_moved_to) {
  db.collection("c").create_index(R"({"k":1})");
  for (const char* pipeline : {R"([{"$match":{"k":7}},{"$group":{"_id":null,"n":{"$sum":"$n"}}}])",
                               R"([{"$set":{"x":1}},{"$match":{"k":7}},{"$count":"n"}])"}) {
    EXPECT_EQ(explained("c", pipeline, {"source", "how", "index"}), R"("k_1")");
    EXPECT_EQ(explained("c", pipeline, {"source", "rows_out"}), "12");
  }
  EXPECT_EQ(one("c", R"([{"$match":{"k":7}},{"$group":{"_id":null,"n":{"$sum":"$n"}}}])"), R"({"_id":null,"n":66084})");
}

TEST_F(PushdownTest, a_sort_with_a_limit_reads_no_more_than_the_index_must_give) {
  db.collection("c").create_index(R"({"n":-1})");
  constexpr const char* pipeline = R"([{"$sort":{"n":-1}},{"$skip":2},{"$limit":2},{"$project":{"n":1}}])";
  EXPECT_EQ(run("c", pipeline), (Texts{R"({"_id":11997,"n":11997})", R"({"_id":11996,"n":11996})"}));
  EXPECT_EQ(explained("c", pipeline, {"source", "sorted_by_source"}), "true");
  EXPECT_EQ(explained("c", pipeline, {"source", "rows_out"}), "4");
}

TEST_F(PushdownTest, only_the_paths_it_uses_are_read) {
  EXPECT_EQ(explained("c", R"([{"$group":{"_id":"$k","n":{"$sum":"$n"}}}])", {"source", "paths"}), R"(["k","n"])");
}

TEST_F(PushdownTest, a_group_over_an_indexs_fields_reads_no_documents) {
  constexpr const char* pipeline = R"([{"$group":{"_id":"$k","n":{"$sum":"$n"}}},{"$sort":{"_id":1}}])";
  const Texts before = run("c", pipeline);
  db.collection("c").create_index(R"({"k":1,"n":1})");
  EXPECT_EQ(explained("c", pipeline, {"source", "how", "covered"}), "true");
  EXPECT_EQ(run("c", pipeline), before);
  EXPECT_EQ(explained("c", R"([{"$count":"n"}])", {"source", "how", "covered"}), "true");
  EXPECT_EQ(one("c", R"([{"$count":"n"}])"), R"({"n":12000})");
  // Entries that do not say what stands in the document: null or missing, doubles, arrays.
  insert("c", {R"({"_id":"a","n":1.5})", R"({"_id":"b","k":null,"n":0.5})"});
  EXPECT_EQ(run("c", pipeline)[0], R"({"_id":null,"n":2.0})");
  db.collection("c").insert(R"({"_id":"c","k":[1,2],"n":0})");
  EXPECT_EQ(explained("c", pipeline, {"source", "how", "covered"}), "false");
  EXPECT_EQ(one("c", R"([{"$group":{"_id":"$k","n":{"$sum":"$n"}}},{"$match":{"_id":2,"n":0}}])"), R"({"_id":[1,2],"n":0})");
}

TEST_F(PushdownTest, threads_group_a_large_range_and_nothing_shows_of_them) {
  constexpr const char* pipeline =
      R"([{"$match":{"n":{"$mod":[3,0]}}},{"$group":{"_id":"$k","first":{"$first":"$n"},"all":{"$push":"$n"}}}])";
  constexpr const char* one_by_one =
      R"([{"$match":{"n":{"$mod":[3,0]}}},{"$limit":1000000},{"$group":{"_id":"$k","first":{"$first":"$n"},"all":{"$push":"$n"}}}])";
  if (std::thread::hardware_concurrency() > 1) {
    EXPECT_GT(std::atoi(explained("c", pipeline, {"source", "parts"}).c_str()), 1);
  }
  EXPECT_EQ(run("c", pipeline), run("c", one_by_one));
  Transaction tx = db.begin();  // with writes of its own nothing is shared
  tx.collection("c").remove_many(R"({"_id":{"$gte":6000}})");
  EXPECT_EQ(tx.collection("c").aggregate(pipeline).all(), tx.collection("c").aggregate(one_by_one).all());
}

TEST_F(PushdownTest, threads_group_a_stream_and_nothing_shows_of_them) {
  append("s", 30'000);
  constexpr const char* grouped = R"({"$group":{"_id":{"k":"$key","h":{"$dateTrunc":{"date":"$time","unit":"hour"}}},
      "sum":{"$sum":"$data.v"},"first":{"$first":"$offset"}}})";
  const Texts plain = run_source(R"({"stream":"s"})", "[" + std::string(grouped) + "]");
  EXPECT_EQ(plain, run_source(R"({"stream":"s"})", R"([{"$limit":1000000},)" + std::string(grouped) + "]"));
  EXPECT_EQ(run_source(R"({"stream":"s"})", R"([{"$group":{"_id":null,"v":{"$sum":"$data.v"},"n":{"$sum":1}}}])"),
            Texts{R"({"_id":null,"v":449985000,"n":30000})"});
}

TEST_F(PushdownTest, expired_documents_are_not_seen_by_any_thread) {
  db.collection("c").create_index(R"({"at":1})", {.expire_after_seconds = 1});
  db.collection("c").update_many(R"({"_id":{"$gte":100}})", R"({"$set":{"at":{"$date":"2020-01-01T00:00:00Z"}}})");
  EXPECT_EQ(one("c", R"([{"$group":{"_id":null,"n":{"$sum":1}}}])"), R"({"_id":null,"n":100})");
  EXPECT_EQ(one("c", R"([{"$count":"n"}])"), R"({"n":100})");
}

TEST_F(PushdownTest, explain_tells_what_is_read_of_a_stream_and_that_a_select_is_one) {
  append("s", 100);
  const std::string told = db.explain_aggregate(
      R"({"stream":"s"})",
      R"([{"$match":{"offset":{"$gte":10,"$lt":30},"time":{"$gte":{"$date":"2023-11-14T22:13:20Z"}}}},{"$count":"n"}])");
  const model::Value how = *model::parse(told).find("source")->find("how");
  EXPECT_EQ(how.find("from")->integer(), 10);
  EXPECT_LE(how.find("to")->integer(), 31);
  EXPECT_FALSE(how.find("data")->boolean());
  EXPECT_NE(how.find("from_time"), nullptr);
  EXPECT_NE(db.explain_aggregate(R"({"sql":"SELECT 1 AS x"})", "[]").find(R"("how":{"plan":"select"})"),
            std::string::npos);
}

TEST_F(PushdownTest, explain_tells_how_the_other_sides_are_read) {
  insert("few", {R"({"_id":1,"k":7})", R"({"_id":2,"k":7})", R"({"_id":3,"k":8})"});
  const char* lookup = R"([{"$lookup":{"from":"c","localField":"k","foreignField":"k","as":"of"}}])";
  const auto how = [&](const char* pipeline, std::string_view member) {
    return explained("few", pipeline, {"stages", "0", "how", member});
  };
  EXPECT_EQ(how(lookup, "strategy"), R"("HashJoin")");
  EXPECT_EQ(how(lookup, "reads"), "1");
  db.collection("c").create_index(R"({"k":1})");
  EXPECT_EQ(how(lookup, "strategy"), R"("IndexedLoopJoin")");
  EXPECT_EQ(how(lookup, "reads"), "2");  // a value's documents are kept
  EXPECT_EQ(explained("few", lookup, {"stages", "0", "how", "last", "index"}), R"("k_1")");
  EXPECT_EQ(how(R"([{"$graphLookup":{"from":"c","startWith":"$k","connectFromField":"none","connectToField":"k",
                     "as":"of"}}])", "strategy"), R"("IndexedLoopJoin")");
  EXPECT_EQ(explained("few", R"([{"$unionWith":{"coll":"c","pipeline":[{"$match":{"k":7}}]}}])",
                      {"stages", "0", "pipelines", "0", "0", "how", "index"}),
            R"("k_1")");
}

}  // namespace
}  // namespace stele
