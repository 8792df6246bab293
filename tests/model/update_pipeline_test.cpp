// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/model/update_case.h"
#include "tests/support/expect_error.h"

namespace stele::model {
namespace {

using stele::testing::expect_error;

// The examples of MongoDB's page on updates with a pipeline.
TEST(PipelineUpdate, computes_from_other_members) {
  EXPECT_EQ(updated(R"({"_id":3,"test1":95,"test2":92,"test3":90})", R"([{"$set":{"test3":98}}])"),
            R"({"_id":3,"test1":95,"test2":92,"test3":98})");
  EXPECT_EQ(updated(R"({"_id":1,"a":95,"b":92})", R"([{"$set":{"average":{"$divide":[{"$add":["$a","$b"]},2]}}},
                                                      {"$set":{"high":{"$gte":["$average",90]}}}])"),
            R"({"_id":1,"a":95,"b":92,"average":93.5,"high":true})");
  EXPECT_EQ(updated(R"({"_id":1,"t":[4,12]})",
                    R"([{"$addFields":{"f":{"$map":{"input":"$t","as":"c","in":{"$add":["$$c",1]}}}}}])"),
            R"({"_id":1,"t":[4,12],"f":[5,13]})");
}

TEST(PipelineUpdate, a_stage_reads_what_the_one_before_left) {
  EXPECT_EQ(updated(R"({"a":1,"b":2})", R"([{"$set":{"a":"$b","b":"$a"}}])"), R"({"a":2,"b":1})");
  EXPECT_EQ(updated(R"({"a":1,"b":2})", R"([{"$set":{"a":"$b"}},{"$set":{"b":"$a"}}])"), R"({"a":2,"b":2})");
  EXPECT_EQ(updated(R"({"a":1})", R"([{"$set":{"c":"$a"}},{"$unset":"a"}])"), R"({"c":1})");
}

TEST(PipelineUpdate, set_merges_objects_and_goes_through_arrays) {
  EXPECT_EQ(updated(R"({"a":{"x":1,"y":2}})", R"([{"$set":{"a":{"y":3,"z":4}}}])"), R"({"a":{"x":1,"y":3,"z":4}})");
  EXPECT_EQ(updated(R"({"a":{"x":1}})", R"([{"$set":{"a.y.z":1}}])"), R"({"a":{"x":1,"y":{"z":1}}})");
  EXPECT_EQ(updated(R"({"a":[{"x":1},2,[{"x":3}]]})", R"([{"$set":{"a.x":0}}])"),
            R"({"a":[{"x":0},{"x":0},[{"x":0}]]})");
  EXPECT_EQ(updated(R"({"a":5})", R"([{"$set":{"a.x":"$a"}}])"), R"({"a":{"x":5}})");
  EXPECT_EQ(updated(R"({"a":5,"b":1})", R"([{"$set":{"b":"$missing","c":"$missing"}}])"), R"({"a":5})");
  EXPECT_EQ(updated(R"({"a":5})", R"([{"$set":{"a":5}}])"), "same");
}

TEST(PipelineUpdate, unset_and_project_leave_out) {
  EXPECT_EQ(
      updated(R"({"a":1,"b":{"c":2,"d":3},"e":[{"f":1,"g":2},[{"f":3}],4]})", R"([{"$unset":["a","b.c","e.f"]}])"),
      R"({"b":{"d":3},"e":[{"g":2},[{}],4]})");
  EXPECT_EQ(updated(R"({"a":1,"b":{"c":2,"d":3}})", R"([{"$project":{"a":0,"b":{"c":false}}}])"), R"({"b":{"d":3}})");
  EXPECT_EQ(updated(R"({"a":1})", R"([{"$unset":"b.c"},{"$unset":"a.x"}])"), "same");
}

TEST(PipelineUpdate, replaces_the_document_but_keeps_its_id) {
  EXPECT_EQ(updated(R"({"_id":1,"a":{"b":2}})", R"([{"$replaceWith":"$a"}])"), R"({"_id":1,"b":2})");
  EXPECT_EQ(updated(R"({"_id":1,"a":{"b":2}})", R"([{"$replaceRoot":{"newRoot":{"c":"$a.b"}}}])"),
            R"({"_id":1,"c":2})");
  EXPECT_EQ(updated(R"({"_id":1,"a":2})", R"([{"$unset":"_id"}])"), "same");
  EXPECT_EQ(updated(R"({"_id":1,"a":2})", R"([{"$set":{"_id":1.0}}])"), "same");
  EXPECT_EQ(refusal(R"({"_id":1,"a":2})", R"([{"$set":{"_id":"$a"}}])"), "invalid ImmutableId");
  EXPECT_EQ(refusal(R"({"_id":1,"a":2})", R"([{"$replaceWith":"$a"}])"), "invalid InvalidUpdate");
  EXPECT_EQ(refusal(R"({"_id":1,"a":2})", R"([{"$set":{"b":1}},{"$replaceWith":"$missing"}])"),
            "invalid InvalidUpdate");
}

TEST(PipelineUpdate, knows_the_time_and_the_whole_document) {
  EXPECT_EQ(updated(R"({"a":1})", R"([{"$set":{"at":"$$NOW"}}])"),
            R"({"a":1,"at":)" + to_json(Date{1767225600000}) + "}");
  EXPECT_EQ(updated(R"({"a":1})", R"([{"$set":{"old":"$$ROOT"}}])"), R"({"a":1,"old":{"a":1}})");
}

TEST(PipelineUpdate, upserts_from_the_filter) {
  EXPECT_EQ(upserted(R"({"_id":7,"n":2})", R"([{"$set":{"double":{"$add":["$n","$n"]}}}])"),
            R"({"_id":7,"n":2,"double":4})");
  EXPECT_EQ(upserted(R"({"_id":7,"n":2})", R"([{"$replaceWith":{"m":"$n"}}])"), R"({"_id":7,"m":2})");
}

TEST(PipelineUpdate, refuses_what_is_no_stage_of_an_update) {
  const std::string document = R"({"_id":1,"a":1})";
  for (const std::string_view stage :
       {"[1]", "[{}]", R"([{"$set":{"a":1},"$unset":"b"}])", R"([{"$set":1}])", R"([{"$set":{}}])",
        R"([{"$set":{"b":{}}}])", R"([{"$set":{"b":{"c.d":1}}}])", R"([{"$set":{"b..c":1}}])", R"([{"$set":{"$b":1}}])",
        R"([{"$unset":[]}])", R"([{"$unset":[1]}])", R"([{"$unset":""}])", R"([{"$replaceRoot":"$a"}])",
        R"([{"$project":{}}])"})
    EXPECT_EQ(refusal(document, stage), "invalid InvalidUpdate") << stage;
  EXPECT_EQ(refusal(document, R"([{"$match":{"a":1}}])"), "invalid UnknownOperator");
  EXPECT_EQ(refusal(document, R"([{"$set":{"a":1,"a.b":2}}])"), "invalid ConflictingPaths");
  EXPECT_EQ(refusal(document, R"([{"$unset":["a.b","a"]}])"), "invalid ConflictingPaths");
  EXPECT_EQ(refusal(document, R"([{"$unset":["a","a"]}])"), "invalid ConflictingPaths");
  EXPECT_EQ(refusal(document, R"([{"$project":{"a":1}}])"), "unsupported Operator");
  EXPECT_EQ(refusal(document, "[]"), "same");
}

TEST(PipelineUpdate, names_the_stage_that_is_refused) {
  const auto parse_it = [](std::string_view update) { return [update] { Update::parse(update); }; };
  expect_error(ErrorCode::invalid, parse_it(R"([{"$set":{"a":1}},{"$sort":{"a":1}}])"), "stage 2", "$sort",
               "$replaceWith");
  expect_error(ErrorCode::invalid, parse_it(R"([{"$set":{"a":{"$foo":1}}}])"), "stage 1", "\"a\"", "$foo");
}

TEST(PipelineUpdate, stages_that_double_are_stopped) {
  std::string doubling = "[", nesting = "[";
  for (int i = 0; i < 60; ++i) {
    const std::string comma = i ? "," : "";
    doubling += comma + R"({"$set":{"a":["$a","$a"]}})";
    nesting += comma + R"({"$replaceWith":{"a":"$$ROOT"}})";
  }
  const json::Limits limits{10'000, 50};
  const auto apply = [&](const std::string& update) {
    return [&limits, &update] { Update::parse(update).apply_json(R"({"a":[1]})", {nullptr, {}, false, limits}); };
  };
  doubling += "]";
  nesting += "]";
  expect_error(ErrorCode::too_large, apply(doubling), "a stage makes");
  expect_error(ErrorCode::too_large, apply(nesting), "50 arrays and objects inside each other");
}

}  // namespace
}  // namespace stele::model
