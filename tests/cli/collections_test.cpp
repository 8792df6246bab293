// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Collections as a whole: validators, new names, figures, fields.
#include "tests/cli/program.h"

namespace stele::cli {
namespace {

class CollectionsTest : public ::testing::Test {
 protected:
  std::string ask(std::string_view request) { return exec->ask(request); }
  void expect_answer_has(std::string_view request, std::initializer_list<const char*> parts) {
    const std::string answer = ask(request);
    for (const char* part : parts) EXPECT_NE(answer.find(part), std::string::npos) << part << " is not in " << answer;
  }
  void reopen() {
    exec->end();
    exec.emplace(directory);
  }

  TemporaryDirectory temporary;
  std::string directory = temporary.path("db");
  std::optional<Exec> exec{std::in_place, directory};
};

TEST_F(CollectionsTest, a_validator_refuses_writes_that_break_it_and_survives_reopening) {
  EXPECT_EQ(
      ask(R"({"op":"create_collection","collection":"c","validator":{"$jsonSchema":{"bsonType":"object","required":["name"],"properties":{"name":{"bsonType":"string"},"age":{"bsonType":"int","minimum":0,"maximum":150}}}}})"),
      R"({"ok":true})");
  EXPECT_EQ(code_of(ask(R"({"op":"insert","collection":"c","docs":[{"_id":1,"name":"Ada","age":36}]})")), "ok");
  reopen();
  const std::string refused = ask(R"({"op":"insert","collection":"c","docs":[{"_id":2,"name":"Bob","age":200}]})");
  EXPECT_EQ(code_of(refused), "constraint");
  for (const char* part : {"_id 2", "age", "150", "DocumentValidationFailure"})
    EXPECT_NE(refused.find(part), std::string::npos) << refused;
  for (const char* request :
       {R"({"op":"insert","collection":"c","docs":[{"_id":3}]})",
        R"({"op":"update","collection":"c","filter":{},"update":{"$set":{"age":-1}}})",
        R"({"op":"update","collection":"c","filter":{},"update":[{"$unset":"name"}]})",
        R"({"op":"update","collection":"c","filter":{"_id":9},"update":{"$set":{"name":9}},"upsert":true})",
        R"({"op":"replace","collection":"c","filter":{"_id":1},"replacement":{"nom":"Ada"}})",
        R"({"op":"find_and_modify","collection":"c","filter":{"_id":1},"update":{"$unset":{"name":1}}})",
        R"({"op":"bulk_write","collection":"c","ops":[{"insertOne":{"document":{"name":7}}}]})"})
    EXPECT_EQ(code_of(ask(request)), "constraint") << request;
  EXPECT_EQ(ask(R"({"op":"find","collection":"c"})"), R"({"ok":true,"docs":[{"_id":1,"name":"Ada","age":36}]})");
}

TEST_F(CollectionsTest, a_validator_that_warns_lets_writes_through_and_counts_what_breaks_it) {
  ask(R"({"op":"create_collection","collection":"c","validator":{"n":{"$gte":0}},"validation_action":"warn"})");
  EXPECT_EQ(code_of(ask(R"({"op":"insert","collection":"c","docs":[{"_id":1,"n":-1},{"_id":2,"n":1},{"_id":3}]})")),
            "ok");
  expect_answer_has(R"({"op":"stats","collection":"c"})",
                    {R"("documents":3)", R"("validator":{"n":{"$gte":0}})", R"("validation_action":"warn")",
                     R"("invalid_documents":2)"});
}

TEST_F(CollectionsTest, a_validator_given_later_binds_writes_and_leaves_documents_as_they_are) {
  ask(R"({"op":"insert","collection":"c","docs":[{"_id":1,"n":-1},{"_id":2,"n":2}]})");
  EXPECT_EQ(ask(R"({"op":"modify_collection","collection":"c","validator":{"n":{"$gte":0}}})"), R"({"ok":true})");
  EXPECT_EQ(ask(R"({"op":"count","collection":"c"})"), R"({"ok":true,"count":2})");
  const std::string touch = R"({"op":"update","collection":"c","filter":{"_id":1},"update":{"$set":{"touched":true}}})";
  EXPECT_EQ(code_of(ask(touch)), "constraint");
  EXPECT_EQ(code_of(ask(R"({"op":"modify_collection","collection":"c","validation_level":"moderate"})")), "ok");
  EXPECT_EQ(code_of(ask(touch)), "ok");
  EXPECT_EQ(code_of(ask(R"({"op":"update","collection":"c","filter":{"_id":2},"update":{"$set":{"n":-2}}})")),
            "constraint");
  EXPECT_EQ(code_of(ask(R"({"op":"modify_collection","collection":"c","validator":{}})")), "ok");
  EXPECT_EQ(code_of(ask(R"({"op":"update","collection":"c","filter":{"_id":2},"update":{"$set":{"n":-2}}})")), "ok");
}

TEST_F(CollectionsTest, a_refusal_by_a_validator_names_the_path_and_the_rule) {
  ask(R"({"op":"create_collection","collection":"c","validator":{"n":{"$gte":0,"$lt":10},"s":{"$type":"string"},"t":{"$nin":[1,2]},"$or":[{"a":1},{"b":1}],"$expr":{"$gt":["$n","$m"]}}})");
  const auto refusal = [&](std::string_view document) {
    return message_of(ask(R"({"op":"insert","collection":"c","docs":[)" + std::string(document) + "]}"));
  };
  struct Broken {
    const char* document;
    const char* what;
  };
  for (const Broken& broken : std::initializer_list<Broken>{
           {R"({"_id":7,"n":-1})", "_id 7 breaks the collection's validator: n: does not match $gte 0;"},
           {R"({"n":10})", "n: does not match $lt 10;"},
           {R"({"n":1,"s":1})", "s: does not match $type string;"},
           {R"({"n":1,"s":"x","t":2})", "t: does not match not $in [1,2];"},
           {R"({"n":1,"s":"x"})", "the document: does not match $or;"},
           {R"({"n":1,"s":"x","b":1,"m":2})", "the document: does not match $expr;"}})
    EXPECT_NE(refusal(broken.document).find(broken.what), std::string::npos) << refusal(broken.document);
  EXPECT_EQ(code_of(ask(R"({"op":"insert","collection":"c","docs":[{"n":1,"s":"x","b":1,"m":0}]})")), "ok");
}

TEST_F(CollectionsTest, what_is_no_validator_or_no_collection_is_refused) {
  EXPECT_EQ(code_of(ask(R"({"op":"create_collection","collection":"c","validator":{"a":{"$gtt":1}}})")), "invalid");
  EXPECT_EQ(
      code_of(ask(R"({"op":"create_collection","collection":"c","validator":{"$jsonSchema":{"bsonTyp":"object"}}})")),
      "invalid");
  EXPECT_EQ(code_of(ask(R"({"op":"create_collection","collection":"c","validation_action":"ignore"})")), "invalid");
  EXPECT_EQ(code_of(ask(R"({"op":"create_collection","collection":"c","capped":true})")), "invalid");
  EXPECT_EQ(code_of(ask(R"({"op":"modify_collection","collection":"c"})")), "not_found");
  EXPECT_EQ(ask(R"({"op":"collections"})"), R"({"ok":true,"collections":[]})");
  EXPECT_EQ(code_of(ask(R"({"op":"create_collection","collection":"c"})")), "ok");
  EXPECT_EQ(code_of(ask(R"({"op":"create_collection","collection":"c"})")), "exists");
}

TEST_F(CollectionsTest, a_renamed_collection_keeps_documents_indexes_and_validator) {
  ask(R"({"op":"create_collection","collection":"a","validator":{"n":{"$gt":0}}})");
  ask(R"({"op":"create_index","collection":"a","keys":{"n":1},"unique":true})");
  ask(R"({"op":"insert","collection":"a","docs":[{"_id":1,"n":1}]})");
  ask(R"({"op":"insert","collection":"b","docs":[{"_id":7}]})");
  EXPECT_EQ(code_of(ask(R"({"op":"rename","collection":"a","to":"b"})")), "exists");
  EXPECT_EQ(code_of(ask(R"({"op":"rename","collection":"a","to":"a"})")), "invalid");
  EXPECT_EQ(code_of(ask(R"({"op":"rename","collection":"x","to":"y"})")), "not_found");
  EXPECT_EQ(code_of(ask(R"({"op":"rename","collection":"a","to":"_stele_a"})")), "invalid");
  EXPECT_EQ(ask(R"({"op":"rename","collection":"a","to":"b","drop_target":true})"), R"({"ok":true})");
  reopen();
  EXPECT_EQ(ask(R"({"op":"collections"})"), R"({"ok":true,"collections":["b"]})");
  EXPECT_EQ(ask(R"({"op":"find","collection":"b","filter":{"n":1},"hint":"n_1"})"),
            R"({"ok":true,"docs":[{"_id":1,"n":1}]})");
  EXPECT_EQ(code_of(ask(R"({"op":"insert","collection":"b","docs":[{"n":1}]})")), "exists");
  EXPECT_EQ(code_of(ask(R"({"op":"insert","collection":"b","docs":[{"n":0}]})")), "constraint");
  EXPECT_EQ(code_of(ask(R"({"op":"insert","collection":"a","docs":[{"n":0}]})")), "ok");
  EXPECT_EQ(ask(R"({"op":"check","deep":true})"), R"({"ok":true,"findings":[]})");
}

TEST_F(CollectionsTest, stats_tell_how_much_there_is) {
  EXPECT_EQ(ask(R"({"op":"stats","collection":"absent"})"),
            R"({"ok":true,"documents":0,"bytes":0,"average_bytes":0,"storage_bytes":0,"index_bytes":0,"indexes":[]})");
  ask(R"({"op":"create_index","collection":"c","keys":{"n":1}})");
  ask(R"({"op":"insert","collection":"c","docs":[{"_id":1,"n":1},{"_id":2,"n":2}]})");
  expect_answer_has(R"({"op":"stats","collection":"c"})",
                    {R"("documents":2,"bytes":30,"average_bytes":15,"storage_bytes":)",
                     R"({"name":"n_1","keys":{"n":1},"state":"ready","bytes":)"});
}

TEST_F(CollectionsTest, analyze_tells_fields_types_and_how_often) {
  ask(R"({"op":"insert","collection":"c","docs":[{"_id":1,"name":"a","items":[{"sku":1},{"sku":"x"}]},{"_id":2,"name":null,"items":[]},{"_id":3,"at":{"$date":"2024-01-01T00:00:00Z"}},{"_id":4}]})");
  EXPECT_EQ(
      ask(R"({"op":"analyze","collection":"c"})"),
      R"({"ok":true,"documents":4,"sampled":4,"fields":[{"path":"_id","documents":4,"share":1.0,"types":{"int":4}},)"
      R"({"path":"name","documents":2,"share":0.5,"types":{"null":1,"string":1}},{"path":"items","documents":2,"share":0.5,"types":{"array":2}},)"
      R"({"path":"items[]","documents":1,"share":0.25,"types":{"object":2}},{"path":"items[].sku","documents":1,"share":0.25,"types":{"int":1,"string":1}},)"
      R"({"path":"at","documents":1,"share":0.25,"types":{"date":1}}]})");
  EXPECT_EQ(ask(R"({"op":"analyze","collection":"absent"})"), R"({"ok":true,"documents":0,"sampled":0,"fields":[]})");
  EXPECT_EQ(code_of(ask(R"({"op":"analyze","collection":"c","sample":0})")), "invalid");
}

TEST_F(CollectionsTest, analyze_samples_evenly_and_the_same_each_time) {
  std::string documents;
  for (int i = 0; i < 1000; ++i)
    documents +=
        (i ? "," : "") + std::string(R"({"_id":)") + std::to_string(i) + (i < 500 ? R"(,"a":1})" : R"(,"b":1})");
  ask(R"({"op":"insert","collection":"c","docs":[)" + documents + "]}");
  const std::string answer = ask(R"({"op":"analyze","collection":"c","sample":100})");
  EXPECT_TRUE(answer.starts_with(R"({"ok":true,"documents":1000,"sampled":63,)")) << answer;  // every 16th
  EXPECT_NE(answer.find(R"({"path":"a","documents":32,)"), std::string::npos) << answer;
  EXPECT_NE(answer.find(R"({"path":"b","documents":31,)"), std::string::npos) << answer;
  EXPECT_EQ(ask(R"({"op":"analyze","collection":"c","sample":100})"), answer);
}

}  // namespace
}  // namespace stele::cli
