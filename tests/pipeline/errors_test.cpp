// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Bad pipelines are refused by the name and place of what is wrong.
#include "tests/pipeline/pipeline_case.h"

#include <fstream>
#include <set>
#include <sstream>

namespace stele::pipeline {
namespace {

class ErrorsTest : public PipelineTest {
 protected:
  ErrorsTest() { sources.set("c", {R"({"_id":{"$oid":"0123456789abcdef01234567"},"s":"text"})"}); }
};

TEST_F(ErrorsTest, WhatIsNoPipeline) {
  refused(ErrorCode::invalid, R"({"$match":{}})", "array of stages");
  refused(ErrorCode::invalid, R"([{"$match":{}} )", "aggregate");
  refused(ErrorCode::invalid, R"([7])", "stage 1", "one member");
  refused(ErrorCode::invalid, R"([{"$match":{},"$limit":1}])", "stage 1", "one member");
  refused(ErrorCode::invalid, R"([{}])", "stage 1");
}

TEST_F(ErrorsTest, UnknownStagesOperatorsAndFields) {
  refused(ErrorCode::invalid, R"([{"$limit":1},{"$matches":{}}])", "stage 2", "unknown stage \"$matches\"", "$match");
  refused(ErrorCode::unsupported, R"([{"$geoNear":{}}])", "$geoNear is not offered");
  refused(ErrorCode::invalid, R"([{"$match":{"a":{"$gtt":1}}}])", "stage 1, $match", "\"a\"", "$gtt");
  refused(ErrorCode::invalid, R"([{"$project":{"x":{"$plus":[1]}}}])", "stage 1, $project", "\"x\"", "$plus");
  refused(ErrorCode::invalid, R"([{"$set":{"a.b":{"$plus":[1]}}}])", "stage 1, $set", "\"a.b\"", "$plus");
  refused(ErrorCode::invalid, R"([{"$facet":{"f":[{"$limit":1},{"$bad":1}]}}])", "stage 1, $facet, \"f\", stage 2",
          "$bad");
  refused(ErrorCode::invalid, R"([{"$unwind":{"path":"$a","keepNull":true}}])", "$unwind", "no member \"keepNull\"");
  refused(ErrorCode::invalid, R"([{"$lookup":{"from":"x","as":"y","pipeline":[],"on":1}}])", "$lookup", "\"on\"");
}

// Names with '$' in the text, behind the mark.
std::set<std::string> names_in(const std::string& text, const std::string& mark) {
  std::set<std::string> names;
  std::istringstream words(text.substr(text.find(mark) + mark.size()));
  for (std::string word; words >> word;)
    if (word.find('$') != std::string::npos)
      names.insert(word.substr(word.find('$'), word.find_last_not_of("`") - word.find('$') + 1));
  return names;
}

TEST_F(ErrorsTest, WhatTheyListIsWhatThePageOfOperatorsLists) {
  const auto page = [](const std::string& mark) {
    std::ifstream file(STELE_SOURCE_DIR "/engine/ARCHITECTURE.md");
    for (std::string line; std::getline(file, line);)
      if (line.starts_with(mark)) return names_in(line, mark);
    return std::set<std::string>();
  };
  const Error stage = refused(ErrorCode::invalid, R"([{"$x":1}])", "unknown stage");
  EXPECT_EQ(names_in(stage.message(), "known:"), page("| aggregation, stages |"));
  const Error accumulator =
      refused(ErrorCode::invalid, R"([{"$group":{"_id":1,"n":{"$x":1}}}])", "unknown accumulator");
  EXPECT_EQ(names_in(accumulator.message(), "known:"), page("| aggregation, accumulators |"));
}

TEST_F(ErrorsTest, ArgumentsOutOfRange) {
  refused(ErrorCode::invalid, R"([{"$limit":0}])", "$limit", "at least 1");
  refused(ErrorCode::invalid, R"([{"$skip":-1}])", "$skip", "at least 0");
  refused(ErrorCode::invalid, R"([{"$limit":1.5}])", "integer");
  refused(ErrorCode::invalid, R"([{"$limit":1e30}])", "integer");
  refused(ErrorCode::invalid, R"([{"$sample":{"size":"3"}}])", "\"size\"", "type string");
  refused(ErrorCode::invalid, R"([{"$sort":{}}])", "$sort");
  refused(ErrorCode::invalid, R"([{"$sort":{"a":2}}])", "$sort", "\"a\"");
  refused(ErrorCode::invalid, R"([{"$project":{}}])", "$project");
  refused(ErrorCode::invalid, R"([{"$project":{"a":1,"b":0}}])", "\"a\"", "\"b\"");
  refused(ErrorCode::invalid, R"([{"$project":{"a":{"$slice":3}}}])", "$slice");
  refused(ErrorCode::invalid, R"([{"$project":{"a.$":1}}])", "positional $");
  refused(ErrorCode::invalid, R"([{"$project":{"a":{"$elemMatch":{"b":1}}}}])", "$elemMatch", "$filter");
  refused(ErrorCode::invalid, R"([{"$unwind":"tags"}])", "'$' in front");
  refused(ErrorCode::invalid, R"([{"$unwind":"$a..b"}])", "empty");
  refused(ErrorCode::invalid, R"([{"$group":{"n":{"$sum":1}}}])", "lacks \"_id\"");
  refused(ErrorCode::invalid, R"([{"$group":{"_id":1,"a.b":{"$sum":1}}}])", "\"a.b\"");
  refused(ErrorCode::invalid, R"([{"$group":{"_id":1,"n":{"$sum":1,"$avg":1}}}])", "\"n\"", "one accumulator");
  refused(ErrorCode::invalid, R"([{"$count":"$n"}])", "\"$n\"");
  refused(ErrorCode::invalid, R"([{"$bucket":{"groupBy":"$a","boundaries":[2,1]}}])", "ascending");
  refused(ErrorCode::invalid, R"([{"$bucket":{"groupBy":{"$nope":1},"boundaries":[1,2]}}])", "groupBy", "$nope");
  refused(ErrorCode::invalid, R"([{"$bucket":{"groupBy":"$a","boundaries":[1,"a"]}}])", "one type");
  refused(ErrorCode::invalid, R"([{"$bucket":{"groupBy":"$a","boundaries":[1,5],"default":3}}])", "outside");
  refused(ErrorCode::unsupported, R"([{"$bucketAuto":{"groupBy":"$a","buckets":3,"granularity":"R5"}}])",
          "granularity");
}

TEST_F(ErrorsTest, StagesInForbiddenPlaces) {
  refused(ErrorCode::invalid, R"([{"$facet":{"f":[{"$facet":{"g":[]}}]}}])", "$facet", "inside $facet");
  refused(ErrorCode::invalid, R"([{"$facet":{}}])", "$facet");
}

TEST_F(ErrorsTest, WrongTypesNameTheDocument) {
  const Error error = refused(ErrorCode::invalid, R"([{"$set":{"x":{"$add":["$s",1]}}}])", "stage 1, $set, \"x\"",
                              "$add", "0123456789abcdef01234567");
  EXPECT_EQ(error.detail().at("document"), R"({"$oid":"0123456789abcdef01234567"})");
  refused(ErrorCode::invalid, R"([{"$group":{"_id":{"$ln":"$s"}}}])", "$group, \"_id\"", "$ln",
          "0123456789abcdef01234567");
  refused(ErrorCode::invalid, R"([{"$match":{"$expr":{"$ln":"$s"}}}])", "$ln");
}

TEST_F(ErrorsTest, TooManyStagesAndPipelinesInsideEachOther) {
  std::string many = "[", deep = "[]";
  for (int i = 0; i < 1001; ++i) many += (i ? "," : "") + std::string(R"({"$limit":1})");
  refused(ErrorCode::too_large, many + "]", "1000 stages");
  for (int i = 0; i < 22; ++i) deep = R"([{"$lookup":{"from":"c","as":"x","pipeline":)" + deep + "}}]";
  refused(ErrorCode::too_large, deep, "20 pipelines");
}

TEST_F(ErrorsTest, WhatGrowsWithoutBoundIsTooLarge) {
  settings.limits.bytes_max = 10'000;
  Texts documents;
  for (int i = 0; i < 200; ++i)
    documents.push_back(R"({"_id":)" + std::to_string(i) + R"(,"s":")" + std::string(100, 'x') + "\"}");
  sources.set("c", documents);
  refused(ErrorCode::too_large, R"([{"$group":{"_id":null,"all":{"$push":"$$ROOT"}}}])", "$group", "10000");
  refused(ErrorCode::too_large, R"([{"$facet":{"all":[{"$set":{"x":1}}]}}])", "$facet", "10000");
  std::string doubling = R"([{"$limit":1})";
  for (int i = 0; i < 40; ++i) doubling += R"(,{"$set":{"s":{"$concat":["$s","$s"]}}})";
  refused(ErrorCode::too_large, doubling + "]", "$set");
}

}  // namespace
}  // namespace stele::pipeline
