// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/pipeline/pipeline_case.h"

namespace stele::pipeline {
namespace {

class AccumulatorsTest : public PipelineTest {
 protected:
  AccumulatorsTest() {
    sources.set("c", {R"({"_id":1,"v":4,"s":"b","o":{"x":1}})", R"({"_id":2,"v":1,"s":"a","o":{"y":2,"x":3}})",
                      R"({"_id":3,"v":"text","s":"c"})", R"({"_id":4,"v":null,"o":null})", R"({"_id":5})",
                      R"({"_id":6,"v":4.0,"s":"b"})", R"({"_id":7,"v":2.5})"});
  }
  /// What it gathers of all documents.
  std::string of(const std::string& accumulator) {
    const Texts rows = run(R"([{"$group":{"_id":null,"r":)" + accumulator + R"(}},{"$project":{"_id":0}}])");
    return rows.size() == 1 ? rows[0].substr(5, rows[0].size() - 6) : "rows: " + std::to_string(rows.size());
  }
};

TEST_F(AccumulatorsTest, OfNumbers) {
  EXPECT_EQ(of(R"({"$sum":"$v"})"), "11.5");
  EXPECT_EQ(of(R"({"$sum":"$_id"})"), "28");
  EXPECT_EQ(of(R"({"$sum":"$absent"})"), "0");
  EXPECT_EQ(of(R"({"$avg":"$v"})"), "2.875");
  EXPECT_EQ(of(R"({"$avg":"$absent"})"), "null");
  EXPECT_EQ(of(R"({"$stdDevPop":"$_id"})"), "2.0");
  EXPECT_EQ(of(R"({"$stdDevSamp":{"$cond":[{"$lte":["$_id",2]},"$_id","no"]}})"), "0.7071067811865476");
  EXPECT_EQ(of(R"({"$stdDevSamp":"$absent"})"), "null");
  EXPECT_EQ(of(R"({"$median":{"input":"$v","method":"approximate"}})"), "2.5");
  EXPECT_EQ(of(R"({"$percentile":{"input":"$_id","p":[0,0.5,0.9,1],"method":"approximate"}})"), "[1.0,4.0,7.0,7.0]");
  EXPECT_EQ(of(R"({"$percentile":{"input":"$s","p":[0.5],"method":"approximate"}})"), "[null]");
}

TEST_F(AccumulatorsTest, SumsOfIntegersThatOverflowAreDoubles) {
  EXPECT_EQ(run({R"({"_id":1,"v":9223372036854775807})", R"({"_id":2,"v":1})"},
                R"([{"$group":{"_id":null,"r":{"$sum":"$v"}}}])"),
            (Texts{R"({"_id":null,"r":9223372036854775808.0})"}));
  EXPECT_EQ(run({R"({"_id":1,"v":9223372036854775807})", R"({"_id":2,"v":1})", R"({"_id":3,"v":-1})"},
                R"([{"$group":{"_id":null,"r":{"$sum":"$v"}}}])"),
            (Texts{R"({"_id":null,"r":9223372036854775807})"}));
  refused(ErrorCode::out_of_range, R"([{"$group":{"_id":null,"r":{"$sum":{"$cond":[true,1.7e308,0]}}}}])", "$sum",
          "range of a double");
}

TEST_F(AccumulatorsTest, OfValues) {
  EXPECT_EQ(of(R"({"$min":"$v"})"), "1");
  EXPECT_EQ(of(R"({"$max":"$v"})"), R"("text")");
  EXPECT_EQ(of(R"({"$max":"$absent"})"), "null");
  EXPECT_EQ(of(R"({"$first":"$s"})"), R"("b")");
  EXPECT_EQ(of(R"({"$last":"$s"})"), "null");
  EXPECT_EQ(of(R"({"$push":"$v"})"), R"([4,1,"text",null,4.0,2.5])");
  EXPECT_EQ(of(R"({"$addToSet":"$v"})"), R"([4,1,"text",null,2.5])");
  EXPECT_EQ(of(R"({"$mergeObjects":"$o"})"), R"({"x":3,"y":2})");
  EXPECT_EQ(of(R"({"$count":{}})"), "7");
}

TEST_F(AccumulatorsTest, OfSeveralValues) {
  EXPECT_EQ(of(R"({"$firstN":{"input":"$s","n":2}})"), R"(["b","a"])");
  EXPECT_EQ(of(R"({"$lastN":{"input":"$s","n":3}})"), R"([null,"b",null])");
  EXPECT_EQ(of(R"({"$minN":{"input":"$v","n":2}})"), "[1,2.5]");
  EXPECT_EQ(of(R"({"$maxN":{"input":"$v","n":2}})"), R"(["text",4])");
  EXPECT_EQ(of(R"({"$top":{"output":"$_id","sortBy":{"s":-1}}})"), "3");
  EXPECT_EQ(of(R"({"$bottom":{"output":["$_id","$absent"],"sortBy":{"s":-1,"_id":1}}})"), "[7,null]");
  EXPECT_EQ(of(R"({"$topN":{"output":"$s","n":2,"sortBy":{"v":1}}})"), "[null,null]");
  EXPECT_EQ(of(R"({"$bottomN":{"output":"$_id","n":3,"sortBy":{"s":1}}})"), "[1,6,3]");
}

TEST_F(AccumulatorsTest, WrongTypesNameTheDocumentOrTheAccumulator) {
  refused(ErrorCode::invalid, R"([{"$group":{"_id":null,"r":{"$mergeObjects":"$s"}}}])", "\"r\", $mergeObjects",
          "type string");
  refused(ErrorCode::invalid, R"([{"$group":{"_id":null,"r":{"$sum":{"$divide":["$v",2]}}}}])", "$divide", "_id 3");
  refused(ErrorCode::invalid, R"([{"$group":{"_id":null,"r":{"$sum":[1,2]}}}])", "\"r\", $sum", "one expression");
  refused(ErrorCode::invalid, R"([{"$group":{"_id":null,"r":{"$total":1}}}])", "\"r\": unknown accumulator $total");
  refused(ErrorCode::unsupported, R"([{"$group":{"_id":null,"r":{"$accumulator":{}}}}])", "$accumulator");
  refused(ErrorCode::invalid, R"([{"$group":{"_id":null,"r":{"$firstN":{"input":1,"n":0}}}}])", "\"n\"", "at least 1");
  refused(ErrorCode::invalid, R"([{"$group":{"_id":null,"r":{"$topN":{"output":1,"n":1}}}}])", "lacks \"sortBy\"");
}

TEST_F(AccumulatorsTest, AnIdOfOneFieldTakesMissingForNull) {
  EXPECT_EQ(run({R"({"a":null})", R"({})"}, R"([{"$group":{"_id":{"a":"$a"},"n":{"$sum":1}}}])"),
            (Texts{R"({"_id":{"a":null},"n":2})"}));
  EXPECT_EQ(run({R"({"a":null})", R"({})"}, R"([{"$group":{"_id":{"a":"$a","b":"$b"},"n":{"$sum":1}}}])"),
            (Texts{R"({"_id":{"a":null},"n":1})", R"({"_id":{},"n":1})"}));
}

// Against sorting all of them, with n below, at and far above their number, in one part and in several.
TEST_F(AccumulatorsTest, TheFirstAndLastFewAreThoseOfAllSorted) {
  std::mt19937_64 random(test_seed());
  Texts documents;
  std::vector<std::pair<int, int>> all;  // value, _id
  for (int i = 0; i < 400; ++i) {
    all.emplace_back(static_cast<int>(random() % 50), i);
    documents.push_back(R"({"_id":)" + std::to_string(i) + R"(,"v":)" + std::to_string(all.back().first) + "}");
  }
  auto sorted = all;
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  const auto ids = [](auto begin, auto end) {
    Array out;
    for (; begin != end; ++begin) out.push_back(begin->second);
    return model::to_json(out);
  };
  for (const unsigned threads : {1u, 3u})
    for (const std::int64_t n : {std::int64_t{1}, std::int64_t{7}, std::int64_t{400}, std::int64_t{9'000'000'000}}) {
      settings.threads = threads;
      const auto few = static_cast<std::ptrdiff_t>(std::min<std::int64_t>(n, 400));
      const std::string count = std::to_string(n);
      const std::string top = R"({"n":)" + count + R"(,"output":"$_id","sortBy":{"v":1}})";
      EXPECT_EQ(run(documents, R"([{"$group":{"_id":null,"t":{"$topN":)" + top + R"(},"b":{"$bottomN":)" + top +
                                   R"(},"l":{"$lastN":{"input":"$_id","n":)" + count + R"(}}}}])"),
                (Texts{R"({"_id":null,"t":)" + ids(sorted.begin(), sorted.begin() + few) + R"(,"b":)" +
                       ids(sorted.end() - few, sorted.end()) + R"(,"l":)" + ids(all.end() - few, all.end()) + "}"}))
          << "n " << n << ", threads " << threads;
    }
}

TEST_F(AccumulatorsTest, ATypeErrorNamesTheDocument) {
  sources.set("c", {R"({"_id":7,"a":1,"b":[1],"d":[2]})"});
  refused(ErrorCode::invalid, R"([{"$group":{"_id":null,"m":{"$mergeObjects":"$a"}}}])", "$mergeObjects",
          "document with _id 7");
  refused(ErrorCode::invalid, R"([{"$setWindowFields":{"partitionBy":"$b","output":{"n":{"$sum":1}}}}])",
          "document with _id 7");
  refused(ErrorCode::invalid, R"([{"$sort":{"b":1,"d":1}}])", "stage 1, $sort", "document with _id 7");
  refused(ErrorCode::invalid, R"([{"$bucket":{"groupBy":5,"boundaries":[0,1]}}])", "\"groupBy\"");
  refused(ErrorCode::invalid, R"([{"$bucketAuto":{"groupBy":5,"buckets":2}}])", "\"groupBy\"");
}

TEST_F(AccumulatorsTest, ARowsSizeIsThatOfItsText) {
  settings.limits.bytes_max = 30'000;
  const std::string range = R"({"$range":[0,5000]})";  // 23,891 bytes
  EXPECT_EQ(run({R"({"_id":1})"}, R"([{"$set":{"r":)" + range + R"(}},{"$project":{"n":{"$size":"$r"}}}])"),
            (Texts{R"({"_id":1,"n":5000})"}));
  refused(ErrorCode::too_large, R"([{"$set":{"r":)" + range + R"(,"s":)" + range + R"(}},{"$unset":"r"}])", "$set",
          "30000");
}

}  // namespace
}  // namespace stele::pipeline
