// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Pipelines through `stele exec`.
#include "tests/cli/program.h"

namespace stele::cli {
namespace {

class AggregateRequest : public ::testing::Test {
 protected:
  AggregateRequest() {
    ask(R"({"op":"insert","collection":"c","docs":[{"_id":1,"k":"x","v":2},{"_id":2,"k":"y","v":3},{"_id":3,"k":"x","v":5}]})");
    ask(R"({"op":"append","stream":"s","events":[{"n":1},{"$event":{"key":"ada","data":{"n":4}}}]})");
    ask(R"-({"op":"sql","sql":"CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT)"})-");
    ask(R"-({"op":"sql","sql":"INSERT INTO t VALUES(1, 'Ada'), (2, 'Bob')"})-");
  }
  std::string ask(std::string_view request) { return exec.ask(request); }
  std::string docs(std::string_view members) {
    return ask(R"({"op":"aggregate",)" + std::string(members) + "}");
  }

  TemporaryDirectory temporary;
  Exec exec{temporary.path("db")};
};

TEST_F(AggregateRequest, over_a_collection_a_stream_and_a_select) {
  EXPECT_EQ(docs(R"("collection":"c","pipeline":[{"$group":{"_id":"$k","v":{"$sum":"$v"}}},{"$sort":{"_id":1}}])"),
            R"({"ok":true,"docs":[{"_id":"x","v":7},{"_id":"y","v":3}]})");
  EXPECT_EQ(docs(R"("source":{"stream":"s"},"pipeline":[{"$match":{"key":"ada"}},{"$project":{"offset":1,"data":1}}])"),
            R"({"ok":true,"docs":[{"offset":1,"data":{"n":4}}]})");
  EXPECT_EQ(
      docs(R"("source":{"sql":"SELECT * FROM t WHERE id < ? ORDER BY id","parameters":[5]},"pipeline":[{"$lookup":{"from":"c","localField":"id","foreignField":"_id","as":"c"}},{"$unset":"c.k"}])"),
      R"({"ok":true,"docs":[{"id":1,"name":"Ada","c":[{"_id":1,"v":2}]},{"id":2,"name":"Bob","c":[{"_id":2,"v":3}]}]})");
  EXPECT_EQ(docs(R"("collection":"absent","pipeline":[])"), R"({"ok":true,"docs":[]})");
}

TEST_F(AggregateRequest, with_out_belongs_to_the_transaction) {
  ask(R"({"op":"begin"})");
  EXPECT_EQ(docs(R"("tx":1,"collection":"c","pipeline":[{"$match":{"v":5}},{"$out":"d"}])"), R"({"ok":true,"docs":[]})");
  EXPECT_EQ(ask(R"({"op":"count","tx":1,"collection":"d"})"), R"({"ok":true,"count":1})");
  ask(R"({"op":"rollback","tx":1})");
  EXPECT_EQ(ask(R"({"op":"count","collection":"d"})"), R"({"ok":true,"count":0})");
  docs(R"("collection":"c","pipeline":[{"$merge":"d"}],"durability":"relaxed")");
  EXPECT_EQ(ask(R"({"op":"count","collection":"d"})"), R"({"ok":true,"count":3})");
  ask(R"({"op":"begin","read_only":true})");
  EXPECT_EQ(code_of(docs(R"("tx":2,"collection":"c","pipeline":[{"$out":"e"}])")), "readonly");
}

TEST_F(AggregateRequest, explained_tells_what_the_source_and_each_stage_did) {
  ask(R"({"op":"create_index","collection":"c","keys":{"k":1}})");
  const std::string plan = ask(
      R"({"op":"explain","request":{"op":"aggregate","collection":"c","pipeline":[{"$match":{"k":"x"}},{"$group":{"_id":null,"v":{"$sum":"$v"}}}]}})");
  for (const char* part : {R"("index":"k_1")", R"("paths":["v"])", R"({"stage":"$group","rows_in":2,"rows_out":1,)"})
    EXPECT_NE(plan.find(part), std::string::npos) << part << " is not in " << plan;
  EXPECT_EQ(code_of(ask(R"({"op":"explain","request":{"op":"aggregate","collection":"c","pipeline":[{"$out":"d"}]}})")), "ok");
  EXPECT_EQ(ask(R"({"op":"count","collection":"d"})"), R"({"ok":true,"count":0})") << "nothing is written";
}

TEST_F(AggregateRequest, ends_at_its_deadline_and_its_memory) {
  const std::string answer = docs(
      R"("deadline_ms":50,"collection":"c","pipeline":[{"$set":{"x":{"$reduce":{"input":{"$range":[0,20000]},"initialValue":0,"in":{"$max":{"$map":{"input":{"$range":[0,10000]},"in":"$$this"}}}}}}}])");
  EXPECT_EQ(code_of(answer), "interrupted") << answer;
  EXPECT_EQ(code_of(docs(R"("collection":"c","pipeline":[],"memory_bytes":10)")), "invalid");
  EXPECT_EQ(code_of(docs(R"("collection":"c","pipeline":[{"$sort":{"v":1}}],"memory_bytes":2000000)")), "ok");
}

}  // namespace
}  // namespace stele::cli
