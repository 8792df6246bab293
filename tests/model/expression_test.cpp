// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What all expressions share: paths, variables, literals, parsing, folding.
#include "engine/model/expression.h"

#include "engine/model/compare.h"
#include "tests/model/expression_case.h"
#include "tests/model/random_value.h"

namespace stele::model {
namespace {

TEST(Expression, paths_lead_through_objects_and_arrays_of_objects) {
  const std::string_view document =
      R"({"a":{"b":{"c":1}},"l":[{"x":1},{"y":2},5,[{"x":9}],{"x":{"z":3}}],"n":null,"0":"zero"})";
  expect({{R"("$a.b.c")", "1", document},
          {R"("$a.b")", R"({"c":1})", document},
          {R"("$a.missing.c")", "missing", document},
          {R"("$a.b.c.d")", "missing", document},
          {R"("$n")", "null", document},
          {R"("$n.x")", "missing", document},
          {R"("$l.x")", R"([1,{"z":3}])", document},  // arrays in arrays are not entered
          {R"("$l.x.z")", "[3]", document},
          {R"("$l.0")", "[]", document},  // no indexes in expressions
          {R"("$0")", R"("zero")", document},
          {R"("$l.q.r")", "[]", document}});
}

TEST(Expression, variables_of_the_system) {
  const std::string_view document = R"({"a":{"b":1}})";
  expect({{R"("$$ROOT")", document, document},
          {R"("$$CURRENT.a.b")", "1", document},
          {R"("$$ROOT.a")", R"({"b":1})", document},
          {R"("$$REMOVE")", "missing", document},
          {R"({"x":"$$REMOVE","y":1})", R"({"y":1})", document}});
  Variables variables;
  variables.now = Date{1000};
  EXPECT_EQ(to_json(*expression(R"("$$NOW")").evaluate(variables)), R"({"$date":"1970-01-01T00:00:01Z"})");
  EXPECT_EQ(expression(R"("$$NOW.a")").evaluate(variables), std::nullopt);
  testing::expect_error(
      ErrorCode::invalid, [] { expression(R"("$$NOW")").evaluate(Value(Object())); }, "$$NOW");
}

TEST(Expression, variables_of_the_caller) {
  Variables variables;
  variables.named["limit"] = parse(R"({"a":5})");
  const std::vector<std::string> names = {"limit", "other"};
  const auto evaluate = [&](const char* text) { return Expression::parse(text, "test", names).evaluate(variables); };
  EXPECT_EQ(to_json(*evaluate("$$limit.a")), "5");
  EXPECT_EQ(evaluate("$$other"), std::nullopt);
}

TEST(Expression, literals_arrays_and_objects) {
  expect({{"5", "5"},
          {"1.50", "1.50"},
          {R"("text")", R"("text")"},
          {R"({"$date":"2026-01-01T00:00:00Z"})", R"({"$date":"2026-01-01T00:00:00Z"})"},
          {R"({"$literal":"$a"})", R"("$a")"},
          {R"({"$literal":{"$add":[1,2]}})", R"({"$add":[1,2]})"},
          {"{}", "{}"},
          {"[]", "[]"},
          {R"(["$a",{"$add":[1,2]},"$missing"])", "[7,3,null]", R"({"a":7})"},
          {R"({"x":"$a","y":"$missing","z":{"w":"$a"}})", R"({"x":7,"z":{"w":7}})", R"({"a":7})"}});
}

TEST(Expression, let_map_filter_reduce_and_switch) {
  const std::string_view document = R"({"price":10,"tax":0.5,"applyDiscount":true,"q":[5,6,7],"s":["a","b","c"]})";
  expect(
      {{R"({"$let":{"vars":{"total":{"$add":["$price","$tax"]},"discounted":{"$cond":{"if":"$applyDiscount","then":0.9,"else":1}}},
              "in":{"$multiply":["$$total","$$discounted"]}}})",
        "9.450000000000001", document},
       {R"({"$let":{"vars":{"a":1},"in":{"$let":{"vars":{"a":2,"b":"$$a"},"in":["$$a","$$b"]}}}})", "[2,1]"},
       {R"({"$let":{"vars":{"x":"$missing"},"in":"$$x"}})", "missing"},
       {R"({"$let":{"vars":{"CURRENT":"$a"},"in":["$b","$$ROOT.c"]}})", "[1,2]", R"({"a":{"b":1},"c":2})"},
       {R"({"$map":{"input":"$q","as":"g","in":{"$add":["$$g",2]}}})", "[7,8,9]", document},
       {R"({"$map":{"input":"$q","in":{"$add":["$$this",2]}}})", "[7,8,9]", document},
       {R"({"$map":{"input":"$missing","in":1}})", "null"},
       {R"({"$map":{"input":[1,2],"in":"$missing"}})", "[null,null]"},
       {R"({"$map":{"input":[{"a":[1,2]},{"a":[3]}],"as":"o","in":{"$map":{"input":"$$o.a","in":["$$this","$$o.a"]}}}})",
        "[[[1,[1,2]],[2,[1,2]]],[[3,[3]]]]"},
       {R"({"$filter":{"input":"$q","as":"n","cond":{"$gt":["$$n",5]}}})", "[6,7]", document},
       {R"({"$filter":{"input":"$q","cond":{"$gt":["$$this",4]},"limit":2}})", "[5,6]", document},
       {R"({"$filter":{"input":null,"cond":true}})", "null"},
       {R"({"$reduce":{"input":"$s","initialValue":"","in":["$$value","$$this"]}})", R"([[["","a"],"b"],"c"])",
        document},
       {R"({"$reduce":{"input":"$q","initialValue":{"sum":0,"product":1},
              "in":{"sum":{"$add":["$$value.sum","$$this"]},"product":{"$multiply":["$$value.product","$$this"]}}}})",
        R"({"sum":18,"product":210})", document},
       {R"({"$reduce":{"input":[],"initialValue":7,"in":1}})", "7"},
       {R"({"$reduce":{"input":null,"initialValue":7,"in":1}})", "null"},
       {R"({"$switch":{"branches":[{"case":{"$gt":["$a",5]},"then":"big"},{"case":true,"then":"small"}]}})", R"("big")",
        R"({"a":6})"},
       {R"({"$switch":{"branches":[{"case":false,"then":1}],"default":"none"}})", R"("none")"}});
  expect_errors(ErrorCode::invalid, {{R"({"$map":{"input":5,"in":1}})", "$map needs an array"},
                                     {R"({"$filter":{"input":[1],"cond":true,"limit":0}})", "above 0"},
                                     {R"({"$switch":{"branches":[{"case":false,"then":1}]}})", "no branch matched"}});
}

TEST(Expression, refuses_what_is_none) {
  expect_errors(ErrorCode::invalid, {{R"("$")", "no path"},
                                     {R"("$a..b")", "empty step"},
                                     {R"("$a.")", "empty step"},
                                     {R"("$a.$b")", "begins with '$'"},
                                     {R"("$$")", "not defined"},
                                     {R"("$$nothing.a")", "$$nothing is not defined"},
                                     {R"({"$add":[1],"x":1})", "only member"},
                                     {R"({"x":1,"$add":[1]})", "only member"},
                                     {R"({"a.b":1})", "holds a dot"},
                                     {R"({"$fancy":1})", "unknown operator $fancy"},
                                     {R"({"$eq":[1]})", "$eq takes 2 arguments, not 1"},
                                     {R"({"$not":[1,2]})", "$not takes 1 argument, not 2"},
                                     {R"({"$round":[]})", "1 to 2 arguments"},
                                     {R"({"$ifNull":[1]})", "at least 2"},
                                     {R"({"$cond":{"if":1,"then":2}})", "lacks its argument \"else\""},
                                     {R"({"$cond":{"if":1,"then":2,"else":3,"or":4}})", "no argument \"or\""},
                                     {R"({"$let":{"vars":{"A":1},"in":1}})", "lower-case"},
                                     {R"({"$let":{"vars":{"a":1,"b":"$$a"},"in":1}})", "$$a is not defined"},
                                     {R"({"$let":{"vars":5,"in":1}})", "object of variables"},
                                     {R"({"$map":{"input":[],"as":"ROOT","in":1}})", "lower-case"},
                                     {R"({"$switch":{"branches":[]}})", "one or more"}});
  expect_errors(ErrorCode::unsupported, {{R"({"$rand":{}})", "$rand is not offered"},
                                         {R"({"$function":{}})", "test: the operator $function"},
                                         {R"("$$CLUSTER_TIME")", "$$CLUSTER_TIME"}});
}

TEST(Expression, knows_what_it_reads) {
  const auto names = [](std::string_view json) {
    std::vector<std::string> read;
    if (!expression(json).collect_names(read)) return std::string("all");
    std::string joined;
    for (const std::string& name : read) joined += name + ' ';
    return joined;
  };
  EXPECT_EQ(names(R"({"$add":["$a.b","$c",{"$cond":["$d",1,"$a"]}]})"), "a c d ");
  EXPECT_EQ(names(R"({"$map":{"input":"$list","in":{"$add":["$$this.x","$y"]}}})"), "list y ");
  EXPECT_EQ(names(R"({"x":"$$ROOT.a","y":["$$CURRENT.b"]})"), "a b ");
  EXPECT_EQ(names(R"({"$let":{"vars":{"r":"$$ROOT"},"in":"$$r.a"}})"), "all");
  EXPECT_EQ(names(R"({"$getField":"a"})"), "all");
  EXPECT_EQ(names(R"({"$add":[1,2]})"), "");
}

TEST(Expression, what_reads_nothing_is_computed_once) {
  const auto constant = [](std::string_view json) {
    const Expression e = expression(json);
    return e.constant() ? to_json(*e.constant()) : "none";
  };
  EXPECT_EQ(constant(R"({"$add":[1,{"$multiply":[2,3]}]})"), "7");
  EXPECT_EQ(constant(R"([1,{"a":{"$eq":[1,1]}}])"), R"([1,{"a":true}])");
  EXPECT_EQ(constant(R"({"$add":["$a",1]})"), "none");
  EXPECT_EQ(constant(R"("$$NOW")"), "none");
  // What fails fails only where it is reached.
  expect({{R"({"$cond":[true,1,{"$divide":[1,0]}]})", "1"}, {R"({"$or":[true,{"$divide":[1,0]}]})", "true"}});
}

TEST(Expression, a_value_that_doubles_at_each_step_is_stopped) {
  std::string elements = "0";
  for (int i = 0; i < 2000; ++i) elements += ",0";
  const std::string document = "{\"n\":[" + elements + "]}";
  expect_errors(ErrorCode::too_large,
                {{R"({"$reduce":{"input":"$n","initialValue":"x","in":["$$value","$$value"]}})", "256 MB"},
                 {R"({"$reduce":{"input":"$n","initialValue":"x","in":["$$value"]}})", "inside each other"}},
                document);
}

TEST(Expression, comparing_follows_the_order_of_values_and_missing_comes_first) {
  expect({{R"({"$eq":["$missing",null]})", "false"},
          {R"({"$lt":["$missing",null]})", "true"},
          {R"({"$eq":["$missing","$nothing"]})", "true"},
          {R"({"$cmp":[1,1.0]})", "0"},
          {R"({"$cmp":["a",1]})", "1"},
          {R"({"$cmp":[null,false]})", "-1"},
          {R"({"$gt":[{"a":1},5]})", "true"},
          {R"({"$eq":[[1,2],[1,2]]})", "true"},
          {R"({"$ne":[{"a":1,"b":2},{"b":2,"a":1}]})", "true"},
          {R"({"$gte":[5,5]})", "true"},
          {R"({"$lte":[6,5]})", "false"}});
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE(seed);
  Random random(seed);
  for (int i = 0; i < 2000; ++i) {
    const Value a = random_value(random), b = random_value(random);
    const auto run = [&](const char* op) {
      return *Expression::parse(Object{{op, Array{Object{{"$literal", a}}, Object{{"$literal", b}}}}}, "test")
                  .evaluate(Value());
    };
    const int c = compare(a, b);
    ASSERT_EQ(run("$cmp").integer(), (c > 0) - (c < 0)) << to_json(a) << ' ' << to_json(b);
    ASSERT_EQ(run("$eq").boolean(), c == 0);
    ASSERT_EQ(run("$lt").boolean(), c < 0);
    ASSERT_EQ(run("$gte").boolean(), c >= 0);
  }
}

TEST(Expression, logic) {
  expect({{R"({"$and":[]})", "true"},
          {R"({"$or":[]})", "false"},
          {R"({"$and":[1,"a",[],{}]})", "true"},
          {R"({"$and":[1,0]})", "false"},
          {R"({"$or":[null,"$missing",0,false]})", "false"},
          {R"({"$not":[null]})", "true"},
          {R"({"$not":"$a"})", "false", R"({"a":[false]})"},
          {R"({"$cond":["$missing","yes","no"]})", R"("no")"},
          {R"({"$cond":{"if":1,"then":"$missing","else":2}})", "missing"},
          {R"({"$ifNull":["$missing",null,"x"]})", R"("x")"},
          {R"({"$ifNull":["$a",1]})", "0", R"({"a":0})"},
          {R"({"$ifNull":[null,"$missing"]})", "missing"}});
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE(seed);
  Random random(seed);
  for (int i = 0; i < 1000; ++i) {
    const Value document = Object{{"v", random_value(random)}};
    ASSERT_EQ(expression(R"({"$not":{"$not":"$v"}})").evaluate(document)->boolean(), truth(document.object()[0].value));
  }
}

}  // namespace
}  // namespace stele::model
