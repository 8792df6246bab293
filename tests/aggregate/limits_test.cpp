// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Memory and temporary files of a pipeline over a real database, and pipelines that would never end or explode.
#include "tests/aggregate/aggregate_case.h"

#include <fstream>

namespace stele {
namespace {

using testing::expect_error;

class LimitsTest : public AggregateTest {
 protected:
  static constexpr AggregateOptions little{.memory_bytes = 1u << 20};
};

TEST_F(LimitsTest, what_exceeds_the_memory_goes_to_files_that_leave_nothing) {
  insert_many("c", 12'000);  // 6 MB
  const Texts sorted = run("c", R"([{"$sort":{"k":1,"n":-1}}])");
  EXPECT_EQ(run("c", R"([{"$sort":{"k":1,"n":-1}}])", little), sorted);
  Texts groups = run("c", R"([{"$group":{"_id":"$n","p":{"$first":"$pad"}}},{"$sort":{"_id":1}}])");
  EXPECT_EQ(run("c", R"([{"$group":{"_id":"$n","p":{"$first":"$pad"}}},{"$sort":{"_id":1}}])", little), groups);
  Documents half_way = db.collection("c").aggregate(R"([{"$sort":{"pad":1}}])", little);
  half_way.next();
  EXPECT_EQ(spill_files(), 0u) << "they have lost their names";
  const std::string told = db.collection("c").explain_aggregate(R"([{"$sort":{"k":1}}])", little);
  EXPECT_NE(told.find("\"spilled_bytes\""), std::string::npos) << told;
}

TEST_F(LimitsTest, a_temporary_file_of_a_process_that_died_is_removed_at_open) {
  db.close();
  std::ofstream(directory / "db/spill/spill-0b7c2f7e-93f1-4c5e-8a55-0d1f6a3f2b11") << "half a sort";
  EXPECT_EQ(spill_files(), 1u);
  db = Database::open(directory / "db");
  EXPECT_EQ(spill_files(), 0u);
}

TEST_F(LimitsTest, a_database_from_before_there_were_temporary_files_gets_their_directory) {
  db.close();
  std::filesystem::remove(directory / "db/spill");
  db = Database::open(directory / "db");
  insert_many("c", 6'000);
  EXPECT_EQ(run("c", R"([{"$sort":{"pad":1}}])", little).size(), 6000u);
}

TEST_F(LimitsTest, what_would_explode_ends_at_its_limit) {
  db.close();
  db = Database::open(directory / "db", {.document_bytes_max = 1u << 20});
  insert_many("c", 12'000);
  const auto too_large = [&](std::string_view pipeline, const auto&... parts) {
    SCOPED_TRACE(pipeline);
    expect_error(ErrorCode::too_large, [&] { run("c", pipeline); }, parts...);
  };
  too_large(R"([{"$group":{"_id":null,"all":{"$push":"$$ROOT"}}}])", "$group");
  too_large(R"([{"$limit":1},{"$lookup":{"from":"c","pipeline":[],"as":"all"}}])", "$lookup");
  too_large(
      R"([{"$limit":1},{"$graphLookup":{"from":"c","startWith":{"$range":[0,1000]},"connectFromField":"none","connectToField":"k","as":"x"}}])",
      "$graphLookup");
  expect_error(ErrorCode::too_large, [&] {
    run("c", R"([{"$group":{"_id":null,"all":{"$addToSet":"$n"},"pads":{"$push":"$pad"}}}])", little);
  });
  db.close();
}

TEST_F(LimitsTest, bad_pipelines_are_refused_by_stage_and_member) {
  insert("c", {R"({"_id":"seven","s":"text"})"});
  const auto refused = [&](ErrorCode code, std::string_view pipeline, const auto&... parts) {
    SCOPED_TRACE(pipeline);
    expect_error(code, [&] { run("c", pipeline); }, parts...);
  };
  refused(ErrorCode::invalid, "{}", "array of stages");
  refused(ErrorCode::invalid, "[", "byte");
  refused(ErrorCode::invalid, R"([{"$limit":1},{"$frob":1}])", "stage 2", "$frob");
  refused(ErrorCode::unsupported, R"([{"$geoNear":{}}])", "$geoNear");
  refused(ErrorCode::invalid, R"([{"$group":{"_id":1,"n":{"$frob":1}}}])", "stage 1", "$group", "$frob");
  refused(ErrorCode::invalid, R"([{"$set":{"a":{"b":{"$frob":1}}}}])", "a.b", "$frob");
  refused(ErrorCode::invalid, R"([{"$out":"x"},{"$limit":1}])", "stage 1", "last");
  refused(ErrorCode::invalid, R"([{"$facet":{"a":[{"$out":"x"}]}}])", "$facet", "$out");
  refused(ErrorCode::invalid, R"([{"$lookup":{"from":"d","as":"x","localField":"s","foreignFild":"y"}}])", "foreignFild");
  refused(ErrorCode::invalid, R"([{"$set":{"n":{"$add":["$s",1]}}}])", "seven");
  refused(ErrorCode::invalid, R"([{"$match":{"$expr":{"$add":["$s",1]}}}])", "seven");
  expect_error(ErrorCode::invalid, [&] { run("c", "[]", {.memory_bytes = 5}); }, "memory_bytes");
}

}  // namespace
}  // namespace stele
