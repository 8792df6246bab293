// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What is asked of the source, and what explain tells.
#include "tests/pipeline/pipeline_case.h"

namespace stele::pipeline {
namespace {

class PlanTest : public PipelineTest {
 protected:
  PlanTest() {
    Texts documents;
    for (int i = 0; i < 100; ++i)
      documents.push_back(R"({"_id":)" + std::to_string(i) + R"(,"a":)" + std::to_string(i % 7) +
                          R"(,"b":{"c":1,"d":2},"e":[1,2]})");
    sources.set("c", documents);
  }
  /// The request, as far as it is more than {}, then the stages.
  std::string plan(std::string_view pipeline) {
    const Value all = explained(pipeline);
    Object out;
    for (const auto& [name, value] : all.find("source")->object())
      if (name == "limit" || name == "sort" || name == "paths" || (name == "filter" && !value.object().empty()))
        out.push_back({name, value});
    Array stages;
    for (const Value& stage : all.find("stages")->array()) stages.push_back(*stage.find("stage"));
    out.push_back({"stages", stages});
    return model::to_json(out);
  }
};

TEST_F(PlanTest, TheSourceIsToldFilterSortLimitAndPaths) {
  EXPECT_EQ(plan(R"([{"$match":{"a":1}},{"$match":{"b.c":1}},{"$sort":{"a":-1}},{"$skip":2},{"$limit":5}])"),
            R"({"filter":{"$and":[{"a":1},{"b.c":1}]},"sort":{"a":-1},"limit":7,"stages":["$sort","$skip","$limit"]})");
  EXPECT_EQ(plan(R"([{"$group":{"_id":"$b.c","n":{"$sum":{"$size":"$e"}}}}])"),
            R"({"paths":["b.c","e"],"stages":["$group"]})");
  EXPECT_EQ(plan(R"([{"$project":{"a":1,"x":{"$add":["$b.d",1]}}}])"),
            R"({"paths":["_id","a","b.d"],"stages":["$project"]})");
  EXPECT_EQ(plan(R"([{"$count":"n"}])"), R"({"paths":[],"stages":["$count"]})");
}

TEST_F(PlanTest, MatchesMoveBeforeStagesThatKeepTheirPaths) {
  EXPECT_EQ(plan(R"([{"$set":{"x":1}},{"$unwind":"$e"},{"$sort":{"a":1}},{"$match":{"a":1}}])"),
            R"({"filter":{"a":1},"stages":["$set","$unwind","$sort"]})");
  EXPECT_EQ(plan(R"([{"$set":{"a":1}},{"$match":{"a":1}}])"), R"({"stages":["$set","$match"]})");
  EXPECT_EQ(plan(R"([{"$set":{"b.x":1}},{"$match":{"b.c":1}}])"), R"({"stages":["$set","$match"]})");
  EXPECT_EQ(plan(R"([{"$unwind":"$e"},{"$match":{"e":1}}])"), R"({"stages":["$unwind","$match"]})");
  EXPECT_EQ(plan(R"([{"$project":{"a":0}},{"$match":{"a":1}}])"), R"({"stages":["$project","$match"]})");
  EXPECT_EQ(plan(R"([{"$limit":9},{"$match":{"a":1}}])"), R"({"limit":9,"stages":["$limit","$match"]})");
  EXPECT_EQ(plan(R"([{"$group":{"_id":"$a"}},{"$match":{"_id":1}}])"),
            R"({"paths":["a"],"stages":["$group","$match"]})");
}

TEST_F(PlanTest, LimitsMoveBeforeStagesThatChangeEachRow) {
  EXPECT_EQ(plan(R"([{"$project":{"a":1}},{"$limit":3}])"),
            R"({"limit":3,"paths":["_id","a"],"stages":["$limit","$project"]})");
  EXPECT_EQ(plan(R"([{"$sort":{"a":1}},{"$project":{"a":1}},{"$limit":3}])"),
            R"({"sort":{"a":1},"limit":3,"paths":["_id","a"],"stages":["$sort","$limit","$project"]})");
  EXPECT_EQ(plan(R"([{"$unwind":"$e"},{"$limit":3}])"), R"({"stages":["$unwind","$limit"]})");
}

TEST_F(PlanTest, ASourceThatSortsSavesTheSort) {
  sources.sorts = true;
  EXPECT_EQ(plan(R"([{"$sort":{"a":1}},{"$limit":2}])"), R"({"sort":{"a":1},"limit":2,"stages":["$limit"]})");
  EXPECT_EQ(run(R"([{"$sort":{"a":1,"_id":-1}},{"$limit":2},{"$project":{"a":1}}])"),
            (Texts{R"({"_id":98,"a":0})", R"({"_id":91,"a":0})"}));
}

TEST_F(PlanTest, PartsOfTheSourceAreGroupedInThreads) {
  std::vector<unsigned> parts;
  sources.on_open = [&](const SourceName&, const Request& request) { parts.push_back(request.parts); };
  const std::string group =
      R"({"$group":{"_id":"$a","ids":{"$push":"$_id"},"first":{"$first":"$_id"},"n":{"$sum":"$e"}}}])";
  settings.threads = 3;
  const Texts threads = run(R"([{"$set":{"e":{"$sum":"$e"}}},)" + group);
  settings.threads = 1;
  EXPECT_EQ(threads, run(R"([{"$set":{"e":{"$sum":"$e"}}},)" + group));
  run(R"([{"$limit":50},)" + group);
  EXPECT_EQ(parts, (std::vector<unsigned>{3, 1, 1}));
}

TEST_F(PlanTest, ExplainCountsRowsOfEachStage) {
  settings.threads = 2;
  const Value all = explained(
      R"([{"$match":{"a":{"$lt":3}}},{"$unwind":"$e"},{"$group":{"_id":"$a","n":{"$sum":1}}},{"$sort":{"n":1}},{"$limit":2}])");
  const auto number = [](const Value& object, std::string_view name) {
    return object.find(name) ? object.find(name)->integer() : -1;
  };
  EXPECT_EQ(number(*all.find("source"), "rows_out"), 44);
  EXPECT_EQ(number(*all.find("source"), "parts"), 2);
  const Array& stages = all.find("stages")->array();
  ASSERT_EQ(stages.size(), 4u);
  EXPECT_EQ(number(stages[0], "rows_out"), 88);
  EXPECT_EQ(number(stages[1], "rows_in"), 88);
  EXPECT_EQ(number(stages[1], "threads"), 2);
  EXPECT_EQ(number(stages[2], "limit"), 2);
  EXPECT_EQ(number(stages[3], "rows_out"), 2);
  EXPECT_EQ(number(all, "returned"), 2);
}

TEST_F(PlanTest, AFailureInAThreadIsTheOneThatIsTold) {
  settings.threads = 4;
  refused(ErrorCode::invalid, R"([{"$group":{"_id":null,"n":{"$sum":{"$divide":[1,{"$subtract":["$_id",80]}]}}}}])",
          "$divide", "_id 80");
}

TEST_F(PlanTest, AConditionWithoutPathsStaysWhereRowsComeFromNothing) {
  sources.set("c", {R"({"_id":1})"});
  sources.set("x", {R"({"_id":100})"});
  for (const char* never : {R"({"$expr":false})", R"({"$alwaysFalse":1})", R"({"$nor":[{}]})",
                            R"({"$expr":{"$lt":["$$NOW",{"$date":"2001-01-01T00:00:00Z"}]}})"}) {
    const std::string match = R"({"$match":)" + std::string(never) + "}";
    EXPECT_EQ(run(R"([{"$unionWith":"x"},)" + match + "]"), Texts{}) << never;
    EXPECT_EQ(run(R"([{"$facet":{"f":[{"$count":"n"}]}},)" + match + "]"), Texts{}) << never;
    EXPECT_EQ(run(R"([{"$group":{"_id":null}},)" + match + "]"), Texts{}) << never;
    EXPECT_EQ(run("[" + match + R"(,{"$unionWith":"x"}])"), (Texts{R"({"_id":100})"})) << never;
  }
  EXPECT_EQ(run(R"([{"$lookup":{"from":"x","let":{"v":"$_id"},"as":"r","pipeline":[
                  {"$unionWith":"c"},{"$match":{"$expr":{"$eq":["$$v",2]}}}]}}])"),
            (Texts{R"({"_id":1,"r":[]})"}));
}

TEST_F(PlanTest, OfAMatchTheConditionsThatCanMoveBeforeAStageDo) {
  EXPECT_EQ(plan(R"([{"$unwind":"$e"},{"$match":{"e":2,"a":3}}])"),
            R"({"filter":{"a":3},"stages":["$unwind","$match"]})");
  EXPECT_EQ(plan(R"([{"$lookup":{"from":"c","localField":"a","foreignField":"_id","as":"l"}},
                     {"$match":{"$and":[{"l.a":2},{"a":{"$gt":3}}],"b.c":1}}])"),
            R"({"filter":{"$and":[{"a":{"$gt":3}},{"b.c":1}]},"stages":["$lookup","$match"]})");
  const std::string whole = R"([{"$unwind":"$e"},{"$match":{"e":2,"a":{"$lt":3}}},{"$sort":{"_id":1}}])";
  const std::string apart = R"([{"$unwind":"$e"},{"$match":{"e":2}},{"$match":{"a":{"$lt":3}}},{"$sort":{"_id":1}}])";
  EXPECT_EQ(run(whole), run(apart));
}

// {"$stage": [rows in, rows out]} of pipelines inside stages, all runs together.
std::string inner_rows(const Value& stage) {
  Array all;
  for (const Value& pipeline : stage.find("pipelines")->array()) {
    Object one;
    for (const Value& inner : pipeline.array())
      one.push_back({inner.find("stage")->string(),
                     Array{inner.find("rows_in") ? *inner.find("rows_in") : Value(), *inner.find("rows_out")}});
    all.push_back(std::move(one));
  }
  return model::to_json(all);
}

TEST_F(PlanTest, ExplainCountsTheRowsOfPipelinesInsideStages) {
  const auto first = [this](const std::string& pipeline) {
    const Value all = explained(pipeline);
    for (const Value& stage : all.find("stages")->array())
      if (stage.find("pipelines")) return inner_rows(stage);
    return std::string();
  };
  EXPECT_EQ(first(R"([{"$facet":{"f":[{"$match":{"a":1}},{"$limit":3}],"g":[{"$count":"n"}]}}])"),
            R"([{"$match":[null,3],"$limit":[3,3]},{"$count":[null,1]}])");
  EXPECT_EQ(first(R"([{"$limit":5},{"$unionWith":{"coll":"c","pipeline":[{"$match":{"a":1}},{"$sort":{"_id":-1}}]}}])"),
            R"([{"source":[null,15],"$sort":[15,15]}])");
  EXPECT_EQ(first(R"([{"$limit":4},{"$lookup":{"from":"c","as":"l","let":{"i":"$_id"},"pipeline":[
                      {"$match":{"$expr":{"$lt":["$_id","$$i"]}}},{"$unwind":"$e"}]}}])"),
            R"([{"source":[null,6],"$unwind":[6,12]}])");
  EXPECT_EQ(
      first(
          R"([{"$limit":4},{"$lookup":{"from":"c","as":"l","localField":"a","foreignField":"_id","pipeline":[{"$limit":1}]}}])"),
      R"([{"source":[null,4],"$limit":[4,4]}])");
  EXPECT_EQ(first(R"([{"$match":{"a":99}},{"$lookup":{"from":"c","as":"l","pipeline":[{"$limit":1}]}}])"),
            R"([{"source":[null,0],"$limit":[0,0]}])");
}

}  // namespace
}  // namespace stele::pipeline
