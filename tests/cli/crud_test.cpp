// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What MongoDB's drivers agree on for single writes and reads, after the behaviours of its published CRUD cases.
#include "tests/cli/program.h"

namespace stele::cli {
namespace {

class CrudTest : public ::testing::Test {
 protected:
  std::string ask(std::string_view request) { return exec.ask(request); }
  /// A request on the collection: its other members.
  std::string on(std::string_view op, std::string_view members) {
    return ask(R"({"op":")" + std::string(op) + R"(","collection":"c",)" + std::string(members) + "}");
  }
  void insert(std::string_view documents) { on("insert", R"("docs":)" + std::string(documents)); }
  /// All documents, by _id.
  std::string all() {
    const std::string answer = ask(R"({"op":"find","collection":"c","sort":{"_id":1}})");
    const std::string head = R"({"ok":true,"docs":)";
    return answer.starts_with(head) ? answer.substr(head.size(), answer.size() - head.size() - 1) : answer;
  }
  void three() { insert(R"([{"_id":1,"x":11},{"_id":2,"x":22},{"_id":3,"x":33}])"); }

  TemporaryDirectory temporary;
  Exec exec{temporary.path("db")};
};

TEST_F(CrudTest, insert_keeps_what_came_before_a_duplicate_and_unordered_also_what_comes_after) {
  insert(R"([{"_id":1,"x":11}])");
  const std::string ordered = on("insert", R"("docs":[{"_id":2,"x":22},{"_id":1,"x":99},{"_id":3,"x":33}])");
  EXPECT_EQ(code_of(ordered), "exists");
  EXPECT_NE(ordered.find(R"("inserted":1,"ids":[2],"errors":[{"index":1,"code":"exists")"), std::string::npos)
      << ordered;
  EXPECT_EQ(all(), R"([{"_id":1,"x":11},{"_id":2,"x":22}])");
  const std::string rest =
      on("insert", R"("ordered":false,"docs":[{"_id":2},{"_id":4,"x":44},{"_id":1},{"_id":5,"x":55}])");
  EXPECT_NE(rest.find(R"("inserted":2,"ids":[4,5])"), std::string::npos) << rest;
  EXPECT_NE(rest.find(R"({"index":0,)"), std::string::npos) << rest;
  EXPECT_NE(rest.find(R"({"index":2,)"), std::string::npos) << rest;
  EXPECT_EQ(all(), R"([{"_id":1,"x":11},{"_id":2,"x":22},{"_id":4,"x":44},{"_id":5,"x":55}])");
}

TEST_F(CrudTest, replace_one_takes_the_first_match_and_counts_what_changed) {
  three();
  EXPECT_EQ(on("replace", R"("filter":{"_id":{"$gt":1}},"replacement":{"x":111})"),
            R"({"ok":true,"matched":1,"modified":1})");
  EXPECT_EQ(on("replace", R"("filter":{"_id":2},"replacement":{"_id":2,"x":111})"),
            R"({"ok":true,"matched":1,"modified":0})");
  EXPECT_EQ(on("replace", R"("filter":{"_id":9},"replacement":{"x":1})"), R"({"ok":true,"matched":0,"modified":0})");
  EXPECT_EQ(on("replace", R"("filter":{"x":{"$gt":0}},"replacement":{"y":1},"sort":{"x":-1})"),
            R"({"ok":true,"matched":1,"modified":1})");
  EXPECT_EQ(all(), R"([{"_id":1,"x":11},{"_id":2,"y":1},{"_id":3,"x":33}])");
}

TEST_F(CrudTest, replace_one_upserts_with_the_id_of_the_replacement_or_the_filter) {
  EXPECT_EQ(on("replace", R"("filter":{"_id":4},"replacement":{"x":1},"upsert":true)"),
            R"({"ok":true,"matched":0,"modified":0,"upserted_id":4})");
  EXPECT_EQ(on("replace", R"("filter":{"x":5},"replacement":{"_id":5,"z":1},"upsert":true)"),
            R"({"ok":true,"matched":0,"modified":0,"upserted_id":5})");
  const std::string other = on("replace", R"("filter":{"_id":6},"replacement":{"_id":7,"x":1},"upsert":true)");
  EXPECT_EQ(code_of(other), "invalid");
  EXPECT_EQ(all(), R"([{"_id":4,"x":1},{"_id":5,"z":1}])");
}

TEST_F(CrudTest, a_replacement_with_operators_or_another_id_is_refused_and_nothing_changes) {
  three();
  for (const char* replacement : {R"({"$set":{"x":1}})", R"({"_id":2,"x":1})", R"({"a":{"$b":1}})", R"({"a.b":1})"})
    EXPECT_EQ(code_of(on("replace", R"("filter":{"_id":1},"replacement":)" + std::string(replacement))), "invalid")
        << replacement;
  EXPECT_EQ(code_of(on("replace", R"("filter":{"_id":99},"replacement":{"$set":{"x":1}})")), "invalid");
  EXPECT_EQ(all(), R"([{"_id":1,"x":11},{"_id":2,"x":22},{"_id":3,"x":33}])");
}

TEST_F(CrudTest, update_one_and_many_count_matches_and_changes) {
  three();
  EXPECT_EQ(on("update", R"("filter":{"_id":{"$gt":1}},"update":{"$inc":{"x":1}})"),
            R"({"ok":true,"matched":1,"modified":1})");
  EXPECT_EQ(on("update", R"("filter":{"_id":{"$gt":1}},"update":{"$inc":{"x":1}},"multi":true)"),
            R"({"ok":true,"matched":2,"modified":2})");
  EXPECT_EQ(on("update", R"("filter":{"_id":1},"update":{"$set":{"x":11}})"),
            R"({"ok":true,"matched":1,"modified":0})");
  EXPECT_EQ(on("update", R"("filter":{"_id":1},"update":{"$set":{}})"), R"({"ok":true,"matched":1,"modified":0})");
  EXPECT_EQ(on("update", R"("filter":{"_id":4},"update":{"$inc":{"x":1}})"), R"({"ok":true,"matched":0,"modified":0})");
  EXPECT_EQ(on("update", R"("filter":{"x":{"$gte":11}},"update":{"$set":{"last":true}},"sort":{"x":-1})"),
            R"({"ok":true,"matched":1,"modified":1})");
  EXPECT_EQ(all(), R"([{"_id":1,"x":11},{"_id":2,"x":24},{"_id":3,"x":34,"last":true}])");
  EXPECT_EQ(code_of(on("update", R"("filter":{},"update":{"$set":{"a":1}},"multi":true,"sort":{"x":1})")), "invalid");
}

TEST_F(CrudTest, update_upserts_what_filter_and_update_say) {
  EXPECT_EQ(on("update", R"("filter":{"_id":4},"update":{"$inc":{"x":1}},"upsert":true)"),
            R"({"ok":true,"matched":0,"modified":0,"upserted_id":4})");
  EXPECT_EQ(
      on("update",
         R"("filter":{"_id":5,"a.b":1,"c":{"$gt":2}},"update":{"$setOnInsert":{"d":1}},"upsert":true,"multi":true)"),
      R"({"ok":true,"matched":0,"modified":0,"upserted_id":5})");
  EXPECT_EQ(on("update", R"("filter":{"_id":4},"update":{"$setOnInsert":{"y":1}},"upsert":true)"),
            R"({"ok":true,"matched":1,"modified":0})");
  EXPECT_EQ(on("update", R"("filter":{"_id":null},"update":{"$set":{"y":1}},"upsert":true)"),
            R"({"ok":true,"matched":0,"modified":0,"upserted_id":null})");
  EXPECT_EQ(all(), R"([{"_id":null,"y":1},{"_id":4,"x":1},{"_id":5,"a":{"b":1},"d":1}])");
  const std::string by_expression =
      on("update", R"("filter":{"$expr":{"$eq":["$x",9]}},"update":{"$set":{"x":1}},"upsert":true)");
  EXPECT_EQ(code_of(by_expression), "invalid");
  EXPECT_NE(message_of(by_expression).find("$expr"), std::string::npos);
}

TEST_F(CrudTest, array_filters_choose_elements) {
  insert(R"([{"_id":1,"y":[{"b":3},{"b":1}]},{"_id":2,"y":[{"b":0},{"b":1}]}])");
  EXPECT_EQ(on("update", R"("filter":{},"update":{"$set":{"y.$[i].b":2}},"arrayFilters":[{"i.b":3}])"),
            R"({"ok":true,"matched":1,"modified":1})");
  EXPECT_EQ(on("update", R"("filter":{},"update":{"$set":{"y.$[i].b":7}},"arrayFilters":[{"i.b":1}],"multi":true)"),
            R"({"ok":true,"matched":2,"modified":2})");
  EXPECT_EQ(on("update", R"("filter":{},"update":{"$set":{"y.$[i].b":7}},"arrayFilters":[{"i.b":55}],"multi":true)"),
            R"({"ok":true,"matched":2,"modified":0})");
  EXPECT_EQ(on("find_and_modify",
               R"("filter":{"_id":2},"update":{"$set":{"y.$[i].b":5}},"arrayFilters":[{"i.b":0}],"new":true)"),
            R"({"ok":true,"doc":{"_id":2,"y":[{"b":5},{"b":7}]}})");
  EXPECT_EQ(code_of(on("update", R"("filter":{},"update":{"$set":{"x":1}},"arrayFilters":[{"i.b":1}])")), "invalid");
  EXPECT_EQ(all(), R"([{"_id":1,"y":[{"b":2},{"b":7}]},{"_id":2,"y":[{"b":5},{"b":7}]}])");
}

TEST_F(CrudTest, find_one_and_delete_returns_what_it_removed) {
  three();
  EXPECT_EQ(
      on("find_and_modify", R"("filter":{"_id":{"$gt":1}},"remove":true,"sort":{"x":1},"projection":{"x":1,"_id":0})"),
      R"({"ok":true,"doc":{"x":22}})");
  EXPECT_EQ(on("find_and_modify", R"("filter":{"_id":9},"remove":true)"), R"({"ok":true,"doc":null})");
  EXPECT_EQ(on("find_and_modify", R"("filter":{},"remove":true,"sort":{"x":-1})"),
            R"({"ok":true,"doc":{"_id":3,"x":33}})");
  EXPECT_EQ(all(), R"([{"_id":1,"x":11}])");
}

TEST_F(CrudTest, find_one_and_update_returns_the_document_before_or_after) {
  three();
  EXPECT_EQ(on("find_and_modify",
               R"("filter":{"_id":{"$gt":1}},"update":{"$inc":{"x":1}},"sort":{"x":1},"projection":{"x":1,"_id":0})"),
            R"({"ok":true,"doc":{"x":22}})");
  EXPECT_EQ(on("find_and_modify", R"("filter":{"_id":2},"update":{"$inc":{"x":1}},"new":true)"),
            R"({"ok":true,"doc":{"_id":2,"x":24}})");
  EXPECT_EQ(on("find_and_modify", R"("filter":{"_id":4},"update":{"$inc":{"x":1}})"), R"({"ok":true,"doc":null})");
  EXPECT_EQ(on("find_and_modify", R"("filter":{"_id":4},"update":{"$inc":{"x":1}},"new":true)"),
            R"({"ok":true,"doc":null})");
  EXPECT_EQ(on("find_and_modify", R"("filter":{"_id":4},"update":{"$inc":{"x":1}},"upsert":true)"),
            R"({"ok":true,"doc":null})");
  EXPECT_EQ(on("find_and_modify",
               R"("filter":{"_id":5},"update":{"$inc":{"x":1}},"upsert":true,"new":true,"projection":{"_id":0})"),
            R"({"ok":true,"doc":{"x":1}})");
  EXPECT_EQ(
      on("find_and_modify", R"("filter":{"_id":1},"update":[{"$set":{"twice":{"$multiply":["$x",2]}}}],"new":true)"),
      R"({"ok":true,"doc":{"_id":1,"x":11,"twice":22}})");
}

TEST_F(CrudTest, find_one_and_replace_returns_the_document_before_or_after) {
  three();
  EXPECT_EQ(on("find_and_modify", R"("filter":{"_id":{"$gt":1}},"replacement":{"x":32},"sort":{"x":1})"),
            R"({"ok":true,"doc":{"_id":2,"x":22}})");
  EXPECT_EQ(
      on("find_and_modify", R"("filter":{"_id":2},"replacement":{"x":44},"new":true,"projection":{"x":1,"_id":0})"),
      R"({"ok":true,"doc":{"x":44}})");
  EXPECT_EQ(on("find_and_modify", R"("filter":{"_id":4},"replacement":{"x":44},"upsert":true)"),
            R"({"ok":true,"doc":null})");
  EXPECT_EQ(on("find_and_modify", R"("filter":{"_id":5},"replacement":{"x":55},"upsert":true,"new":true)"),
            R"({"ok":true,"doc":{"_id":5,"x":55}})");
  EXPECT_EQ(all(), R"([{"_id":1,"x":11},{"_id":2,"x":44},{"_id":3,"x":33},{"_id":4,"x":44},{"_id":5,"x":55}])");
}

TEST_F(CrudTest, a_find_and_modify_that_says_two_things_is_refused) {
  three();
  for (const char* members :
       {R"("filter":{})", R"("filter":{},"update":{"$set":{"a":1}},"remove":true)",
        R"("filter":{},"update":{"$set":{"a":1}},"replacement":{})", R"("filter":{},"remove":true,"new":true)",
        R"("filter":{},"remove":true,"upsert":true)", R"("filter":{},"replacement":{},"arrayFilters":[])"})
    EXPECT_EQ(code_of(on("find_and_modify", members)), "invalid") << members;
  EXPECT_EQ(all(), R"([{"_id":1,"x":11},{"_id":2,"x":22},{"_id":3,"x":33}])");
}

TEST_F(CrudTest, counts_and_distinct_values) {
  three();
  EXPECT_EQ(on("count", R"("filter":{})"), R"({"ok":true,"count":3})");
  EXPECT_EQ(on("count", R"("filter":{"_id":{"$gt":1}})"), R"({"ok":true,"count":2})");
  EXPECT_EQ(on("count", R"("filter":{},"skip":1,"limit":3)"), R"({"ok":true,"count":2})");
  EXPECT_EQ(on("count", R"("filter":{},"limit":0)"), R"({"ok":true,"count":3})");
  EXPECT_EQ(on("find", R"("sort":{"x":-1},"limit":0,"skip":2)"), R"({"ok":true,"docs":[{"_id":1,"x":11}]})");
  EXPECT_EQ(on("distinct", R"("field":"x","filter":{})"), R"({"ok":true,"values":[11,22,33]})");
  EXPECT_EQ(on("distinct", R"("field":"x","filter":{"_id":{"$gt":1}})"), R"({"ok":true,"values":[22,33]})");
}

TEST_F(CrudTest, the_time_in_filters_is_the_transactions) {
  insert(R"([{"_id":1,"at":{"$date":"2001-01-01T00:00:00Z"}},{"_id":2,"at":{"$date":"2999-01-01T00:00:00Z"}}])");
  const std::string past = R"("filter":{"$expr":{"$lt":["$at","$$NOW"]}})";
  EXPECT_EQ(on("count", past), R"({"ok":true,"count":1})");
  EXPECT_EQ(on("update", past + R"(,"update":{"$set":{"past":true}},"multi":true)"),
            R"({"ok":true,"matched":1,"modified":1})");
  EXPECT_EQ(on("delete", past + R"(,"multi":true)"), R"({"ok":true,"deleted":1})");
}

TEST_F(CrudTest, explain_tells_how_an_operation_reaches_its_documents_and_changes_nothing) {
  three();
  on("create_index", R"("keys":{"x":1})");
  const auto plan = [&](std::string_view request) {
    return ask(R"({"op":"explain","request":)" + std::string(request) + "}");
  };
  for (const char* request :
       {R"({"op":"find","collection":"c","filter":{"x":22}})", R"({"op":"count","collection":"c","filter":{"x":22}})",
        R"({"op":"distinct","collection":"c","field":"y","filter":{"x":22}})",
        R"({"op":"update","collection":"c","filter":{"x":22},"update":{"$set":{"x":0}},"multi":true})",
        R"({"op":"replace","collection":"c","filter":{"x":22},"replacement":{}})",
        R"({"op":"delete","collection":"c","filter":{"x":22},"multi":true})",
        R"({"op":"find_and_modify","collection":"c","filter":{"x":22},"remove":true})"}) {
    const std::string answer = plan(request);
    for (const char* part : {R"("index":"x_1")", R"("keys_examined":1,"documents_examined":1)", R"("time_us":)"})
      EXPECT_NE(answer.find(part), std::string::npos) << request << answer;
  }
  EXPECT_EQ(all(), R"([{"_id":1,"x":11},{"_id":2,"x":22},{"_id":3,"x":33}])");
  EXPECT_EQ(code_of(plan(R"({"op":"insert","collection":"c","docs":[{}]})")), "invalid");
  EXPECT_EQ(code_of(plan(R"({"op":"find","collection":"c","colour":1})")), "invalid");
  EXPECT_EQ(code_of(plan(R"({"op":"update","collection":"c","filter":{},"update":{"$sett":{}}})")), "invalid");
}

}  // namespace
}  // namespace stele::cli
