// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Random pipelines: the engine agrees with the reference, and with itself when the pipeline is written another way,
// when it works in threads and when it has little memory. The seed is printed; STELE_TEST_SEED replays it.
#include "tests/pipeline/pipeline_case.h"
#include "tests/support/random_pipeline.h"
#include "tests/support/reference_pipeline.h"
#include "tests/support/sanitized.h"

namespace stele::pipeline {
namespace {

class ReferenceTest : public PipelineTest {
 protected:
  ReferenceTest()
      : seed_(test_seed()), random_(seed_), trace_(__FILE__, __LINE__, "STELE_TEST_SEED=" + std::to_string(seed_)) {}

  void make_documents() {
    collections_ = {{"c", random_documents(random_, 40)}, {"d", random_documents(random_, 12)}};
    for (const auto& [name, rows] : collections_) {
      Texts texts;
      for (const Value& row : rows) texts.push_back(model::to_json(row));
      sources.collections[name] = texts;
    }
  }

  /// The results, or the error's code.
  Texts outcome(const Value& pipeline) {
    try {
      return run(model::to_json(pipeline));
    } catch (const Error& error) {
      return {std::string(name(error.code()))};
    }
  }
  Texts expected(const Value& pipeline) {
    try {
      Texts out;
      for (const Value& row : reference_run(pipeline, collections_["c"], collections_))
        out.push_back(model::to_json(row));
      return out;
    } catch (const Error& error) {
      return {std::string(name(error.code()))};
    }
  }
  static bool is_error(const Texts& outcome) { return outcome.size() == 1 && outcome[0][0] != '{'; }

  const std::uint64_t seed_;
  Random random_;
  ::testing::ScopedTrace trace_;
  Collections collections_;
};

TEST_F(ReferenceTest, RandomPipelinesGiveWhatTheReferenceGives) {
  int compared = 0;
  for (int round = 0; round < testing::cases(1500); ++round) {
    if (round % 25 == 0) make_documents();
    sources.seeks_any = random_() % 2;
    settings.threads = static_cast<unsigned>(random_() % 3 + 1);
    const Value pipeline = random_pipeline(random_, 1);
    const Texts wanted = expected(pipeline), got = outcome(pipeline);
    if (is_error(wanted) || is_error(got)) continue;  // a stage moved before another may see rows that fail, or not
    ++compared;
    ASSERT_EQ(got, wanted) << model::to_json(pipeline) << "\nround " << round;
  }
  EXPECT_GT(compared, testing::cases(1000));
}

// Stages that change nothing, put between any two, keep the planner from moving what it would move.
TEST_F(ReferenceTest, NeutralStagesChangeNothing) {
  const char* const neutral[] = {R"({"$match":{}})",
                                 R"({"$skip":0})",
                                 R"({"$limit":1000000})",
                                 R"({"$unset":"absent"})",
                                 R"({"$set":{"absent":"$$REMOVE"}})",
                                 R"({"$replaceWith":"$$ROOT"})",
                                 R"({"$match":{"$expr":true}})",
                                 R"({"$unionWith":"nothing"})"};
  for (int round = 0; round < testing::cases(400); ++round) {
    if (round % 25 == 0) make_documents();
    const Value pipeline = random_pipeline(random_, 1);
    Array padded;
    for (const Value& stage : pipeline.array()) {
      padded.push_back(model::parse(neutral[random_() % std::size(neutral)]));
      padded.push_back(stage);
    }
    padded.push_back(model::parse(neutral[random_() % std::size(neutral)]));
    const Texts plain = outcome(pipeline), other = outcome(padded);
    if (is_error(plain) || is_error(other)) continue;
    ASSERT_EQ(plain, other) << model::to_json(pipeline) << "\n" << model::to_json(padded);
  }
}

TEST_F(ReferenceTest, APipelineInTwoPartsGivesTheSame) {
  for (int round = 0; round < testing::cases(300); ++round) {
    if (round % 25 == 0) make_documents();
    const Value pipeline = random_pipeline(random_, 1);
    const Array& stages = pipeline.array();
    const auto cut = static_cast<std::ptrdiff_t>(random_() % (stages.size() + 1));
    const Texts whole = outcome(pipeline);
    const Texts first = outcome(Array(stages.begin(), stages.begin() + cut));
    if (is_error(whole) || is_error(first)) continue;
    const Texts before = std::exchange(sources.collections["c"], first);
    const Texts second = outcome(Array(stages.begin() + cut, stages.end()));
    sources.collections["c"] = before;
    if (is_error(second)) continue;
    ASSERT_EQ(second, whole) << model::to_json(pipeline) << " cut at " << cut;
  }
}

TEST_F(ReferenceTest, LittleMemoryGivesTheSameRows) {
  for (int round = 0; round < testing::cases(300); ++round) {
    if (round % 25 == 0) make_documents();
    const Value pipeline = random_pipeline(random_, 1);
    const Texts much = outcome(pipeline);
    settings.memory_bytes = 4000;
    const Texts little = outcome(pipeline);
    settings.memory_bytes = std::size_t{100} << 20;
    // Groups that were spilled come in another order, and so does what depends on it.
    if (is_error(much) || is_error(little) || order_shows(pipeline)) continue;
    ASSERT_EQ(as_a_set(little), as_a_set(much)) << model::to_json(pipeline);
  }
}

}  // namespace
}  // namespace stele::pipeline
