// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// $lookup and $graphLookup. Each is run with a source that seeks, and with one that is read into a table.
#include "tests/pipeline/pipeline_case.h"

namespace stele::pipeline {
namespace {

class LookupTest : public PipelineTest, public ::testing::WithParamInterface<bool> {
 protected:
  LookupTest() {
    sources.seeks_any = GetParam();
    sources.set("c", {R"({"_id":1,"sku":"a","n":2})", R"({"_id":2,"sku":["b","c"],"n":1})", R"({"_id":3,"n":9})"});
    sources.set("items", {R"({"_id":"i1","sku":"a","stock":5})", R"({"_id":"i2","sku":"b","stock":1})",
                          R"({"_id":"i3","sku":["c","b"],"stock":0})", R"({"_id":"i4","stock":7})",
                          R"({"_id":"i5","sku":null,"stock":8})"});
  }
};

INSTANTIATE_TEST_SUITE_P(, LookupTest, ::testing::Bool(),
                         [](const auto& seeks) { return seeks.param ? "Seeks" : "Table"; });

TEST_P(LookupTest, JoinsByEqualityThroughArraysAndMissing) {
  EXPECT_EQ(run(R"([{"$lookup":{"from":"items","localField":"sku","foreignField":"sku","as":"at"}},
                    {"$project":{"ids":"$at._id"}}])"),
            (Texts{R"({"_id":1,"ids":["i1"]})", R"({"_id":2,"ids":["i2","i3"]})", R"({"_id":3,"ids":["i4","i5"]})"}));
}

TEST_P(LookupTest, ARegularExpressionAsAValueIsEqualToItselfOnly) {
  sources.set("c", {R"({"_id":1,"sku":{"$regularExpression":{"pattern":"a","options":""}}})"});
  sources.set("items",
              {R"({"_id":1,"sku":"a"})", R"({"_id":2,"sku":{"$regularExpression":{"pattern":"a","options":""}}})"});
  EXPECT_EQ(
      run(R"([{"$lookup":{"from":"items","localField":"sku","foreignField":"sku","as":"at"}},{"$project":{"ids":"$at._id"}}])"),
      (Texts{R"({"_id":1,"ids":[2]})"}));
}

TEST_P(LookupTest, RunsAPipelineOverWhatWasJoined) {
  EXPECT_EQ(run(R"([{"$lookup":{"from":"items","localField":"sku","foreignField":"sku","as":"at","let":{"n":"$n"},
                      "pipeline":[{"$match":{"$expr":{"$gte":["$stock","$$n"]}}},{"$project":{"_id":1}}]}},
                    {"$project":{"at":1}}])"),
            (Texts{R"({"_id":1,"at":[{"_id":"i1"}]})", R"({"_id":2,"at":[{"_id":"i2"}]})", R"({"_id":3,"at":[]})"}));
}

TEST_P(LookupTest, APipelineReadsVariablesOfTheRow) {
  EXPECT_EQ(
      run(R"([{"$match":{"_id":{"$ne":2}}},{"$lookup":{"from":"items","as":"at","let":{"s":"$sku","n":"$n"},"pipeline":[
                      {"$match":{"$expr":{"$and":[{"$eq":["$sku","$$s"]},{"$gt":["$stock","$$n"]}]}}},
                      {"$project":{"_id":0,"left":{"$subtract":["$stock","$$n"]}}}]}},{"$project":{"at":1}}])"),
      (Texts{R"({"_id":1,"at":[{"left":3}]})", R"({"_id":3,"at":[]})"}));
}

TEST_P(LookupTest, AnEqualityOfArraysComparesThemWhole) {
  EXPECT_EQ(run(R"([{"$lookup":{"from":"items","as":"at","let":{"s":["c","b"]},
                      "pipeline":[{"$match":{"$expr":{"$eq":["$$s","$sku"]}}},{"$project":{"_id":1}}]}},{"$limit":1},{"$project":{"at":1}}])"),
            (Texts{R"({"_id":1,"at":[{"_id":"i3"}]})"}));
}

TEST_P(LookupTest, APipelineWithoutVariablesRunsOnce) {
  int opened = 0;
  sources.on_open = [&](const SourceName& name, const Request&) { opened += name.text == "items"; };
  EXPECT_EQ(run(R"([{"$lookup":{"from":"items","as":"n","pipeline":[{"$count":"n"}]}},{"$project":{"n":1}}])"),
            (Texts{R"({"_id":1,"n":[{"n":5}]})", R"({"_id":2,"n":[{"n":5}]})", R"({"_id":3,"n":[{"n":5}]})"}));
  EXPECT_EQ(opened, 1);
}

TEST_P(LookupTest, LookupsInsideLookupsSeeOuterVariables) {
  EXPECT_EQ(run(R"([{"$limit":1},{"$lookup":{"from":"items","as":"a","let":{"outer":"$_id"},"pipeline":[{"$limit":1},
                      {"$lookup":{"from":"c","as":"b","let":{"inner":"$stock"},"pipeline":[
                        {"$match":{"$expr":{"$eq":["$_id","$$outer"]}}},{"$project":{"sum":{"$add":["$$outer","$$inner"]}}}]}}]}},
                    {"$project":{"sum":"$a.b"}}])"),
            (Texts{R"({"_id":1,"sum":[[{"_id":1,"sum":6}]]})"}));
}

TEST_P(LookupTest, ATableThatDoesNotFitIsNotKept) {
  settings.memory_bytes = 300;
  EXPECT_EQ(
      run(R"([{"$lookup":{"from":"items","localField":"sku","foreignField":"sku","as":"at"}},{"$project":{"ids":"$at._id"}}])")
          .size(),
      3u);
}

TEST_P(LookupTest, AValueThatComesAgainIsNotLookedUpAgain) {
  const std::string join =
      R"([{"$lookup":{"from":"items","localField":"sku","foreignField":"sku","as":"at"}},{"$project":{"ids":"$at._id"}}])";
  Texts documents;
  for (int i = 0; i < 40; ++i)
    documents.push_back(R"({"_id":)" + std::to_string(i) + R"(,"sku":)" + (i % 4 ? R"("b"})" : R"("no such"})"));
  sources.set("c", documents);
  int opened = 0;
  sources.on_open = [&](const SourceName& name, const Request&) { opened += name.text == "items"; };
  const Texts found = run(join);
  EXPECT_EQ(opened, GetParam() ? 2 : 1);
  for (int i = 0; i < 40; ++i)
    EXPECT_EQ(found.at(i), R"({"_id":)" + std::to_string(i) + (i % 4 ? R"(,"ids":["i2","i3"]})" : R"(,"ids":[]})"));

  settings.memory_bytes = 300;  // the one is forgotten for the other, or not kept at all
  EXPECT_EQ(run(join), found);
}

TEST_P(LookupTest, WhatWasNotReadToItsEndIsLookedUpAgain) {
  sources.set("c", {R"({"_id":1,"sku":"b","want":"i2"})", R"({"_id":2,"sku":"b","want":"i3"})"});
  EXPECT_EQ(run(R"([{"$lookup":{"from":"items","localField":"sku","foreignField":"sku","as":"at","let":{"want":"$want"},
                                "pipeline":[{"$match":{"$expr":{"$eq":["$_id","$$want"]}}},{"$limit":1}]}},
                    {"$project":{"ids":"$at._id"}}])"),
            (Texts{R"({"_id":1,"ids":["i2"]})", R"({"_id":2,"ids":["i3"]})"}));
}

TEST_P(LookupTest, GraphLookupFollowsReferencesToTheirEnd) {
  sources.set("people", {R"({"_id":"a","boss":"b"})", R"({"_id":"b","boss":["c","d"]})", R"({"_id":"c","boss":"a"})",
                         R"({"_id":"d"})"});
  const auto chain = [&](const std::string& more) {
    return run(
        R"([{"$match":{"_id":1}},{"$graphLookup":{"from":"people","startWith":"$sku","connectFromField":"boss","connectToField":"_id","as":"up")" +
        more + R"(}},{"$project":{"_id":0,"up":"$up._id","d":"$up.d"}}])");
  };
  EXPECT_EQ(chain(""), (Texts{R"({"up":["a","b","c","d"],"d":[]})"}));
  EXPECT_EQ(chain(R"(,"maxDepth":1,"depthField":"d")"), (Texts{R"({"up":["a","b"],"d":[0,1]})"}));
  EXPECT_EQ(chain(R"(,"restrictSearchWithMatch":{"_id":{"$ne":"b"}})"), (Texts{R"({"up":["a"],"d":[]})"}));
}

TEST_P(LookupTest, WhatDoesNotFitADocumentIsTooLarge) {
  settings.limits.bytes_max = 1000;
  Texts many;
  for (int i = 0; i < 100; ++i)
    many.push_back(R"({"_id":)" + std::to_string(i) + R"(,"next":)" + std::to_string(i + 1) + "}");
  sources.set("many", many);
  refused(ErrorCode::too_large, R"([{"$lookup":{"from":"many","as":"all","pipeline":[]}}])", "stage 1, $lookup",
          "1000");
  refused(
      ErrorCode::too_large,
      R"([{"$graphLookup":{"from":"many","startWith":0,"connectFromField":"next","connectToField":"_id","as":"all"}}])",
      "stage 1, $graphLookup", "1000");
}

TEST_P(LookupTest, RefusesWhatIsNoLookup) {
  refused(ErrorCode::invalid, R"([{"$lookup":{"from":"items","as":"x"}}])", "$lookup", "\"pipeline\"");
  refused(ErrorCode::invalid, R"([{"$lookup":{"from":"items","as":"x","localField":"a"}}])", "belong together");
  refused(ErrorCode::invalid, R"([{"$lookup":{"from":"items","as":"x","pipeline":[{"$out":"y"}]}}])",
          "pipeline, stage 1, $out", "outermost");
  refused(ErrorCode::invalid, R"([{"$lookup":{"from":"items","as":"x","let":{"A":1},"pipeline":[]}}])", "\"A\"",
          "lower-case");
  refused(ErrorCode::invalid, R"([{"$lookup":{"from":"items","as":"x","pipeline":[{"$set":{"y":"$$z"}}]}}])",
          "$$z is not defined");
  refused(ErrorCode::invalid, R"([{"$graphLookup":{"from":"items","as":"x"}}])", "lacks \"startWith\"");
}

TEST_P(LookupTest, AnArraysElementAsLocalFieldIsLookedUpByItsElements) {
  sources.set("c", {R"({"_id":1,"x":[[7]]})", R"({"_id":2,"x":[[]]})", R"({"_id":3,"x":[[[7]]]})"});
  sources.set("e", {R"({"_id":1,"k":7})", R"({"_id":2})", R"({"_id":3,"k":[[7]]})"});
  EXPECT_EQ(
      run(R"([{"$lookup":{"from":"e","localField":"x.0","foreignField":"k","as":"at"}},{"$project":{"ids":"$at._id"}}])"),
      (Texts{R"({"_id":1,"ids":[1]})", R"({"_id":2,"ids":[2]})", R"({"_id":3,"ids":[3]})"}));
}

TEST_P(LookupTest, GraphLookupTakesMissingForNothing) {
  sources.set("c",
              {R"({"_id":1,"n":"Dev","to":null})", R"({"_id":2,"n":"El","to":"Dev"})", R"({"_id":5,"title":"x"})"});
  EXPECT_EQ(
      run(R"([{"$graphLookup":{"from":"c","startWith":"$to","connectFromField":"to","connectToField":"n","as":"up"}},
                    {"$project":{"up":"$up._id"}}])"),
      (Texts{R"({"_id":1,"up":[]})", R"({"_id":2,"up":[1]})", R"({"_id":5,"up":[]})"}));
  sources.set("c", {R"({"_id":0,"x":1,"y":1})", R"({"_id":1,"x":1,"y":null})", R"({"_id":3,"x":1})"});
  EXPECT_EQ(
      run(R"([{"$graphLookup":{"from":"c","startWith":"$y","connectFromField":"x","connectToField":"y","as":"up","maxDepth":0}},
                    {"$project":{"up":"$up._id"}}])"),
      (Texts{R"({"_id":0,"up":[0]})", R"({"_id":1,"up":[1]})", R"({"_id":3,"up":[]})"}));
}

TEST_P(LookupTest, ConditionsOnVariablesMayStandAnywhereInAMatch) {
  EXPECT_EQ(run(R"([{"$lookup":{"from":"items","as":"at","let":{"n":"$n"},"pipeline":[
                      {"$match":{"$or":[{"_id":"i5"},{"$nor":[{"$expr":{"$gte":["$stock","$$n"]}},{"sku":"a"}]}]}},
                      {"$project":{"_id":1}}]}},{"$project":{"ids":"$at._id"}}])"),
            (Texts{R"({"_id":1,"ids":["i2","i3","i5"]})", R"({"_id":2,"ids":["i3","i5"]})",
                   R"({"_id":3,"ids":["i2","i3","i4","i5"]})"}));
  EXPECT_EQ(run(R"([{"$match":{"_id":1}},{"$lookup":{"from":"c","as":"at","let":{"top":"$_id"},"pipeline":[
                      {"$graphLookup":{"from":"items","startWith":"i2","connectFromField":"sku","connectToField":"_id","as":"g",
                        "restrictSearchWithMatch":{"$expr":{"$eq":["$stock","$$top"]}}}},{"$limit":1}]}},
                    {"$project":{"ids":"$at.g._id"}}])"),
            (Texts{R"({"_id":1,"ids":[["i2"]]})"}));
}

TEST_P(LookupTest, UnwoundAtOnceItGivesTheSameRowsAndHoldsNoArrayOfThem) {
  const std::string join = R"({"$lookup":{"from":"items","localField":"sku","foreignField":"sku","as":"at.l"}})";
  const std::string once = R"({"$lookup":{"from":"items","as":"at.l","pipeline":[{"$match":{"stock":{"$gt":4}}}]}})";
  const std::string with_let = R"({"$lookup":{"from":"items","as":"at.l","let":{"s":"$sku"},"pipeline":[
    {"$match":{"$expr":{"$eq":["$sku","$$s"]}}}]}})";
  for (const std::string& lookup : {join, once, with_let})
    for (const char* options :
         {"", R"(,"includeArrayIndex":"i")", R"(,"preserveNullAndEmptyArrays":true,"includeArrayIndex":"at.i")"}) {
      const std::string unwind = R"({"$unwind":{"path":"$at.l")" + std::string(options) + "}}";
      const Texts apart =
          run("[" + lookup + R"(,{"$sample":{"size":100}},)" + unwind + R"(,{"$sort":{"_id":1,"at.l._id":1}}])");
      EXPECT_EQ(run("[" + lookup + "," + unwind + R"(,{"$sort":{"_id":1,"at.l._id":1}}])"), apart) << lookup << unwind;
    }
  Texts many;
  for (int i = 0; i < 100; ++i) many.push_back(R"({"_id":)" + std::to_string(i) + R"(,"sku":"a"})");
  sources.set("items", many);
  settings.limits.bytes_max = 1000;
  EXPECT_EQ(run(R"([{"$match":{"_id":1}},)" + join + R"(,{"$unwind":"$at.l"},{"$count":"n"}])"),
            (Texts{R"({"n":100})"}));
  EXPECT_EQ(
      run(R"([{"$match":{"_id":1}},{"$lookup":{"from":"items","as":"at","pipeline":[]}},{"$unwind":"$at"},{"$count":"n"}])"),
      (Texts{R"({"n":100})"}));
}

}  // namespace
}  // namespace stele::pipeline
