// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A deadline or a cancel ends every stage. Sources here never end, or have very much, so that nothing else ends it. How
// soon it ends is bounded generously: the machine has other things to do.
#include "tests/pipeline/pipeline_case.h"

#include <chrono>
#include <stop_token>
#include <thread>

namespace stele::pipeline {
namespace {

using Time = std::chrono::steady_clock;

/// Documents without end.
class EndlessSources final : public Sources {
 public:
  std::uint64_t most = UINT64_MAX;
  Opened open(const SourceName&, const Request& request) override {
    Opened opened;
    for (unsigned i = 0; i < request.parts; ++i) opened.cursors.push_back(std::make_unique<Endless>(most));
    return opened;
  }
  bool seeks(const SourceName&, const model::Path&) override { return false; }
  std::unique_ptr<Target> target(const std::string&) override { return nullptr; }

 private:
  class Endless final : public Cursor {
   public:
    explicit Endless(std::uint64_t most) : most_(most) {}
    std::optional<std::string_view> next() override {
      if (++number_ > most_) return std::nullopt;
      text_ = R"({"_id":)" + std::to_string(number_) + R"(,"k":)" + std::to_string(number_ * 7919 % 100'003) +
              R"(,"a":[1,2,3]})";
      return text_;
    }

   private:
    std::uint64_t most_, number_ = 0;
    std::string text_;
  };
};

class InterruptTest : public ::testing::TestWithParam<std::string> {
 protected:
  InterruptTest() { settings.spill_directory = directory.path(); }

  /// How long after the deadline it ended, in milliseconds; the results are read to their end.
  std::int64_t late(EndlessSources& sources, std::chrono::milliseconds allowed) {
    Interrupt interrupt(Time::now() + allowed);
    const Pipeline pipeline = Pipeline::parse(GetParam());
    const SourceName source = SourceName::parse(Value("c"), "test");
    testing::expect_error(
        ErrorCode::interrupted,
        [&] {
          Results results(sources, source, pipeline, settings, &interrupt);
          while (results.next()) {
          }
        },
        "deadline");
    return std::chrono::duration_cast<std::chrono::milliseconds>(Time::now() - interrupt.deadline()).count();
  }

  testing::TemporaryDirectory directory;
  Settings settings;
};

INSTANTIATE_TEST_SUITE_P(
    Stages, InterruptTest,
    ::testing::Values(
        R"([])", R"([{"$match":{"k":-1}}])", R"([{"$set":{"x":1}},{"$match":{"x":2}}])",
        R"([{"$project":{"k":1}},{"$match":{"$expr":{"$eq":["$k",-1]}}}])", R"([{"$unset":"k"},{"$match":{"k":1}}])",
        R"([{"$replaceWith":{"x":1}},{"$skip":1000000000000}])", R"([{"$group":{"_id":"$_id","n":{"$sum":1}}}])",
        R"([{"$group":{"_id":null,"n":{"$push":"$k"}}}])", R"([{"$group":{"_id":"$k"}},{"$limit":1}])",
        R"([{"$sort":{"k":1}}])", R"([{"$sort":{"k":1}},{"$limit":3}])", R"([{"$skip":1000000000000}])",
        R"([{"$sample":{"size":10}}])", R"([{"$unwind":"$a"},{"$match":{"a":9}}])", R"([{"$count":"n"}])",
        R"([{"$sortByCount":"$k"}])", R"([{"$facet":{"a":[{"$limit":1}]}}])",
        R"([{"$bucket":{"groupBy":"$k","boundaries":[0,9],"default":9}}])",
        R"([{"$bucketAuto":{"groupBy":"$k","buckets":3}}])", R"([{"$limit":1},{"$unionWith":"d"},{"$match":{"x":1}}])",
        R"([{"$limit":1},{"$lookup":{"from":"d","localField":"k","foreignField":"k","as":"x"}}])",
        R"([{"$limit":1},{"$lookup":{"from":"d","as":"x","pipeline":[{"$match":{"k":-1}}]}}])",
        R"([{"$limit":1},{"$graphLookup":{"from":"d","startWith":1,"connectFromField":"k","connectToField":"_id","as":"x"}}])",
        R"([{"$setWindowFields":{"partitionBy":"$k","sortBy":{"_id":1},"output":{"r":{"$rank":{}}}}}])",
        R"([{"$limit":60000},{"$setWindowFields":{"sortBy":{"_id":1},"output":{"r":{"$median":{"input":"$k","method":"approximate"},"window":{"documents":["unbounded","current"]}}}}},{"$count":"n"}])",
        R"([{"$out":"x"}])", R"([{"$merge":"x"}])",
        R"([{"$limit":1},{"$set":{"x":{"$reduce":{"input":{"$range":[0,20000]},"initialValue":0,"in":{"$max":{"$map":{"input":{"$range":[0,10000]},"in":"$$this"}}}}}}}])"));

TEST_P(InterruptTest, TheDeadlineEndsItInTime) {
  EndlessSources sources;
  settings.memory_bytes = std::size_t{64} << 20;
  EXPECT_LT(late(sources, std::chrono::milliseconds(60)), 2000) << GetParam();
}

TEST(CancelTest, AnotherThreadEndsASortThatIsUnderWay) {
  EndlessSources sources;
  sources.most = 300'000;
  Settings settings;
  std::stop_source cancel;
  const Interrupt interrupt(Time::time_point::max(), cancel.get_token());
  const Pipeline pipeline = Pipeline::parse(R"([{"$sort":{"k":1,"_id":1}},{"$skip":1000000000}])");
  const SourceName source = SourceName::parse(Value("c"), "test");
  Time::time_point cancelled;
  std::jthread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    cancelled = Time::now();
    cancel.request_stop();
  });
  testing::expect_error(
      ErrorCode::interrupted,
      [&] {
        for (;;) {
          Results results(sources, source, pipeline, settings, &interrupt);
          while (results.next()) {
          }
        }
      },
      "cancelled");
  EXPECT_LT(Time::now() - cancelled, std::chrono::seconds(2));
}

}  // namespace
}  // namespace stele::pipeline
