// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/matched_element.h"
#include "tests/model/update_case.h"
#include "tests/support/expect_error.h"

namespace stele::model {
namespace {

using stele::testing::expect_error;

std::string matched(std::string_view document, std::string_view filter) {
  const Filter parsed = Filter::parse(filter);
  EXPECT_TRUE(parsed.matches(parse(document)));
  const auto index = matched_element(parsed.root(), parse(document));
  return index ? std::to_string(*index) : "none";
}

TEST(MatchedElement, is_the_first_for_which_the_condition_holds) {
  EXPECT_EQ(matched(R"({"a":[1,5,7]})", R"({"a":{"$gt":3}})"), "1");
  EXPECT_EQ(matched(R"({"a":[1,5,7]})", R"({"a":7.0})"), "2");
  EXPECT_EQ(matched(R"({"a":[1,5,null]})", R"({"a":null})"), "2");
  EXPECT_EQ(matched(R"({"a":[1,5,7]})", R"({"a":{"$in":[7,5]}})"), "1");
  EXPECT_EQ(matched(R"({"a":[{"b":1},{"b":2}]})", R"({"a.b":2})"), "1");
  EXPECT_EQ(matched(R"({"a":[{"b":1},{"b":2}]})", R"({"a":{"b":2}})"), "1");
  EXPECT_EQ(matched(R"({"x":{"a":[{"b":{"c":[0]}},{"b":{"c":[1,2]}}]}})", R"({"x.a.b.c":2})"), "1");
  EXPECT_EQ(matched(R"({"a":[[1],[2]]})", R"({"a":[2]})"), "1");
  EXPECT_EQ(matched(R"({"a":[4,5]})", R"({"a.1":5})"), "1");
  EXPECT_EQ(matched(R"({"a":[[4],[5]]})", R"({"a.1.0":5})"), "1");
}

TEST(MatchedElement, of_conditions_on_whole_elements) {
  EXPECT_EQ(matched(R"({"a":[{"b":1,"c":2},{"b":1,"c":1}]})", R"({"a":{"$elemMatch":{"b":1,"c":{"$lt":2}}}})"), "1");
  EXPECT_EQ(matched(R"({"a":[1,7,5]})", R"({"a":{"$elemMatch":{"$gt":1,"$lt":6}}})"), "2");
  EXPECT_EQ(matched(R"({"a":[{"b":[1]},{"b":[2,3]}]})", R"({"a.b":{"$elemMatch":{"$gt":2}}})"), "1");
  EXPECT_EQ(matched(R"({"a":["x","yes"]})", R"({"a":{"$regex":"^y"}})"), "1");
  EXPECT_EQ(matched(R"({"a":[3,2,1]})", R"({"a":{"$all":[3,2]}})"), "1");
  EXPECT_EQ(matched(R"({"a":[[1],[1,2]]})", R"({"a":{"$size":2}})"), "none");
  EXPECT_EQ(updated(R"({"g":[{"grade":80,"std":8},{"grade":85,"std":5}]})",
                    {R"({"$set":{"g.$.std":6}})", R"({"g":{"$elemMatch":{"grade":{"$lte":90},"std":{"$lt":8}}}})"}),
            R"({"g":[{"grade":80,"std":8},{"grade":85,"std":6}]})");
}

TEST(MatchedElement, comes_from_the_last_condition_on_an_array) {
  EXPECT_EQ(matched(R"({"a":[1,5,7],"b":[1,2]})", R"({"_id":null,"a":7,"b":2})"), "1");
  EXPECT_EQ(matched(R"({"a":[1,5,7],"b":2})", R"({"a":7,"b":2})"), "2");
  EXPECT_EQ(matched(R"({"a":[1,5,7]})", R"({"$and":[{"a":5},{"$or":[{"a":7}]}]})"), "2");
}

TEST(MatchedElement, is_none_without_an_element) {
  EXPECT_EQ(matched(R"({"a":5})", R"({"a":5})"), "none");
  EXPECT_EQ(matched(R"({"a":[5,6]})", R"({"a":[5,6]})"), "none");
  EXPECT_EQ(matched(R"({"a":[5]})", R"({"a":[5]})"), "none");
  EXPECT_EQ(matched(R"({"a":[5]})", R"({"a":{"$ne":6}})"), "none");
  EXPECT_EQ(matched(R"({"a":[5]})", R"({"$or":[{"a":5},{"b":1}]})"), "none");
  EXPECT_EQ(matched(R"({"a":[5]})", R"({"b":null})"), "none");
  EXPECT_EQ(matched(R"({"a":[5]})", "{}"), "none");
}

// MongoDB's examples of the positional $.
TEST(UpdatePositional, the_matched_element) {
  EXPECT_EQ(updated(R"({"_id":1,"grades":[85,80,80]})", {R"({"$set":{"grades.$":82}})", R"({"_id":1,"grades":80})"}),
            R"({"_id":1,"grades":[85,82,80]})");
  EXPECT_EQ(updated(R"({"_id":4,"grades":[{"grade":80,"std":8},{"grade":85,"std":5},{"grade":85,"std":3}]})",
                    {R"({"$set":{"grades.$.std":6}})", R"({"_id":4,"grades.grade":85})"}),
            R"({"_id":4,"grades":[{"grade":80,"std":8},{"grade":85,"std":6},{"grade":85,"std":3}]})");
  EXPECT_EQ(updated(R"({"a":[1,2],"b":["x","y"]})", {R"({"$unset":{"a.$":1},"$set":{"b.$":"z"}})", R"({"a":2})"}),
            R"({"a":[1,null],"b":["x","z"]})");
  EXPECT_EQ(updated(R"({"a":[1,2]})", {R"({"$set":{"n.$.m":0}})", R"({"a":2})"}), R"({"a":[1,2],"n":{"1":{"m":0}}})");
  EXPECT_EQ(updated(R"({"a":[[1],[2,3]]})", {R"({"$inc":{"a.$.$[]":10}})", R"({"a":[2,3]})"}),
            R"({"a":[[1],[12,13]]})");
}

TEST(UpdatePositional, the_matched_element_is_refused_without_a_match) {
  EXPECT_EQ(refusal(R"({"a":[1]})", {R"({"$set":{"a.$":2}})", "{}"}), "invalid NoMatchedElement");
  EXPECT_EQ(refusal(R"({"a":1})", {R"({"$set":{"a.$":2}})", R"({"a":1})"}), "invalid NoMatchedElement");
  EXPECT_EQ(refusal(R"({"a":[1]})", {R"({"$set":{"a.$":2}})", R"({"a":1})", {}, true}), "invalid NoMatchedElement");
  EXPECT_EQ(refusal(R"({"a":[1]})", {R"({"$set":{"$":2}})", R"({"a":1})"}), "invalid InvalidPath");
  EXPECT_EQ(refusal(R"({"a":[1]})", {R"({"$set":{"a.$.b.$":2}})", R"({"a":1})"}), "invalid InvalidPath");
  EXPECT_EQ(refusal(R"({"a":[1]})", {R"({"$set":{"a.$":2,"a.0":3}})", R"({"a":1})"}), "invalid ConflictingPaths");
  EXPECT_EQ(updated(R"({"a":[1]})", {R"({"$set":{"a.$":2,"a.1":3}})", R"({"a":1})"}), R"({"a":[2,3]})");
}

TEST(UpdatePositional, all_elements) {
  EXPECT_EQ(updated(R"({"grades":[85,82,80]})", R"({"$inc":{"grades.$[]":10}})"), R"({"grades":[95,92,90]})");
  EXPECT_EQ(updated(R"({"g":[{"std":8},{"std":5},{}]})", R"({"$inc":{"g.$[].std":-2}})"),
            R"({"g":[{"std":6},{"std":3},{"std":-2}]})");
  EXPECT_EQ(updated(R"({"g":[{"q":[1,2]},{"q":[]},{"q":[3]}]})", R"({"$mul":{"g.$[].q.$[]":2}})"),
            R"({"g":[{"q":[2,4]},{"q":[]},{"q":[6]}]})");
  EXPECT_EQ(updated(R"({"a":[]})", R"({"$set":{"a.$[]":1}})"), "same");
  EXPECT_EQ(updated(R"({"a":[{},{}]})", R"({"$set":{"a.$[].y":1,"a.$[].x":2}})"),
            R"({"a":[{"x":2,"y":1},{"x":2,"y":1}]})");
  EXPECT_EQ(refusal(R"({})", R"({"$set":{"a.$[]":1}})"), "invalid NoArray");
  EXPECT_EQ(refusal(R"({"a":{"0":1}})", R"({"$unset":{"a.$[]":1}})"), "invalid NoArray");
  EXPECT_EQ(refusal(R"({"a":[[1],2]})", R"({"$set":{"a.$[].$[]":1}})"), "invalid NoArray");
  EXPECT_EQ(refusal(R"({"a":[1,"x"]})", R"({"$inc":{"a.$[]":1}})"), "invalid WrongType");
  EXPECT_EQ(refusal(R"({"a":[1]})", R"({"$set":{"a.$[]":1,"a.0":1}})"), "invalid ConflictingPaths");
  EXPECT_EQ(refusal(R"({"a":[{}]})", R"({"$set":{"a.$[].x":1,"a.0.y":1}})"), "invalid ConflictingPaths");
  EXPECT_EQ(refusal(R"({"a":[1]})", R"({"$set":{"$[]":1}})"), "invalid InvalidPath");
}

// MongoDB's examples of $[<identifier>].
TEST(UpdatePositional, elements_chosen_by_array_filters) {
  EXPECT_EQ(updated(R"({"grades":[95,102,90,150]})",
                    {R"({"$set":{"grades.$[element]":100}})", "{}", R"([{"element":{"$gte":100}}])"}),
            R"({"grades":[95,100,90,100]})");
  EXPECT_EQ(updated(R"({"g":[{"grade":80,"mean":75},{"grade":85,"mean":90},{"grade":90,"mean":85}]})",
                    {R"({"$set":{"g.$[e].mean":100}})", "{}", R"([{"e.grade":{"$gte":85}}])"}),
            R"({"g":[{"grade":80,"mean":75},{"grade":85,"mean":100},{"grade":90,"mean":100}]})");
  EXPECT_EQ(
      updated(R"({"g":[{"grade":80,"std":8},{"grade":85,"std":4},{"grade":85,"std":6}]})",
              {R"({"$inc":{"g.$[e].std":-1}})", "{}", R"([{"$and":[{"e.grade":{"$gte":85}},{"e.std":{"$gte":5}}]}])"}),
      R"({"g":[{"grade":80,"std":8},{"grade":85,"std":4},{"grade":85,"std":5}]})");
  EXPECT_EQ(updated(R"({"g":[{"t":"quiz","q":[10,8]},{"t":"exam","q":[8,9]},{"t":"quiz","q":[7]}]})",
                    {R"({"$inc":{"g.$[t].q.$[score]":2}})", "{}", R"([{"t.t":"quiz"},{"score":{"$gte":8}}])"}),
            R"({"g":[{"t":"quiz","q":[12,10]},{"t":"exam","q":[8,9]},{"t":"quiz","q":[7]}]})");
}

TEST(UpdatePositional, array_filters_see_the_elements_as_they_were) {
  EXPECT_EQ(updated(R"({"a":[{"x":1,"n":0},{"x":2,"n":0}]})",
                    {R"({"$set":{"a.$[one].x":9,"a.$[two].y":1}})", "{}", R"([{"one.x":1},{"two.x":{"$lt":5}}])"}),
            R"({"a":[{"x":9,"n":0,"y":1},{"x":2,"n":0,"y":1}]})");
  EXPECT_EQ(refusal(R"({"a":[1]})", {R"({"$set":{"a.$[x]":2,"a.$[y]":3}})", "{}", R"([{"x":1},{"y":1}])"}),
            "invalid ConflictingPaths");
  EXPECT_EQ(updated(R"({"a":[1,2]})", {R"({"$set":{"a.$[x]":2,"a.$[y]":3}})", "{}", R"([{"x":1},{"y":2}])"}),
            R"({"a":[2,3]})");
}

TEST(UpdatePositional, array_filters_that_are_missing_unused_or_malformed_are_refused) {
  const auto with = [](std::string_view filters) {
    return refusal(R"({"a":[1]})", {R"({"$set":{"a.$[x]":2}})", "{}", filters});
  };
  for (const std::string_view filters :
       {"[]", "{}", "[1]", "[{}]", R"([{"y":1}])", R"([{"x":1},{"y":1}])", R"([{"x":1},{"x":2}])", R"([{"x":1,"y":1}])",
        R"([{"X":1}])", R"([{"x_1":1}])", R"([{"":1}])", R"([{"$or":[{"x":1},{"y":1}]}])", R"([{"$expr":true}])"})
    EXPECT_EQ(with(filters), "invalid InvalidArrayFilter") << filters;
  EXPECT_EQ(with(R"([{"x":{"$foo":1}}])"), "invalid UnknownOperator");
  EXPECT_EQ(with(""), "invalid InvalidArrayFilter");
  EXPECT_EQ(with(R"([{"x":1,"x.y":null}])"), R"(changed: {"a":[2]})");
  EXPECT_EQ(refusal("{}", {R"([{"$unset":"a"}])", "{}", R"([{"x":1}])"}), "invalid InvalidArrayFilter");
  expect_error(
      ErrorCode::invalid, [] { Update::parse(R"({"$set":{"a.$[x]":2}})"); }, "\"x\"", "\"a.$[x]\"", "add one");
  expect_error(
      ErrorCode::invalid, [] { Update::parse(R"({"$set":{"a":2}})", R"([{"x":1}])"); }, "\"x\"", "not used");
}

}  // namespace
}  // namespace stele::model
