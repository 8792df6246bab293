// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Arrays, sets, accumulators and objects.
#include "engine/model/compare.h"
#include "tests/model/expression_case.h"
#include "tests/model/random_value.h"

#include <algorithm>

namespace stele::model {
namespace {

TEST(ArrayExpression, elements_and_parts) {
  expect({{R"({"$arrayElemAt":[[1,2,3],0]})", "1"},
          {R"({"$arrayElemAt":[[1,2,3],-2]})", "2"},
          {R"({"$arrayElemAt":[[1,2,3],15]})", "missing"},
          {R"({"$arrayElemAt":["$a",1.0]})", R"({"b":2})", R"({"a":[1,{"b":2}]})"},
          {R"({"$arrayElemAt":[null,0]})", "null"},
          {R"({"$first":"$a"})", "1", R"({"a":[1,2]})"},
          {R"({"$last":"$a"})", "2", R"({"a":[1,2]})"},
          {R"({"$first":"$a"})", "missing", R"({"a":[]})"},
          {R"({"$first":"$a"})", "null"},
          {R"({"$slice":[[1,2,3],1,1]})", "[2]"},
          {R"({"$slice":[[1,2,3],-2]})", "[2,3]"},
          {R"({"$slice":[[1,2,3],2]})", "[1,2]"},
          {R"({"$slice":[[1,2,3],15,2]})", "[]"},
          {R"({"$slice":[[1,2,3],-15,2]})", "[1,2]"},
          {R"({"$slice":[[1,2,3],0]})", "[]"},
          {R"({"$slice":["$missing",2]})", "null"},
          {R"({"$firstN":{"n":2,"input":[1,null,3]}})", "[1,null]"},
          {R"({"$lastN":{"n":5,"input":[1,2]}})", "[1,2]"},
          {R"({"$concatArrays":[["hello"," "],["world"]]})", R"(["hello"," ","world"])"},
          {R"({"$concatArrays":[[1],null]})", "null"},
          {R"({"$concatArrays":[]})", "[]"},
          {R"({"$reverseArray":[[1,2,3]]})", "[3,2,1]"},
          {R"({"$reverseArray":null})", "null"},
          {R"({"$size":"$a"})", "2", R"({"a":[1,2]})"},
          {R"({"$isArray":[["a"]]})", "true"},
          {R"({"$isArray":"$missing"})", "false"},
          {R"({"$in":[2,[1,2.0]]})", "true"},
          {R"({"$in":["$missing",[null]]})", "false"},
          {R"({"$indexOfArray":[["a","abc"],"a"]})", "0"},
          {R"({"$indexOfArray":[["a","abc","b"],"b",0,1]})", "-1"},
          {R"({"$indexOfArray":[["a","b","b"],"b",2]})", "2"},
          {R"({"$indexOfArray":[null,"b"]})", "null"},
          {R"({"$range":[0,10,3]})", "[0,3,6,9]"},
          {R"({"$range":[10,0,-2]})", "[10,8,6,4,2]"},
          {R"({"$range":[0,5]})", "[0,1,2,3,4]"},
          {R"({"$range":[5,0]})", "[]"},
          {R"({"$zip":{"inputs":[["a"],["b"],["c"]]}})", R"([["a","b","c"]])"},
          {R"({"$zip":{"inputs":[[1],[2,3]],"useLongestLength":true,"defaults":["x","y"]}})", R"([[1,2],["x",3]])"},
          {R"({"$zip":{"inputs":[[1],[2,3]],"useLongestLength":true}})", "[[1,2],[null,3]]"},
          {R"({"$zip":{"inputs":["$missing",[2,3]]}})", "null"},
          {R"({"$sortArray":{"input":[1,"a",null,0.5],"sortBy":1}})", R"([null,0.5,1,"a"])"},
          {R"({"$sortArray":{"input":"$t","sortBy":{"age":-1,"n":1}}})",
           R"([{"n":"a","age":30},{"n":"b","age":30},{"age":5}])",
           R"({"t":[{"n":"b","age":30},{"age":5},{"n":"a","age":30}]})"},
          {R"({"$sortArray":{"input":null,"sortBy":1}})", "null"}});
}

TEST(ArrayExpression, refuses_what_is_none) {
  expect_errors(ErrorCode::invalid,
                {{R"({"$arrayElemAt":[5,0]})", "$arrayElemAt needs an array"},
                 {R"({"$arrayElemAt":[[1],0.5]})", "index"},
                 {R"({"$first":5})", "$first needs an array"},
                 {R"({"$size":"$missing"})", "not a missing value"},
                 {R"({"$in":[1,2]})", "second argument"},
                 {R"({"$slice":[[1],1,0]})", "above 0"},
                 {R"({"$concatArrays":[[1],2]})", "arrays"},
                 {R"({"$range":[0,1,0]})", "not 0"},
                 {R"({"$range":[0,2147483648]})", "32 bits"},
                 {R"({"$indexOfArray":[[1],1,-1]})", "not below 0"},
                 {R"({"$firstN":{"n":0,"input":[]}})", "above 0"},
                 {R"({"$zip":{"inputs":[]}})", "one or more"},
                 {R"({"$zip":{"inputs":[[1]],"defaults":[1]}})", "useLongestLength"},
                 {R"({"$zip":{"inputs":[[1]],"useLongestLength":true,"defaults":[1,2]}})", "as many"},
                 {R"({"$sortArray":{"input":[],"sortBy":2}})", "sortBy"},
                 {R"({"$sortArray":{"input":5,"sortBy":1}})", "array"},
                 {R"({"$sortArray":{"input":[],"sortBy":{"a":"up"}}})", "1 (ascending)"}});
  expect_errors(ErrorCode::too_large, {{R"({"$range":[0,2147483647]})", "256 MB"}});
}

TEST(ArrayExpression, sets) {
  expect({{R"({"$setUnion":[["b","a","b"],["c"]]})", R"(["a","b","c"])"},
          {R"({"$setUnion":[[1],null]})", "null"},
          {R"({"$setIntersection":[["a",["b"]],[["b"],"a"]]})", R"(["a",["b"]])"},
          {R"({"$setIntersection":[["a"],["b"]]})", "[]"},
          {R"({"$setDifference":[["d","a","d","b"],["b"]]})", R"(["d","a"])"},
          {R"({"$setEquals":[["a","b","a"],["b","a"]]})", "true"},
          {R"({"$setEquals":[["a","b"],[["a","b"]]]})", "false"},
          {R"({"$setIsSubset":[["a"],["b","a"]]})", "true"},
          {R"({"$setIsSubset":[["a"],[["a"]]]})", "false"},
          {R"({"$anyElementTrue":[[false,0,1]]})", "true"},
          {R"({"$anyElementTrue":[[]]})", "false"},
          {R"({"$allElementsTrue":[[true,null]]})", "false"},
          {R"({"$allElementsTrue":[[]]})", "true"}});
  expect_errors(ErrorCode::invalid, {{R"({"$setUnion":[[1],2]})", "arrays"},
                                     {R"({"$setEquals":[[1],null]})", "not null"},
                                     {R"({"$setIsSubset":[null,[1]]})", "arrays"},
                                     {R"({"$anyElementTrue":[null]})", "array"}});
}

TEST(ArrayExpression, accumulators_over_an_array_or_over_their_arguments) {
  expect({{R"({"$sum":"$a"})", "6", R"({"a":[1,2,3,"x",null]})"},
          {R"({"$sum":["$a",5]})", "5", R"({"a":[1,2,3]})"},  // an array among several is no number
          {R"({"$sum":["$a.b"]})", "3", R"({"a":[{"b":1},{"b":2}]})"},
          {R"({"$sum":"$missing"})", "0"},
          {R"({"$sum":[0.1,0.2,0.3]})", "0.6"},
          {R"({"$avg":"$a"})", "2.0", R"({"a":[1,2,3,"x"]})"},
          {R"({"$avg":["x"]})", "null"},
          {R"({"$max":"$a"})", "[0]", R"({"a":[5,"z",[0]]})"},
          {R"({"$min":"$a"})", "2", R"({"a":[5,null,2]})"},
          {R"({"$min":["$missing",null]})", "null"},
          {R"({"$max":[1,"$missing",7.5]})", "7.5"},
          {R"({"$stdDevPop":"$a"})", "2.0", R"({"a":[2,4,4,4,5,5,7,9]})"},
          {R"({"$stdDevSamp":[1]})", "null"},
          {R"({"$maxN":{"n":2,"input":[1,null,5,3]}})", "[5,3]"},
          {R"({"$minN":{"n":2,"input":[5,null,1,3]}})", "[1,3]"}});
}

TEST(ObjectExpression, members) {
  expect(
      {{R"({"$mergeObjects":[{"a":1,"b":2},{"b":3,"c":4},null]})", R"({"a":1,"b":3,"c":4})"},
       {R"({"$mergeObjects":"$l"})", R"({"a":2,"b":1})", R"({"l":[{"a":1},{"b":1},{"a":2}]})"},
       {R"({"$mergeObjects":"$missing"})", "{}"},
       {R"({"$getField":"a"})", "1", R"({"a":1})"},
       {R"({"$getField":{"field":{"$literal":"$x"},"input":{"$setField":{"field":{"$literal":"$x"},"input":{},"value":7}}}})",
        "7"},
       {R"({"$getField":{"field":"a.b","input":{"$arrayToObject":[[["a.b",3]]]}}})", "3"},
       {R"({"$getField":{"field":"a","input":5}})", "missing"},
       {R"({"$getField":{"field":"a","input":null}})", "null"},
       {R"({"$setField":{"field":"a","input":"$$ROOT","value":5}})", R"({"a":5,"b":2})", R"({"a":1,"b":2})"},
       {R"({"$setField":{"field":"a","input":"$$ROOT","value":"$$REMOVE"}})", R"({"b":2})", R"({"a":1,"b":2})"},
       {R"({"$setField":{"field":"a","input":null,"value":5}})", "null"},
       {R"({"$unsetField":{"field":"a","input":"$$ROOT"}})", R"({"b":2})", R"({"a":1,"b":2})"},
       {R"({"$arrayToObject":{"$literal":[["item","abc"],["qty",25]]}})", R"({"item":"abc","qty":25})"},
       {R"({"$arrayToObject":"$l"})", R"({"a":2})", R"({"l":[{"k":"a","v":1},{"k":"a","v":2}]})"},
       {R"({"$arrayToObject":null})", "null"},
       {R"({"$objectToArray":{"a":1,"b":{"c":2}}})", R"([{"k":"a","v":1},{"k":"b","v":{"c":2}}])"},
       {R"({"$objectToArray":"$missing"})", "null"}});
  expect_errors(ErrorCode::invalid, {{R"({"$mergeObjects":[1]})", "objects"},
                                     {R"({"$getField":5})", "\"field\""},
                                     {R"({"$setField":{"field":"a","input":5,"value":1}})", "object"},
                                     {R"({"$arrayToObject":[[["a",1],{"k":"b","v":2}]]})", "[name, value]"},
                                     {R"({"$arrayToObject":[[[1,1]]]})", "strings as names"},
                                     {R"({"$objectToArray":[[1]]})", "object"}});
}

TEST(ArrayExpression, properties) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE(seed);
  Random random(seed);
  for (int i = 0; i < 2000; ++i) {
    Array a, b;
    for (std::uint64_t n = random() % 6; n > 0; --n) a.push_back(random_value(random, 1));
    for (std::uint64_t n = random() % 6; n > 0; --n)
      b.push_back(random() % 2 && !a.empty() ? a[random() % a.size()] : random_value(random, 1));
    const Value document = Object{{"a", a}, {"b", b}, {"n", static_cast<std::int64_t>(random() % 7) + 1}};
    const auto run = [&](std::string_view json) { return *expression(json).evaluate(document); };
    const auto holds = [&](std::string_view json) { return run(json).boolean(); };
    ASSERT_TRUE(holds(R"({"$eq":["$a",{"$concatArrays":[{"$slice":["$a","$n"]},{"$slice":["$a","$n",100]}]}]})"))
        << to_json(document);
    ASSERT_TRUE(holds(R"({"$eq":["$a",{"$reverseArray":{"$reverseArray":"$a"}}]})"));
    ASSERT_TRUE(holds(R"({"$eq":[{"$size":{"$concatArrays":["$a","$b"]}},{"$add":[{"$size":"$a"},{"$size":"$b"}]}]})"));
    ASSERT_TRUE(holds(R"({"$setEquals":["$a",{"$setUnion":["$a"]}]})"));
    ASSERT_TRUE(holds(
        R"({"$setEquals":["$a",{"$setUnion":[{"$setDifference":["$a","$b"]},{"$setIntersection":["$a","$b"]}]}]})"));
    ASSERT_TRUE(holds(R"({"$setIsSubset":["$a",{"$setUnion":["$a","$b"]}]})"));
    ASSERT_TRUE(holds(
        R"({"$eq":[{"$sortArray":{"input":"$a","sortBy":1}},{"$sortArray":{"input":{"$reverseArray":"$a"},"sortBy":1}}]})"));
    ASSERT_TRUE(holds(
        R"({"$eq":[{"$objectToArray":"$$ROOT"},{"$objectToArray":{"$arrayToObject":{"$objectToArray":"$$ROOT"}}}]})"));
    ASSERT_EQ(run(R"({"$map":{"input":"$a","in":"$$this"}})").array().size(), a.size());
    const Value filtered = run(R"({"$filter":{"input":"$a","cond":{"$in":["$$this","$b"]}}})");
    const auto in_b = [&](const Value& v) {
      return std::ranges::any_of(b, [&](const Value& w) { return equal(v, w); });
    };
    ASSERT_EQ(filtered.array().size(), static_cast<std::size_t>(std::ranges::count_if(a, in_b)));
  }
}

}  // namespace
}  // namespace stele::model
