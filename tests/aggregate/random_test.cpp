// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Random pipelines over a real database: as the reference says, whatever indexes there are; the same written another
// way. The seed is printed; STELE_TEST_SEED replays it.
#include "tests/aggregate/aggregate_case.h"
#include "tests/support/random_pipeline.h"
#include "tests/support/reference_pipeline.h"
#include "tests/support/sanitized.h"

namespace stele {
namespace {

using model::Array;
using model::Object;
using pipeline::Random;

class RandomTest : public AggregateTest {
 protected:
  void make_documents() {
    for (const auto& [name, count] : {std::pair{"c", 40u}, std::pair{"d", 12u}}) {
      db.collection(name).remove_many("{}");
      collections_[name] = pipeline::random_documents(random_, count);
      for (const model::Value& row : collections_[name]) db.collection(name).insert(model::to_json(row));
    }
  }

  /// The results, or the error's code.
  Texts outcome(const model::Value& pipeline) {
    try {
      return run("c", model::to_json(pipeline));
    } catch (const Error& error) {
      return {std::string(name(error.code()))};
    }
  }
  Texts expected(const model::Value& pipeline) {
    try {
      Texts out;
      for (const model::Value& row : pipeline::reference_run(pipeline, collections_["c"], collections_))
        out.push_back(model::to_json(row));
      return out;
    } catch (const Error& error) {
      return {std::string(name(error.code()))};
    }
  }
  static bool is_error(const Texts& outcome) { return outcome.size() == 1 && outcome[0][0] != '{'; }

  const std::uint64_t seed_ = test_seed();
  Random random_{seed_};
  ::testing::ScopedTrace trace_{__FILE__, __LINE__, "STELE_TEST_SEED=" + std::to_string(seed_)};
  pipeline::Collections collections_;
};

TEST_F(RandomTest, pipelines_give_what_the_reference_gives) {
  int compared = 0;
  for (int round = 0; round < testing::cases(600); ++round) {
    if (round % 50 == 0) make_documents();
    const model::Value pipeline = pipeline::random_pipeline(random_, 1);
    const Texts wanted = expected(pipeline), got = outcome(pipeline);
    if (is_error(wanted) || is_error(got)) continue;  // a stage moved before another may see rows that fail, or not
    ++compared;
    ASSERT_EQ(got, wanted) << model::to_json(pipeline) << "\nround " << round;
  }
  EXPECT_GT(compared, testing::cases(400));
}

TEST_F(RandomTest, indexes_change_nothing_but_the_order) {
  for (const char* keys : {R"({"a":1})", R"({"b":1,"_id":-1})", R"({"c":-1})", R"({"a.d":1})"})
    db.collection("c").create_index(keys);
  db.collection("d").create_index(R"({"a":1})");
  int compared = 0;
  for (int round = 0; round < testing::cases(1200); ++round) {
    if (round % 50 == 0) make_documents();
    const model::Value pipeline = pipeline::random_pipeline(random_, 1);
    if (pipeline::order_shows(pipeline)) continue;
    const Texts wanted = expected(pipeline), got = outcome(pipeline);
    if (is_error(wanted) || is_error(got)) continue;
    ++compared;
    ASSERT_EQ(pipeline::as_a_set(got), pipeline::as_a_set(wanted)) << model::to_json(pipeline) << "\nround " << round;
  }
  EXPECT_GT(compared, testing::cases(200));
}

// $lookup by the foreign collection's index, in a transaction that has written to it.
TEST_F(RandomTest, lookups_by_an_index_find_what_a_scan_finds) {
  db.collection("d").create_index(R"({"a":1})");
  for (int round = 0; round < 20; ++round) {
    make_documents();
    Transaction tx = db.begin();
    Array& rows = collections_["d"];
    for (std::size_t i = 0; i < rows.size(); i += 3)
      tx.collection("d").replace(static_cast<int>(i), R"({"_id":)" + std::to_string(i) + R"(,"a":2})");
    for (std::size_t i = 0; i < rows.size(); i += 3)
      rows[i] = Object{{"_id", static_cast<std::int64_t>(i)}, {"a", std::int64_t{2}}};
    const model::Value pipeline = model::parse(
        R"([{"$lookup":{"from":"d","localField":"a","foreignField":"a","as":"n"}},{"$unwind":"$n"},{"$project":{"n":"$n._id"}},{"$sort":{"_id":1,"n":1}}])");
    const Texts wanted = expected(model::parse(
        R"([{"$lookup":{"from":"d","localField":"a","foreignField":"a","as":"n"}},{"$unwind":"$n"},{"$project":{"_id":1,"n":{"$ifNull":["$n._id",0]}}},{"$sort":{"_id":1,"n":1}}])"));
    ASSERT_EQ(tx.collection("c").aggregate(model::to_json(pipeline)).all(), wanted) << "round " << round;
  }
}

// Stages that change nothing, put between any two, keep the planner from pushing down what it would.
TEST_F(RandomTest, neutral_stages_change_nothing) {
  const char* const neutral[] = {R"({"$skip":0})",
                                 R"({"$limit":1000000})",
                                 R"({"$replaceWith":"$$ROOT"})",
                                 R"({"$match":{"$expr":true}})",
                                 R"({"$unionWith":"nothing"})",
                                 R"({"$unionWith":{"coll":{"sql":"SELECT 1 WHERE 0"}}})"};
  for (int round = 0; round < testing::cases(250); ++round) {
    if (round % 50 == 0) make_documents();
    const model::Value pipeline = pipeline::random_pipeline(random_, 1);
    Array padded;
    for (const model::Value& stage : pipeline.array()) {
      padded.push_back(model::parse(neutral[random_() % std::size(neutral)]));
      padded.push_back(stage);
    }
    const Texts plain = outcome(pipeline), other = outcome(padded);
    if (is_error(plain) || is_error(other)) continue;
    ASSERT_EQ(plain, other) << model::to_json(pipeline) << "\n" << model::to_json(padded);
  }
}

// The first half goes to a collection by $out, the second reads it from there; the order is kept in the _id.
TEST_F(RandomTest, a_pipeline_in_two_parts_through_out_gives_the_same) {
  constexpr const char* number_and_keep =
      R"([{"$setWindowFields":{"sortBy":{"_id":1},"output":{"at":{"$documentNumber":{}}}}},{"$replaceWith":{"_id":"$at","row":"$$ROOT"}},{"$unset":"row.at"},{"$out":"half"}])";
  int compared = 0;
  for (int round = 0; round < testing::cases(100); ++round) {
    if (round % 20 == 0) make_documents();
    const model::Value drawn = pipeline::random_pipeline(random_, 0), numbered = model::parse(number_and_keep);
    const Array& first = drawn.array();
    const model::Value second = pipeline::random_pipeline(random_, 0);
    if (pipeline::order_shows(first) || pipeline::order_shows(second)) continue;
    Array whole = first, from_half = {model::parse(R"({"$replaceWith":"$row"})")}, to_half = first;
    whole.insert(whole.end(), second.array().begin(), second.array().end());
    from_half.insert(from_half.end(), second.array().begin(), second.array().end());
    to_half.insert(to_half.end(), numbered.array().begin(), numbered.array().end());
    const Texts at_once = outcome(whole);
    Texts then;
    if (is_error(at_once) || is_error(outcome(to_half))) continue;
    try {
      then = run("half", model::to_json(from_half));
    } catch (const Error&) {
      continue;
    }
    ASSERT_EQ(pipeline::as_a_set(then), pipeline::as_a_set(at_once)) << model::to_json(whole) << " after " << first.size();
    ++compared;
  }
  EXPECT_GT(compared, 0);
}

}  // namespace
}  // namespace stele
