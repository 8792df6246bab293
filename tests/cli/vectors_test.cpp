// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Vectors by lines of JSON.
#include "tests/cli/program.h"

namespace stele::cli {
namespace {

class VectorLines : public ::testing::Test {
 protected:
  std::string ask(const std::string& line) { return exec.ask(line); }
  TemporaryDirectory directory;
  Exec exec{directory.path("db")};
};

TEST_F(VectorLines, an_index_by_itself) {
  EXPECT_EQ(ask(R"({"op":"vector_create","index":"notes","dim":2,"metric":"l2"})"), R"({"ok":true})");
  EXPECT_EQ(
      ask(R"({"op":"vector_upsert","index":"notes","items":[{"id":1,"vector":[0,0],"meta":{"lang":"en","n":1.50}},)"
          R"({"id":"b","vector":[3,4]},{"id":3,"vector":[0.5,0],"meta":{"lang":"de"}}]})"),
      R"({"ok":true,"count":3})");
  EXPECT_EQ(
      ask(R"({"op":"search","index":"notes","vector":[0,0],"k":2})"),
      R"({"ok":true,"hits":[{"id":1,"distance":0,"meta":{"lang":"en","n":1.50}},{"id":3,"distance":0.25,"meta":{"lang":"de"}}],)"
      R"("complete":true,"strategy":"exact","visited":3})");
  EXPECT_EQ(
      ask(R"({"op":"search","index":"notes","document":"b","k":9,"filter":{"lang":"de"}})"),
      R"({"ok":true,"hits":[{"id":3,"distance":22.25,"meta":{"lang":"de"}}],"complete":true,"strategy":"exact","visited":1})");
  EXPECT_EQ(ask(R"({"op":"vector_upsert","index":"notes","items":[{"id":3,"vector":[3,4]}]})"),
            R"({"ok":true,"count":1})");
  EXPECT_EQ(ask(R"({"op":"get_vector","collection":"notes","document":3})"), R"({"ok":true,"vector":[3,4]})");
  EXPECT_EQ(ask(R"({"op":"delete","collection":"notes","filter":{"_id":"b"}})"), R"({"ok":true,"deleted":1})");
  EXPECT_EQ(ask(R"({"op":"search","index":"notes","vector":[3,4],"k":1,"exact":true})"),
            R"({"ok":true,"hits":[{"id":3,"distance":0,"meta":{}}],"complete":true,"strategy":"exact","visited":2})");
  EXPECT_EQ(ask(R"({"op":"check","deep":true})"), R"({"ok":true,"findings":[]})");
  const std::string plan =
      ask(R"({"op":"explain","request":{"op":"search","index":"notes","vector":[3,4],"filter":{"_id":1}}})");
  for (const char* part :
       {R"("strategy":"exact","complete":true,"visited":1,"returned":1)", R"("plan":"ids")", R"("path":"vector")"})
    EXPECT_NE(plan.find(part), std::string::npos) << plan;
}

TEST_F(VectorLines, vectors_inside_documents_and_in_transactions) {
  EXPECT_EQ(
      ask(R"({"op":"create_vector_index","collection":"a","path":"meta.e","dimensions":2,"metric":"ip","quantization":"none"})"),
      R"({"ok":true})");
  EXPECT_EQ(ask(R"({"op":"begin"})"), R"({"ok":true,"tx":1})");
  EXPECT_EQ(ask(R"({"op":"insert","tx":1,"collection":"a","docs":[{"_id":1,"meta":{"e":[1,2]}}]})"),
            R"({"ok":true,"inserted":1,"ids":[1]})");
  EXPECT_EQ(ask(R"({"op":"search","collection":"a","path":"meta.e","vector":[1,1]})"),
            R"({"ok":true,"hits":[],"complete":true,"strategy":"exact","visited":0})");
  EXPECT_EQ(
      ask(R"({"op":"search","tx":1,"collection":"a","path":"meta.e","vector":[1,1]})"),
      R"({"ok":true,"hits":[{"id":1,"distance":-3,"meta":{"meta":{}}}],"complete":true,"strategy":"exact","visited":1})");
  EXPECT_NE(ask(R"({"op":"commit","tx":1})").find("\"ok\":true"), std::string::npos);
  EXPECT_EQ(ask(R"({"op":"wait_applied","collection":"a","path":"meta.e"})"), R"({"ok":true,"applied":true})");
  EXPECT_EQ(ask(R"({"op":"drop_vector_index","collection":"a","path":"meta.e"})"), R"({"ok":true,"dropped":true})");
  EXPECT_EQ(ask(R"({"op":"drop_vector_index","collection":"a","path":"meta.e"})"), R"({"ok":true,"dropped":false})");
}

TEST_F(VectorLines, bad_requests_say_what_is_wrong) {
  ask(R"({"op":"vector_create","index":"n","dim":2})");
  for (const auto& [request, part] : std::vector<std::pair<std::string, std::string>>{
           {R"({"op":"vector_create","index":"m"})", "\\\"dim\\\" is missing"},
           {R"({"op":"vector_create","index":"m","dim":0})", "dimensions is 0"},
           {R"({"op":"vector_create","index":"m","dim":2,"metric":"l1"})", "must be"},
           {R"({"op":"vector_create","index":"n","dim":3})", "other options"},
           {R"({"op":"vector_upsert","index":"n","items":[{"id":1,"vector":[1,2],"meta":{"_id":2}}]})", "item's own"},
           {R"({"op":"vector_upsert","index":"n","items":[{"id":1,"vector":[1,2,3]}]})", "3 numbers"},
           {R"({"op":"vector_upsert","index":"n","items":[{"id":1,"vector":[1,"2"]}]})", "numbers only"},
           {R"({"op":"vector_upsert","index":"n","items":[{"id":1,"vector":[0,0]}]})", "no direction"},
           {R"({"op":"search","index":"n","vector":[1,2],"k":0})", "k is 0"},
           {R"({"op":"search","index":"n"})", "must be given"},
           {R"({"op":"search","index":"x","vector":[1,2]})", "no vector index"}})
    EXPECT_NE(ask(request).find(part), std::string::npos) << ask(request);
  EXPECT_EQ(ask(R"({"op":"count","collection":"n"})"), R"({"ok":true,"count":0})");
}

}  // namespace
}  // namespace stele::cli
