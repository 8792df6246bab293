// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Each stage by small examples; what they give is what MongoDB's manual says.
#include "tests/pipeline/pipeline_case.h"

namespace stele::pipeline {
namespace {

class StagesTest : public PipelineTest {
 protected:
  StagesTest() {
    sources.set("c",
                {R"({"_id":1,"item":"a","price":10,"qty":2,"tags":["x","y"],"at":{"city":"Oslo","zip":"1"}})",
                 R"({"_id":2,"item":"b","price":20,"qty":1,"tags":[],"at":{"city":"Rome"}})",
                 R"({"_id":3,"item":"a","price":5,"qty":10,"at":{"city":"Oslo"}})",
                 R"({"_id":4,"item":"b","price":10,"qty":null,"tags":"z"})", R"({"_id":5,"item":"c","tags":null})"});
  }
};

TEST_F(StagesTest, WithoutStagesDocumentsComeAsTheyWereStored) {
  sources.set("c", {R"({"_id":1,"a":1.10,"b":"\u0041","d":{"$date":"2026-01-31T00:00:00Z"}})"});
  EXPECT_EQ(run("[]"), (Texts{R"({"_id":1,"a":1.10,"b":"\u0041","d":{"$date":"2026-01-31T00:00:00Z"}})"}));
  EXPECT_EQ(run(R"([{"$project":{"a":1,"d":1}}])"),
            (Texts{R"({"_id":1,"a":1.10,"d":{"$date":"2026-01-31T00:00:00Z"}})"}));
}

TEST_F(StagesTest, MatchAndProjectKeepRowsAndFields) {
  EXPECT_EQ(
      run(R"([{"$match":{"item":"a","qty":{"$gt":2}}},{"$project":{"_id":0,"item":1,"total":{"$multiply":["$price","$qty"]}}}])"),
      (Texts{R"({"item":"a","total":50})"}));
  EXPECT_EQ(run(R"([{"$match":{"$expr":{"$eq":["$price",{"$multiply":["$qty",20]}]}}},{"$project":{"at.city":1}}])"),
            (Texts{R"({"_id":2,"at":{"city":"Rome"}})"}));
  EXPECT_EQ(run(R"([{"$project":{"at":0,"tags":0,"price":0}},{"$match":{"qty":null}}])"),
            (Texts{R"({"_id":4,"item":"b","qty":null})", R"({"_id":5,"item":"c"})"}));
}

TEST_F(StagesTest, SetReadsTheDocumentAsItWasBefore) {
  EXPECT_EQ(
      run(R"([{"$match":{"_id":2}},{"$set":{"price":"$qty","qty":"$price","at.city":"X","new":"$$REMOVE"}},{"$unset":["tags","at.zip"]}])"),
      (Texts{R"({"_id":2,"item":"b","price":1,"qty":20,"at":{"city":"X"}})"}));
  EXPECT_EQ(run({R"({"_id":1,"a":[{"b":1},{"b":2},3]})"}, R"([{"$addFields":{"a.c":"$_id"}}])"),
            (Texts{R"({"_id":1,"a":[{"b":1,"c":1},{"b":2,"c":1},{"c":1}]})"}));
}

TEST_F(StagesTest, GroupsInTheOrderOfTheirFirstRows) {
  EXPECT_EQ(run(R"([{"$group":{"_id":"$item","n":{"$sum":1},"total":{"$sum":"$price"},"least":{"$min":"$qty"}}}])"),
            (Texts{R"({"_id":"a","n":2,"total":15,"least":2})", R"({"_id":"b","n":2,"total":30,"least":1})",
                   R"({"_id":"c","n":1,"total":0,"least":null})"}));
  EXPECT_EQ(run(R"([{"$group":{"_id":null,"n":{"$count":{}}}}])"), (Texts{R"({"_id":null,"n":5})"}));
  EXPECT_EQ(run(R"([{"$group":{"_id":{"city":"$at.city","i":"$item"},"n":{"$count":{}}}},{"$limit":3}])"),
            (Texts{R"({"_id":{"city":"Oslo","i":"a"},"n":2})", R"({"_id":{"city":"Rome","i":"b"},"n":1})",
                   R"({"_id":{"i":"b"},"n":1})"}));
}

TEST_F(StagesTest, GroupKeysOfEqualNumbersAndOfNullAndMissingAreTheSame) {
  EXPECT_EQ(run({R"({"_id":1,"a":1})", R"({"_id":2,"a":1.0})", R"({"_id":3,"a":null})", R"({"_id":4})",
                 R"({"_id":5,"a":[1]})"},
                R"([{"$group":{"_id":"$a","ids":{"$push":"$_id"}}}])"),
            (Texts{R"({"_id":1,"ids":[1,2]})", R"({"_id":null,"ids":[3,4]})", R"({"_id":[1],"ids":[5]})"}));
}

TEST_F(StagesTest, SortIsStableAndLimitAndSkipFollow) {
  EXPECT_EQ(run(R"([{"$sort":{"item":-1,"price":1}},{"$project":{"_id":1}}])"),
            (Texts{R"({"_id":5})", R"({"_id":4})", R"({"_id":2})", R"({"_id":3})", R"({"_id":1})"}));
  EXPECT_EQ(run(R"([{"$sort":{"item":1}},{"$skip":1},{"$limit":2},{"$project":{"_id":1}}])"),
            (Texts{R"({"_id":3})", R"({"_id":2})"}));
  EXPECT_EQ(run(R"([{"$limit":3},{"$sort":{"_id":-1}},{"$project":{"_id":1}}])"),
            (Texts{R"({"_id":3})", R"({"_id":2})", R"({"_id":1})"}));
  EXPECT_EQ(run(R"([{"$skip":4},{"$project":{"_id":1}}])"), (Texts{R"({"_id":5})"}));
}

TEST_F(StagesTest, UnwindGivesARowForEachElement) {
  const std::string after = R"(,{"$project":{"tags":1,"i":1}}])";
  EXPECT_EQ(run(R"([{"$unwind":"$tags"})" + after),
            (Texts{R"({"_id":1,"tags":"x"})", R"({"_id":1,"tags":"y"})", R"({"_id":4,"tags":"z"})"}));
  EXPECT_EQ(run(R"([{"$unwind":{"path":"$tags","includeArrayIndex":"i","preserveNullAndEmptyArrays":true}})" + after),
            (Texts{R"({"_id":1,"tags":"x","i":0})", R"({"_id":1,"tags":"y","i":1})", R"({"_id":2,"i":null})",
                   R"({"_id":3,"i":null})", R"({"_id":4,"tags":"z","i":null})", R"({"_id":5,"tags":null,"i":null})"}));
  EXPECT_EQ(run({R"({"_id":1,"a":{"b":[1,[2]]}})", R"({"_id":2,"a":[{"b":[1]}]})"}, R"([{"$unwind":"$a.b"}])"),
            (Texts{R"({"_id":1,"a":{"b":1}})", R"({"_id":1,"a":{"b":[2]}})"}));
}

TEST_F(StagesTest, CountAndSortByCount) {
  EXPECT_EQ(run(R"([{"$match":{"item":"a"}},{"$count":"n"}])"), (Texts{R"({"n":2})"}));
  EXPECT_EQ(run(R"([{"$match":{"item":"q"}},{"$count":"n"}])"), Texts{});
  EXPECT_EQ(run(R"([{"$unwind":"$tags"},{"$sortByCount":{"$toUpper":"$item"}}])"),
            (Texts{R"({"_id":"A","count":2})", R"({"_id":"B","count":1})"}));
}

TEST_F(StagesTest, FacetRunsPipelinesOverTheSameRows) {
  EXPECT_EQ(
      run(R"([{"$facet":{"n":[{"$count":"n"}],"dear":[{"$match":{"price":{"$gte":20}}},{"$project":{"price":1}}],"none":[{"$match":{"x":1}}]}}])"),
      (Texts{R"({"n":[{"n":5}],"dear":[{"_id":2,"price":20}],"none":[]})"}));
}

TEST_F(StagesTest, BucketsByBoundaries) {
  EXPECT_EQ(
      run(R"([{"$bucket":{"groupBy":"$price","boundaries":[0,10,20],"default":"other","output":{"ids":{"$push":"$_id"}}}}])"),
      (Texts{R"({"_id":0,"ids":[3]})", R"({"_id":10,"ids":[1,4]})", R"({"_id":"other","ids":[2,5]})"}));
  refused(ErrorCode::invalid, R"([{"$bucket":{"groupBy":"$price","boundaries":[0,10]}}])", "$bucket",
          "no branch matched");
}

TEST_F(StagesTest, BucketAutoMakesBucketsOfLikeSize) {
  EXPECT_EQ(run({R"({"_id":1})", R"({"_id":2})", R"({"_id":3})", R"({"_id":4})", R"({"_id":5})"},
                R"([{"$bucketAuto":{"groupBy":"$_id","buckets":2}}])"),
            (Texts{R"({"_id":{"min":1,"max":4},"count":3})", R"({"_id":{"min":4,"max":5},"count":2})"}));
  EXPECT_EQ(run({R"({"_id":1,"a":1})", R"({"_id":2,"a":1})", R"({"_id":3,"a":1})", R"({"_id":4,"a":2})"},
                R"([{"$bucketAuto":{"groupBy":"$a","buckets":4,"output":{"ids":{"$push":"$_id"}}}}])"),
            (Texts{R"({"_id":{"min":1,"max":2},"ids":[1,2,3]})", R"({"_id":{"min":2,"max":2},"ids":[4]})"}));
}

TEST_F(StagesTest, ReplaceRootNeedsAnObject) {
  EXPECT_EQ(run(R"([{"$match":{"_id":1}},{"$replaceRoot":{"newRoot":"$at"}}])"),
            (Texts{R"({"city":"Oslo","zip":"1"})"}));
  EXPECT_EQ(run(R"([{"$limit":1},{"$replaceWith":{"$mergeObjects":["$at",{"n":"$_id"}]}}])"),
            (Texts{R"({"city":"Oslo","zip":"1","n":1})"}));
  refused(ErrorCode::invalid, R"([{"$replaceWith":"$at"}])", "stage 1, $replaceWith", "missing", "_id 4");
}

TEST_F(StagesTest, SampleTakesSoManyRowsAtRandom) {
  EXPECT_EQ(run(R"([{"$sample":{"size":3}}])").size(), 3u);
  EXPECT_EQ(run(R"([{"$sample":{"size":99}},{"$sort":{"_id":1}},{"$group":{"_id":null,"ids":{"$push":"$_id"}}}])"),
            (Texts{R"({"_id":null,"ids":[1,2,3,4,5]})"}));
}

TEST_F(StagesTest, UnionWithAddsAnotherSourcesRows) {
  sources.set("d", {R"({"_id":9,"price":1})", R"({"_id":8,"price":2})"});
  EXPECT_EQ(run(R"([{"$match":{"_id":1}},{"$project":{"_id":1}},{"$unionWith":"d"}])"),
            (Texts{R"({"_id":1})", R"({"_id":9,"price":1})", R"({"_id":8,"price":2})"}));
  EXPECT_EQ(
      run(R"([{"$match":{"_id":1}},{"$unionWith":{"coll":"d","pipeline":[{"$match":{"price":2}}]}},{"$count":"n"}])"),
      (Texts{R"({"n":2})"}));
  EXPECT_EQ(run(R"([{"$match":{"_id":{"$lt":0}}},{"$unionWith":"absent"}])"), Texts{});
}

TEST_F(StagesTest, StreamsAndSqlAreSourcesToo) {
  sources.set(R"({"stream":"s"})", {R"({"_id":1,"key":"k"})"});
  sources.set(R"({"sql":"SELECT 1","parameters":[7]})", {R"({"x":7})"});
  EXPECT_EQ(run_source(Object{{"stream", "s"}}, R"([{"$project":{"key":1}}])"), (Texts{R"({"_id":1,"key":"k"})"}));
  EXPECT_EQ(run_source(Object{{"sql", "SELECT 1"}, {"parameters", Array{7}}}, R"([{"$set":{"y":{"$add":["$x",1]}}}])"),
            (Texts{R"({"x":7,"y":8})"}));
  testing::expect_error(
      ErrorCode::invalid, [] { SourceName::parse(Value(7), "aggregate"); }, "a collection's name");
}

}  // namespace
}  // namespace stele::pipeline
