// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A deadline and a cancel end every stage over real sources soon: promised are 100 ms. What the thread has worked is
// measured, so that a loaded machine does not matter. Each pipeline is repeated until it is interrupted, so that every
// part of its work is, over many runs.
#include "tests/aggregate/aggregate_case.h"
#include "tests/support/sanitized.h"

#include <time.h>

#include <chrono>
#include <iostream>
#include <thread>

namespace stele {
namespace {

using namespace std::chrono_literals;

class StageInterruptTest : public ::testing::TestWithParam<const char*> {
 protected:
  static void SetUpTestSuite() {
    directory = std::make_unique<testing::TemporaryDirectory>();
    db.emplace(Database::open(*directory / "db"));
    const std::string pad(150, 'p');
    db->collection("c").bulk_load([&, i = 0, text = std::string()]() mutable -> std::optional<std::string_view> {
      if (i == 40'000) return std::nullopt;
      text = R"({"_id":)" + std::to_string(i) + R"(,"k":)" + std::to_string(i * 7919 % 10'007) +
             R"(,"a":[1,2,3],"pad":")" + pad + "\"}";
      ++i;
      return text;
    });
    std::vector<NewEvent> events;
    for (int i = 0; i < 20'000; ++i) events.push_back({.key = std::to_string(i % 50), .data = "{\"v\":1}"});
    db->stream("s").append(events);
    db->sql("CREATE TABLE t(a INTEGER PRIMARY KEY)");
    db->sql("INSERT INTO t WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n LIMIT 2000) SELECT v FROM n");
  }
  static void TearDownTestSuite() {
    db.reset();
    directory.reset();
  }

  static std::chrono::milliseconds worked() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::seconds(time.tv_sec) +
                                                                 std::chrono::nanoseconds(time.tv_nsec));
  }

  /// Runs it until it is interrupted; how much it has worked beyond 60 ms.
  std::chrono::milliseconds late(const WriteOptions& options, std::string_view reason) {
    const auto begin = worked();
    const Error error = testing::expect_error(ErrorCode::interrupted, [&] {
      Transaction tx = db->begin(options);
      for (;;) {
        Documents found = tx.aggregate(source(), GetParam(), {.memory_bytes = 4u << 20});
        while (found.next()) {
        }
      }
    });
    EXPECT_EQ(error.detail().at("reason"), reason);
    return worked() - begin - 60ms;
  }

  static std::string source() {
    const std::string_view pipeline = GetParam();
    if (pipeline.find("events") != std::string_view::npos) return R"({"stream":"s"})";
    if (pipeline.find("rows") != std::string_view::npos) return R"({"sql":"SELECT x.a FROM t x, t y"})";
    return R"("c")";
  }

  static std::unique_ptr<testing::TemporaryDirectory> directory;
  static std::optional<Database> db;
};
std::unique_ptr<testing::TemporaryDirectory> StageInterruptTest::directory;
std::optional<Database> StageInterruptTest::db;

INSTANTIATE_TEST_SUITE_P(
    Stages, StageInterruptTest,
    ::testing::Values(
        R"([])", R"([{"$match":{"pad":"x"}}])", R"([{"$project":{"k":1}},{"$match":{"$expr":{"$eq":["$k",-1]}}}])",
        R"([{"$set":{"x":1}},{"$match":{"x":2}}])", R"([{"$unset":"k"},{"$match":{"k":1}}])",
        R"([{"$replaceWith":{"x":1}},{"$skip":100000}])", R"([{"$group":{"_id":"$_id","n":{"$push":"$pad"}}}])",
        R"([{"$group":{"_id":"$k"}},{"$limit":1}])", R"([{"$sort":{"k":1}}])", R"([{"$sort":{"k":1}},{"$limit":3}])",
        R"([{"$sample":{"size":10}}])", R"([{"$unwind":"$a"},{"$match":{"a":9}}])", R"([{"$count":"n"}])",
        R"([{"$sortByCount":"$k"}])", R"([{"$facet":{"a":[{"$sort":{"k":1}},{"$limit":1}],"b":[{"$count":"n"}]}}])",
        R"([{"$bucket":{"groupBy":"$k","boundaries":[0,9],"default":9}}])",
        R"([{"$bucketAuto":{"groupBy":"$k","buckets":3}}])", R"([{"$unionWith":"c"},{"$match":{"x":1}}])",
        R"([{"$lookup":{"from":"c","localField":"_id","foreignField":"_id","as":"x"}}])",
        R"([{"$lookup":{"from":"c","localField":"k","foreignField":"k","as":"x"}}])",
        R"([{"$lookup":{"from":"c","as":"x","pipeline":[{"$match":{"k":-1}},{"$lookup":{"from":"c","as":"y","pipeline":[]}}]}}])",
        R"([{"$lookup":{"from":"c","as":"x","let":{"k":"$k"},"pipeline":[{"$match":{"$expr":{"$lt":["$k","$$k"]}}},{"$count":"n"}]}}])",
        R"([{"$graphLookup":{"from":"c","startWith":"$_id","connectFromField":"k","connectToField":"_id","as":"x"}}])",
        R"([{"$setWindowFields":{"partitionBy":{"$mod":["$k",7]},"sortBy":{"_id":1},"output":{"r":{"$rank":{}},"s":{"$avg":"$k","window":{"documents":[-50,50]}}}}}])",
        R"([{"$project":{"x":{"$size":{"$setIntersection":[{"$range":[0,1000000]},{"$range":[1000000,0,-1]}]}}}}])",
        R"([{"$project":{"x":{"$first":{"$sortArray":{"input":{"$range":[0,1000000]},"sortBy":-1}}}}}])",
        R"([{"$project":{"x":{"$first":{"$maxN":{"n":100000,"input":{"$range":[0,1000000]}}}}}}])",
        R"([{"$group":{"_id":{"k":"$key","events":"$offset"}}}])", R"([{"$match":{"events":1}}])",
        R"([{"$match":{"rows":1}}])", R"([{"$group":{"_id":"$a","rows":{"$sum":1}}}])",
        R"([{"$limit":10},{"$set":{"x":{"$reduce":{"input":{"$range":[0,20000]},"initialValue":0,"in":{"$max":{"$map":{"input":{"$range":[0,10000]},"in":"$$this"}}}}}}}])"));

TEST_P(StageInterruptTest, a_deadline_and_a_cancel_end_it_soon) {
  std::stop_source stop;
  std::jthread canceller([&] {
    std::this_thread::sleep_for(60ms);
    stop.request_stop();
  });
  const auto after_cancel = late({.cancel = stop.get_token()}, "cancel");
  const auto after_deadline = late({.deadline = 60ms}, "deadline");
  std::cout << "  " << after_cancel.count() << " ms, " << after_deadline.count() << " ms: " << GetParam() << "\n";
  const auto bound = testing::sanitized ? 2000ms : 150ms;
  EXPECT_LT(after_cancel, bound);
  EXPECT_LT(after_deadline, bound);
  EXPECT_EQ(db->collection("c").count(R"({"_id":1})"), 1u);
}

class WriteInterruptTest : public AggregateTest {};

TEST_F(WriteInterruptTest, a_deadline_amid_out_and_merge_leaves_nothing) {
  insert_many("c", 20'000);
  insert("to", {R"({"_id":"before"})"});
  for (const char* stage : {R"({"$out":"to"})", R"({"$merge":"to"})"}) {
    const std::string pipeline = R"([{"$unionWith":"c"},{"$unset":"pad"},{"$set":{"_id":{"$concat":[{"$toString":"$_id"},{"$toString":"$n"}]}}},)" +
                                 std::string(stage) + "]";
    for (const auto deadline : {5ms, 40ms, 120ms, 250ms}) {
      try {
        Transaction tx = db.begin({.deadline = deadline});
        for (;;) tx.collection("c").aggregate(pipeline);
      } catch (const Error& error) {
        EXPECT_TRUE(error.code() == ErrorCode::interrupted || error.code() == ErrorCode::exists) << error.message();
      }
      EXPECT_EQ(db.collection("to").find().all(), Texts{R"({"_id":"before"})"});
    }
  }
}

}  // namespace
}  // namespace stele
