// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Stages that gather rows under little memory give what they give under much, and leave no file behind.
#include "engine/pipeline/spill_file.h"
#include "tests/pipeline/pipeline_case.h"
#include "tests/support/sanitized.h"

#include <filesystem>
#include <fstream>

namespace stele::pipeline {
namespace {

constexpr int scale = testing::sanitized ? 4 : 1;  // fewer rows in less memory

class SpillTest : public PipelineTest {
 protected:
  SpillTest() {
    Texts documents;
    for (int i = 0; i < 12'000 / scale; ++i)
      documents.push_back(R"({"_id":)" + std::to_string(i) + R"(,"k":)" + std::to_string(i * 7919 % (5000 / scale)) + R"(,"v":)" +
                          std::to_string(i % 100) + R"(.5,"s":"some text of a document )" + std::to_string(i % 977) +
                          "\"}");
    sources.set("c", documents);
  }
  void expect_same(std::string_view pipeline) {
    SCOPED_TRACE(pipeline);
    settings.memory_bytes = std::size_t{100} << 20;
    const Texts expected = run(pipeline);
    for (const std::size_t bytes : {300'000 / scale, 100'000 / scale}) {
      settings.memory_bytes = bytes;
      EXPECT_TRUE(run(pipeline) == expected) << bytes;
    }
    EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
  }
};

TEST_F(SpillTest, Sorts) {
  expect_same(R"([{"$sort":{"k":1}}])");
  expect_same(R"([{"$sort":{"s":-1,"v":1}},{"$skip":100},{"$project":{"k":1}}])");
  expect_same(R"([{"$sort":{"s":-1}},{"$limit":9000}])");
}

TEST_F(SpillTest, Groups) {
  const std::string sorted = R"(,{"$sort":{"_id":1}}])";
  expect_same(
      R"([{"$group":{"_id":"$k","n":{"$sum":1},"v":{"$sum":"$v"},"ids":{"$push":"$_id"},"first":{"$first":"$s"},"last":{"$last":"$s"}}})" +
      sorted);
  expect_same(
      R"([{"$group":{"_id":{"k":"$k","x":"$absent"},"a":{"$avg":"$v"},"set":{"$addToSet":"$v"},"min":{"$min":"$v"},"max":{"$max":"$s"}}})" +
      sorted);
  expect_same(
      R"([{"$group":{"_id":"$k","top":{"$topN":{"n":2,"sortBy":{"v":-1,"_id":1},"output":"$_id"}},"m":{"$median":{"input":"$v","method":"approximate"}},"o":{"$mergeObjects":{"a":"$v"}},"l":{"$lastN":{"n":2,"input":"$_id"}}}})" +
      sorted);
}

TEST_F(SpillTest, FacetsBucketsAndWindows) {
  expect_same(R"([{"$facet":{"n":[{"$count":"n"}],"k":[{"$group":{"_id":null,"k":{"$sum":"$k"}}}]}}])");
  expect_same(R"([{"$bucketAuto":{"groupBy":"$k","buckets":7}}])");
  expect_same(
      R"([{"$setWindowFields":{"partitionBy":"$k","sortBy":{"v":1},"output":{"r":{"$rank":{}},"s":{"$sum":"$v","window":{"documents":["unbounded","current"]}}}}}])");
}

TEST_F(SpillTest, StandardDeviationsAgreeAlmost) {
  const std::string pipeline = R"([{"$group":{"_id":{"$mod":["$k",3]},"d":{"$stdDevPop":"$v"}}},{"$sort":{"_id":1}}])";
  const Texts expected = run(pipeline);
  settings.memory_bytes = 2000;
  const Texts got = run(pipeline);
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    EXPECT_NEAR(model::parse(got[i]).find("d")->number(), model::parse(expected[i]).find("d")->number(), 1e-9);
}

TEST_F(SpillTest, ExplainTellsWhatWasSpilled) {
  settings.memory_bytes = 200'000 / scale;
  for (const char* pipeline :
       {R"([{"$sort":{"k":1}},{"$group":{"_id":"$k","n":{"$sum":1}}}])",
        R"([{"$setWindowFields":{"partitionBy":"$k","sortBy":{"v":1},"output":{"n":{"$documentNumber":{}}}}}])",
        R"([{"$bucketAuto":{"groupBy":"$k","buckets":3}}])"}) {
    const Value all = explained(pipeline);
    for (const Value& stage : all.find("stages")->array()) {
      ASSERT_TRUE(stage.find("spilled_bytes")) << model::to_json(stage);
      EXPECT_GT(stage.find("spilled_bytes")->integer(), 50'000 / scale) << model::to_json(stage);
    }
  }
}

TEST_F(SpillTest, WithoutADirectoryOrBeyondItsLimitAStageIsRefused) {
  settings.memory_bytes = 100'000;
  settings.spill_bytes_max = 200'000;
  refused(ErrorCode::too_large, R"([{"$sort":{"k":1}}])", "stage 1, $sort", "temporary file");
  settings.spill_directory.clear();
  refused(ErrorCode::too_large, R"([{"$sort":{"k":1}}])", "stage 1, $sort", "memory");
}

TEST_F(SpillTest, AGroupThatAloneExceedsTheMemoryIsTooLarge) {
  settings.memory_bytes = 100'000;
  refused(ErrorCode::too_large, R"([{"$group":{"_id":null,"all":{"$push":"$s"}}}])", "$group", "null", "100000");
}

TEST_F(SpillTest, FilesOfAProcessThatDiedAreRemoved) {
  std::ofstream(directory / "spill-left") << "x";
  std::ofstream(directory / "other") << "x";
  remove_spill_files(directory.path());
  EXPECT_FALSE(std::filesystem::exists(directory / "spill-left"));
  EXPECT_TRUE(std::filesystem::exists(directory / "other"));
}

}  // namespace
}  // namespace stele::pipeline
