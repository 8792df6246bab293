// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/pipeline/pipeline_case.h"

namespace stele::pipeline {
namespace {

class WindowTest : public PipelineTest {
 protected:
  WindowTest() {
    sources.set("c", {R"({"_id":1,"k":"a","v":10,"t":1})", R"({"_id":2,"k":"b","v":5,"t":1})",
                      R"({"_id":3,"k":"a","v":20,"t":3})", R"({"_id":4,"k":"a","v":20,"t":4})",
                      R"({"_id":5,"k":"b","v":7,"t":2})", R"({"_id":6,"k":"a","v":30,"t":9})"});
  }
  /// The field r of all rows, in the order of _id.
  std::string of(const std::string& sort, const std::string& output) {
    const Texts rows = run(R"([{"$setWindowFields":{"partitionBy":"$k","sortBy":)" + sort + R"(,"output":{"r":)" +
                           output + R"(}}},{"$sort":{"_id":1}},{"$group":{"_id":null,"r":{"$push":"$r"}}}])");
    return rows.size() == 1 ? rows[0].substr(16, rows[0].size() - 17) : "rows: " + std::to_string(rows.size());
  }
};

TEST_F(WindowTest, RanksAndNumbers) {
  EXPECT_EQ(of(R"({"v":1})", R"({"$rank":{}})"), "[1,1,2,2,2,4]");
  EXPECT_EQ(of(R"({"v":1})", R"({"$denseRank":{}})"), "[1,1,2,2,2,3]");
  EXPECT_EQ(of(R"({"v":-1})", R"({"$documentNumber":{}})"), "[4,2,2,3,1,1]");
  EXPECT_EQ(of(R"({"t":1})", R"({"$shift":{"output":"$v","by":-1,"default":0}})"), "[0,0,10,20,5,20]");
}

TEST_F(WindowTest, RunningAndMovingSumsAndAverages) {
  EXPECT_EQ(of(R"({"t":1})", R"({"$sum":"$v","window":{"documents":["unbounded","current"]}})"), "[10,5,30,50,12,80]");
  EXPECT_EQ(of(R"({"t":1})", R"({"$sum":"$v","window":{"documents":[-1,1]}})"), "[30,12,50,70,12,50]");
  EXPECT_EQ(of(R"({"t":1})", R"({"$avg":"$v","window":{"documents":[-1,0]}})"), "[10.0,5.0,15.0,20.0,6.0,25.0]");
  EXPECT_EQ(of(R"({"t":1})", R"({"$sum":"$v"})"), "[80,12,80,80,12,80]");
  EXPECT_EQ(of(R"({"t":1})", R"({"$max":"$v","window":{"documents":[-2,-1]}})"), "[null,null,10,20,5,20]");
  EXPECT_EQ(of(R"({"t":1})", R"({"$push":"$v","window":{"documents":[1,2]}})"), "[[20,20],[7],[20,30],[30],[],[]]");
}

TEST_F(WindowTest, WindowsByRangeOfTheSortField) {
  EXPECT_EQ(of(R"({"t":1})", R"({"$sum":"$v","window":{"range":[-1,1]}})"), "[10,12,40,40,12,30]");
  EXPECT_EQ(of(R"({"t":1})", R"({"$count":{},"window":{"range":["unbounded",-2]}})"), "[0,0,1,1,0,3]");
  sources.set("c",
              {R"({"_id":1,"t":{"$date":"2026-01-01T00:00:00Z"}})", R"({"_id":2,"t":{"$date":"2026-01-01T01:00:00Z"}})",
               R"({"_id":3,"t":{"$date":"2026-01-01T03:00:00Z"}})"});
  EXPECT_EQ(of(R"({"t":1})", R"({"$push":"$_id","window":{"range":[-1,0],"unit":"hour"}})"), "[[1],[1,2],[3]]");
  sources.set("c", {R"({"_id":1,"t":"x"})"});
  refused(ErrorCode::invalid,
          R"([{"$setWindowFields":{"sortBy":{"t":1},"output":{"r":{"$sum":1,"window":{"range":[0,1]}}}}}])",
          "needs numbers", "\"t\"");
}

TEST_F(WindowTest, EqualsTheSumOfTheRowsForRandomWindows) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE("STELE_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 20; ++round) {
    Texts documents;
    std::vector<std::int64_t> values;
    for (int i = 0; i < 60; ++i) {
      values.push_back(static_cast<std::int64_t>(random() % 100));
      documents.push_back(R"({"_id":)" + std::to_string(i) + R"(,"v":)" + std::to_string(values.back()) + "}");
    }
    const int lower = static_cast<int>(random() % 11) - 5, upper = lower + static_cast<int>(random() % 6);
    const Texts rows = run(
        documents, R"([{"$setWindowFields":{"sortBy":{"_id":1},"output":{"s":{"$sum":"$v","window":{"documents":[)" +
                       std::to_string(lower) + "," + std::to_string(upper) + R"(]}}}}},{"$project":{"_id":0,"s":1}}])");
    for (int i = 0; i < 60; ++i) {
      std::int64_t sum = 0;
      for (int k = std::max(i + lower, 0); k <= std::min(i + upper, 59); ++k)
        sum += values[static_cast<std::size_t>(k)];
      ASSERT_EQ(rows[static_cast<std::size_t>(i)], R"({"s":)" + std::to_string(sum) + "}") << lower << ".." << upper;
    }
  }
}

TEST_F(WindowTest, RefusesWhatIsNoWindow) {
  const auto refuses = [this](ErrorCode code, const std::string& output, std::string_view part) {
    refused(code, R"([{"$setWindowFields":{"sortBy":{"t":1},"output":{"r":)" + output + "}}}]", part, "\"r\"");
  };
  refuses(ErrorCode::invalid, R"({"$sum":1,"window":{"documents":[1,0]}})", "above the upper");
  refuses(ErrorCode::invalid, R"({"$sum":1,"window":{"documents":[1.5,2]}})", "integer");
  refuses(ErrorCode::invalid, R"({"$rank":{},"window":{"documents":[0,1]}})", "no \"window\"");
  refuses(ErrorCode::invalid, R"({"$sum":1,"frame":1})", "\"window\"");
  refuses(ErrorCode::unsupported, R"({"$derivative":{"input":"$v"}})", "$derivative");
  refuses(ErrorCode::invalid, R"({"$sums":1})", "unknown accumulator $sums");
  refused(ErrorCode::invalid, R"([{"$setWindowFields":{"output":{"r":{"$rank":{}}}}}])", "needs \"sortBy\"");
}

TEST_F(WindowTest, APartitionBeyondTheMemoryIsTooLarge) {
  Texts documents;
  for (int i = 0; i < 500; ++i) documents.push_back(R"({"_id":)" + std::to_string(i) + R"(,"k":1,"t":1})");
  sources.set("c", documents);
  settings.memory_bytes = 40'000;
  refused(ErrorCode::too_large, R"([{"$setWindowFields":{"partitionBy":"$k","output":{"r":{"$sum":1}}}}])",
          "$setWindowFields", "partition");
}

TEST_F(WindowTest, AFieldBelowAnArrayIsSetInEachElement) {
  sources.set("c", {R"({"_id":1,"a":[{"x":1},{"x":2}],"n":1})"});
  EXPECT_EQ(run(R"([{"$setWindowFields":{"output":{"a.r":{"$sum":"$n"}}}}])"),
            (Texts{R"({"_id":1,"a":[{"x":1,"r":1},{"x":2,"r":1}],"n":1})"}));
  refused(ErrorCode::invalid, R"([{"$setWindowFields":{"output":{"a":{"$sum":1},"a.b":{"$sum":1}}}}])", "\"a.b\"");
}

TEST_F(WindowTest, AShiftedValueThatIsMissingIsTheDefault) {
  sources.set("c", {R"({"_id":1})", R"({"_id":2,"v":1})"});
  EXPECT_EQ(
      run(R"([{"$setWindowFields":{"sortBy":{"_id":1},"output":{"r":{"$shift":{"output":"$v","by":0,"default":9}}}}}])"),
      (Texts{R"({"_id":1,"r":9})", R"({"_id":2,"v":1,"r":1})"}));
}

TEST_F(WindowTest, AWindowOfTheWholePartitionNeedsNoOrderAndIsMadeOnce) {
  Texts documents;
  for (int i = 0; i < 3000; ++i) documents.push_back(R"({"_id":)" + std::to_string(i) + "}");
  sources.set("c", documents);
  settings.memory_bytes = 8'000'000;  // 3,000 arrays of 3,000 numbers are more
  EXPECT_EQ(
      run(R"([{"$setWindowFields":{"output":{"r":{"$push":"$_id","window":{"documents":["unbounded","unbounded"]}},
                                                   "m":{"$median":{"input":"$_id","method":"approximate"}}}}},
                    {"$match":{"m":1499,"r":{"$size":3000}}},{"$count":"n"}])"),
      (Texts{R"({"n":3000})"}));
  refused(ErrorCode::invalid, R"([{"$setWindowFields":{"output":{"r":{"$sum":1,"window":{"documents":[-1,0]}}}}}])",
          "needs \"sortBy\"");
}

TEST_F(WindowTest, ARangeIsOfNumbersOrWithAUnitOfDates) {
  const auto windows = [](const std::string& window) {
    return R"([{"$setWindowFields":{"sortBy":{"t":1},"output":{"r":{"$sum":1,"window":)" + window + "}}}}]";
  };
  refused(ErrorCode::invalid, windows(R"({"range":[-1,0],"unit":"hour"})"), "needs dates", "document with _id");
  refused(ErrorCode::invalid, windows(R"({"range":[-1.5,0],"unit":"hour"})"), "integer");
  sources.set("c", {R"({"_id":1,"t":{"$date":"2026-01-01T00:00:00Z"}})"});
  refused(ErrorCode::invalid, windows(R"({"range":[-1,0]})"), "needs numbers", "document with _id 1");
}

}  // namespace
}  // namespace stele::pipeline
