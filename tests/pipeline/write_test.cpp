// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// $out and $merge.
#include "tests/pipeline/pipeline_case.h"

namespace stele::pipeline {
namespace {

class WriteTest : public PipelineTest {
 protected:
  WriteTest() {
    sources.set("c", {R"({"_id":1,"v":10})", R"({"_id":2,"v":20})"});
    sources.set("t", {R"({"_id":2,"old":true,"v":0})", R"({"_id":3,"old":true})"});
  }
  Texts merged(const std::string& options) {
    EXPECT_EQ(run(R"([{"$merge":{"into":"t")" + options + "}}]"), Texts{});
    return sources.collections["t"];
  }
};

TEST_F(WriteTest, OutReplacesACollection) {
  EXPECT_EQ(run(R"([{"$match":{"v":20}},{"$out":"t"}])"), Texts{});
  EXPECT_EQ(sources.collections["t"], (Texts{R"({"_id":2,"v":20})"}));
}

TEST_F(WriteTest, OutIntoTheCollectionItReadsKeepsWhatItRead) {
  EXPECT_EQ(run(R"([{"$set":{"v":{"$add":["$v",1]}}},{"$out":"c"}])"), Texts{});
  EXPECT_EQ(sources.collections["c"], (Texts{R"({"_id":1,"v":11})", R"({"_id":2,"v":21})"}));
}

TEST_F(WriteTest, MergeReplacesKeepsMergesOrRunsAPipeline) {
  const Texts before = sources.collections["t"];
  EXPECT_EQ(merged(""), (Texts{R"({"_id":2,"old":true,"v":20})", R"({"_id":3,"old":true})", R"({"_id":1,"v":10})"}));
  sources.collections["t"] = before;
  EXPECT_EQ(merged(R"(,"whenMatched":"replace","whenNotMatched":"discard")"),
            (Texts{R"({"_id":2,"v":20})", R"({"_id":3,"old":true})"}));
  sources.collections["t"] = before;
  EXPECT_EQ(merged(R"(,"whenMatched":"keepExisting")"), (Texts{before[0], before[1], R"({"_id":1,"v":10})"}));
  sources.collections["t"] = before;
  EXPECT_EQ(
      merged(
          R"(,"let":{"d":{"$multiply":["$v",2]}},"whenMatched":[{"$set":{"v":{"$add":["$v","$$new.v","$$d"]}}}],"whenNotMatched":"discard")"),
      (Texts{R"({"_id":2,"old":true,"v":60})", before[1]}));
}

TEST_F(WriteTest, MergeFailsWhereItIsTold) {
  refused(ErrorCode::exists, R"([{"$match":{"_id":2}},{"$merge":{"into":"t","whenMatched":"fail"}}])", "_id 2");
  refused(ErrorCode::not_found, R"([{"$merge":{"into":"t","whenNotMatched":"fail"}}])", "\"_id\":1");
  refused(ErrorCode::invalid, R"([{"$merge":{"into":"t","on":"not_unique"}}])", "unique index");
  refused(ErrorCode::invalid, R"([{"$set":{"k":2}},{"$merge":{"into":"t","whenMatched":[{"$set":{"_id":9}}]}}])",
          "change the _id 2");
}

TEST_F(WriteTest, ARowThatCannotBeMadeLeavesEverythingAsItWas) {
  const Texts before = sources.collections["t"];
  refused(ErrorCode::invalid, R"([{"$set":{"v":{"$divide":["$v",{"$subtract":["$_id",2]}]}}},{"$out":"t"}])", "_id 2");
  EXPECT_EQ(sources.collections["t"], before);
}

TEST_F(WriteTest, OnlyTheLastStageOfTheOutermostPipelineWrites) {
  refused(ErrorCode::invalid, R"([{"$out":"t"},{"$limit":1}])", "stage 1, $out", "last stage");
  refused(ErrorCode::invalid, R"([{"$facet":{"a":[{"$merge":"t"}]}}])", "$merge", "outermost");
  refused(ErrorCode::invalid, R"([{"$merge":{"into":"t","whenMatched":[{"$group":{"_id":1}}]}}])", "$group",
          "may not stand here");
}

TEST_F(WriteTest, APipelineThatDropsTheIdKeepsIt) {
  const Texts before = sources.collections["t"];
  const auto kept = [&](const std::string& pipeline) {
    sources.collections["t"] = before;
    return merged(R"(,"whenNotMatched":"discard","whenMatched":)" + pipeline)[0];
  };
  EXPECT_EQ(kept(R"([{"$replaceWith":"$$new"}])"), R"({"_id":2,"v":20})");
  EXPECT_EQ(kept(R"([{"$unset":"_id"}])"), R"({"_id":2,"old":true,"v":0})");
  EXPECT_EQ(kept(R"([{"$project":{"_id":0,"v":1}}])"), R"({"_id":2,"v":0})");
  EXPECT_EQ(kept(R"([{"$set":{"_id":2.0}}])"), R"({"_id":2,"old":true,"v":0})");
}

TEST_F(WriteTest, WhatMergeLooksForMustBeThere) {
  sources.set("c", {R"({"_id":7,"k":null})"});
  refused(ErrorCode::invalid, R"([{"$merge":{"into":"t","on":"k"}}])", "\"k\" is null", "document with _id 7");
  refused(ErrorCode::invalid, R"([{"$merge":{"into":"t","on":["_id","m"]}}])", "\"m\" is missing");
  refused(ErrorCode::invalid, R"([{"$set":{"k":[1]}},{"$merge":{"into":"t","on":"k"}}])", "an array");
}

TEST_F(WriteTest, VariablesOfMergeHaveNamesOfTheirOwn) {
  refused(ErrorCode::invalid, R"([{"$merge":{"into":"t","let":{"new":1},"whenMatched":[]}}])", "\"new\"");
  refused(ErrorCode::invalid, R"([{"$merge":{"into":"t","let":{"BIG":1},"whenMatched":[]}}])", "lower-case");
}

TEST_F(WriteTest, ExplainedItRunsAndWritesNothing) {
  const Texts before = sources.collections["t"];
  for (const char* pipeline : {R"([{"$match":{"v":20}},{"$out":"t"}])", R"([{"$match":{"v":20}},{"$merge":"t"}])"}) {
    const Value last = explained(pipeline).find("stages")->array().back();
    EXPECT_EQ(last.find("into")->string(), "t");
    EXPECT_EQ(last.find("rows_in")->integer(), 1);
    EXPECT_FALSE(last.find("written")->boolean());
  }
  EXPECT_EQ(sources.collections["t"], before);
}

}  // namespace
}  // namespace stele::pipeline
