// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/model/update_case.h"

namespace stele::model {
namespace {

TEST(UpdateArrays, push_appends) {
  EXPECT_EQ(updated(R"({"a":[1]})", R"({"$push":{"a":[2]}})"), R"({"a":[1,[2]]})");
  EXPECT_EQ(updated(R"({"a":[1]})", R"({"$push":{"a":{"$each":[2,3]}}})"), R"({"a":[1,2,3]})");
  EXPECT_EQ(updated(R"({})", R"({"$push":{"a.b":1}})"), R"({"a":{"b":[1]}})");
  EXPECT_EQ(updated(R"({})", R"({"$push":{"a":{"$each":[]}}})"), R"({"a":[]})");
  EXPECT_EQ(updated(R"({"a":[]})", R"({"$push":{"a":{"$each":[]}}})"), "same");
  EXPECT_EQ(updated(R"({"a":[[1],[2]]})", R"({"$push":{"a.0":9}})"), R"({"a":[[1,9],[2]]})");
  EXPECT_EQ(updated(R"({"a":[1]})", R"({"$push":{"a":{"x":{"y":1}}}})"), R"({"a":[1,{"x":{"y":1}}]})");
  EXPECT_EQ(refusal(R"({"a":1})", R"({"$push":{"a":1}})"), "invalid WrongType");
  EXPECT_EQ(refusal(R"({"a":null})", R"({"$push":{"a":1}})"), "invalid WrongType");
}

TEST(UpdateArrays, push_at_a_position) {
  const auto at = [](std::string_view position) {
    return updated(R"({"a":[1,2,3]})", R"({"$push":{"a":{"$each":[8,9],"$position":)" + std::string(position) + "}}}");
  };
  EXPECT_EQ(at("0"), R"({"a":[8,9,1,2,3]})");
  EXPECT_EQ(at("2.0"), R"({"a":[1,2,8,9,3]})");
  EXPECT_EQ(at("3"), R"({"a":[1,2,3,8,9]})");
  EXPECT_EQ(at("99"), R"({"a":[1,2,3,8,9]})");
  EXPECT_EQ(at("-1"), R"({"a":[1,2,8,9,3]})");
  EXPECT_EQ(at("-2"), R"({"a":[1,8,9,2,3]})");
  EXPECT_EQ(at("-9223372036854775808"), R"({"a":[8,9,1,2,3]})");
}

TEST(UpdateArrays, push_keeps_a_slice) {
  const auto sliced = [](std::string_view slice) {
    return updated(R"({"a":[40,60]})", R"({"$push":{"a":{"$each":[80,78,86],"$slice":)" + std::string(slice) + "}}}");
  };
  EXPECT_EQ(sliced("-5"), R"({"a":[40,60,80,78,86]})");
  EXPECT_EQ(sliced("-2"), R"({"a":[78,86]})");
  EXPECT_EQ(sliced("3"), R"({"a":[40,60,80]})");
  EXPECT_EQ(sliced("0"), R"({"a":[]})");
  EXPECT_EQ(sliced("2"), "same");
  EXPECT_EQ(sliced("-9223372036854775808"), R"({"a":[40,60,80,78,86]})");
  EXPECT_EQ(updated(R"({"a":[1,2,3]})", R"({"$push":{"a":{"$each":[],"$slice":-2}}})"), R"({"a":[2,3]})");
}

TEST(UpdateArrays, push_sorts_elements_or_by_their_members) {
  EXPECT_EQ(updated(R"({"a":[89,70,89,50]})", R"({"$push":{"a":{"$each":[40,60],"$sort":1}}})"),
            R"({"a":[40,50,60,70,89,89]})");
  EXPECT_EQ(updated(R"({"a":[1,"x",null]})", R"({"$push":{"a":{"$each":[[0],{}],"$sort":-1}}})"),
            R"({"a":[[0],{},"x",1,null]})");
  EXPECT_EQ(updated(R"({"a":[1,2]})", R"({"$push":{"a":{"$each":[],"$sort":1}}})"), "same");
  // MongoDB's example: three best quizzes.
  EXPECT_EQ(updated(R"({"q":[{"wk":1,"score":10},{"wk":2,"score":8},{"wk":3,"score":5},{"wk":4,"score":6}]})",
                    R"({"$push":{"q":{"$each":[{"wk":5,"score":8},{"wk":6,"score":7},{"wk":7,"score":6}],
                                      "$sort":{"score":-1},"$slice":3}}})"),
            R"({"q":[{"wk":1,"score":10},{"wk":2,"score":8},{"wk":5,"score":8}]})");
  EXPECT_EQ(updated(R"({"a":[{"x":{"y":2},"n":1},{"x":{"y":1}},{"x":{"y":2},"n":0},5]})",
                    R"({"$push":{"a":{"$each":[],"$sort":{"x.y":1,"n":-1}}}})"),
            R"({"a":[5,{"x":{"y":1}},{"x":{"y":2},"n":1},{"x":{"y":2},"n":0}]})");
}

TEST(UpdateArrays, push_refuses_malformed_modifiers) {
  for (const std::string modifier :
       {R"("$each":1)", R"("$each":[],"$slice":1.5)", R"("$each":[],"$slice":"1")", R"("$each":[],"$position":null)",
        R"("$each":[],"$sort":2)", R"("$each":[],"$sort":{})", R"("$each":[],"$sort":{"a":"up"})",
        R"("$each":[],"$sort":{"a..b":1})", R"("$each":[],"$foo":1)", R"("$each":[],"foo":1)"})
    EXPECT_EQ(refusal(R"({"a":[1]})", R"({"$push":{"a":{)" + modifier + "}}}"), "invalid InvalidUpdate") << modifier;
  EXPECT_EQ(refusal(R"({"a":[1]})", R"({"$push":{"a":{"$slice":1}}})"), "invalid InvalidName");
  EXPECT_EQ(refusal(R"({"a":[1]})", R"({"$push":{"a":{"$each":[{"x.y":1}]}}})"), "invalid InvalidName");
}

TEST(UpdateArrays, add_to_set_adds_what_is_not_there) {
  EXPECT_EQ(updated(R"({"l":["a","b"]})", R"({"$addToSet":{"l":["c","d"]}})"), R"({"l":["a","b",["c","d"]]})");
  EXPECT_EQ(updated(R"({"tags":["electronics","supplies"]})",
                    R"({"$addToSet":{"tags":{"$each":["camera","electronics","accessories"]}}})"),
            R"({"tags":["electronics","supplies","camera","accessories"]})");
  EXPECT_EQ(updated(R"({"a":[1,1]})", R"({"$addToSet":{"a":1.0}})"), "same");
  EXPECT_EQ(updated(R"({"a":[{"x":1,"y":2}]})", R"({"$addToSet":{"a":{"$each":[{"x":1.0,"y":2},{"y":2,"x":1}]}}})"),
            R"({"a":[{"x":1,"y":2},{"y":2,"x":1}]})");
  EXPECT_EQ(updated(R"({"a":[1,1]})", R"({"$addToSet":{"a":{"$each":[3,2,3.0,2]}}})"), R"({"a":[1,1,3,2]})");
  EXPECT_EQ(updated(R"({})", R"({"$addToSet":{"a.b":null}})"), R"({"a":{"b":[null]}})");
  EXPECT_EQ(updated(R"({})", R"({"$addToSet":{"a":{"$each":[]}}})"), R"({"a":[]})");
  EXPECT_EQ(refusal(R"({"a":null})", R"({"$addToSet":{"a":1}})"), "invalid WrongType");
  EXPECT_EQ(refusal(R"({})", R"({"$addToSet":{"a":{"$each":1}}})"), "invalid InvalidUpdate");
  EXPECT_EQ(refusal(R"({})", R"({"$addToSet":{"a":{"$each":[1],"$slice":1}}})"), "invalid InvalidUpdate");
}

TEST(UpdateArrays, pop_removes_at_an_end) {
  EXPECT_EQ(updated(R"({"scores":[32,98,53]})", R"({"$pop":{"scores":-1}})"), R"({"scores":[98,53]})");
  EXPECT_EQ(updated(R"({"scores":[32,98,53]})", R"({"$pop":{"scores":1.0}})"), R"({"scores":[32,98]})");
  EXPECT_EQ(updated(R"({"a":[[1,2]]})", R"({"$pop":{"a.0":1}})"), R"({"a":[[1]]})");
  EXPECT_EQ(updated(R"({"a":[]})", R"({"$pop":{"a":1,"b":1,"a2.b":1}})"), "same");
  EXPECT_EQ(refusal(R"({"a":1})", R"({"$pop":{"a":1}})"), "invalid WrongType");
  EXPECT_EQ(refusal(R"({"a":null})", R"({"$pop":{"a":1}})"), "invalid WrongType");
  EXPECT_EQ(refusal(R"({"a":1})", R"({"$pop":{"a.b":1}})"), "invalid WrongType");
  EXPECT_EQ(refusal(R"({"a":[1]})", R"({"$pop":{"a.b":1}})"), "invalid WrongType");
  EXPECT_EQ(refusal(R"({"a":[1]})", R"({"$pop":{"a":2}})"), "invalid InvalidUpdate");
  EXPECT_EQ(refusal(R"({"a":[1]})", R"({"$pop":{"a":"1"}})"), "invalid InvalidUpdate");
}

TEST(UpdateArrays, pull_removes_equals_or_what_meets_a_condition) {
  EXPECT_EQ(updated(R"({"a":[1,2,1.0,[1]]})", R"({"$pull":{"a":1}})"), R"({"a":[2,[1]]})");
  EXPECT_EQ(updated(R"({"a":[1,2,3,"x"]})", R"({"$pull":{"a":{"$gte":2}}})"), R"({"a":[1,"x"]})");
  EXPECT_EQ(updated(R"({"fruits":["apples","pears","grapes"],"v":["carrots","celery"]})",
                    R"({"$pull":{"fruits":{"$in":["apples","grapes"]},"v":"carrots"}})"),
            R"({"fruits":["pears"],"v":["celery"]})");
  EXPECT_EQ(updated(R"({"a":[{"b":1,"c":2},{"b":2},1]})", R"({"$pull":{"a":{"b":1}}})"), R"({"a":[{"b":2},1]})");
  EXPECT_EQ(
      updated(R"({"r":[{"item":"A","score":5},{"item":"B","score":8}]})", R"({"$pull":{"r":{"score":8,"item":"B"}}})"),
      R"({"r":[{"item":"A","score":5}]})");
  EXPECT_EQ(updated(R"({"a":[[1,2],[2,1]]})", R"({"$pull":{"a":[1,2]}})"), R"({"a":[[2,1]]})");
  EXPECT_EQ(updated(R"({"a":[null,1,{}]})", R"({"$pull":{"a":null}})"), R"({"a":[1,{}]})");
  EXPECT_EQ(updated(R"({"a":[{"b":1},{"b":2},{"b":3,"c":1},7]})", R"({"$pull":{"a":{"$or":[{"b":1},{"c":1}]}}})"), R"({"a":[{"b":2},7]})");
  EXPECT_EQ(updated(R"({"a":[{"b":1},5]})", R"({"$pull":{"a":{}}})"), R"({"a":[5]})");
  EXPECT_EQ(updated(R"({"a":[{"b":[1,2]},{"b":[3]}]})", R"({"$pull":{"a":{"b":2}}})"), R"({"a":[{"b":[3]}]})");
  EXPECT_EQ(updated(R"({"a":[1]})", R"({"$pull":{"a":5,"b":1,"c.d":1}})"), "same");
  EXPECT_EQ(refusal(R"({"a":1})", R"({"$pull":{"a":1}})"), "invalid WrongType");
  EXPECT_EQ(refusal(R"({"a":1})", R"({"$pull":{"a.b":1}})"), "invalid WrongType");
  EXPECT_EQ(refusal(R"({"a":[1]})", R"({"$pull":{"a":{"$foo":1}}})"), "invalid UnknownOperator");
}

TEST(UpdateArrays, pull_knows_conditions_on_arrays_and_text) {
  EXPECT_EQ(updated(R"({"r":[{"a":[{"q":1,"v":4},{"q":2,"v":6}]},{"a":[{"q":1,"v":8},{"q":2,"v":9}]}]})",
                    R"({"$pull":{"r":{"a":{"$elemMatch":{"q":2,"v":{"$gte":8}}}}}})"),
            R"({"r":[{"a":[{"q":1,"v":4},{"q":2,"v":6}]}]})");
  EXPECT_EQ(updated(R"({"a":["apple","pear",1]})", R"({"$pull":{"a":{"$regex":"^a"}}})"), R"({"a":["pear",1]})");
  EXPECT_EQ(updated(R"({"a":["apple","pear",1]})", R"({"$pull":{"a":{"$regularExpression":{"pattern":"^a","options":""}}}})"),
            R"({"a":["pear",1]})");
  EXPECT_EQ(refusal(R"({"a":[{"b":1}]})", R"({"$pull":{"a":{"$expr":{"$eq":["$b",1]}}}})").substr(0, 7), "invalid");
}

TEST(UpdateArrays, pull_all_removes_each_of_the_values) {
  EXPECT_EQ(updated(R"({"scores":[0,2,5,5,1,0]})", R"({"$pullAll":{"scores":[0,5.0]}})"), R"({"scores":[2,1]})");
  EXPECT_EQ(updated(R"({"a":[{"b":1},{"b":1,"c":2},[1]]})", R"({"$pullAll":{"a":[{"b":1},1]}})"),
            R"({"a":[{"b":1,"c":2},[1]]})");
  EXPECT_EQ(updated(R"({"a":[1]})", R"({"$pullAll":{"a":[],"b":[1]}})"), "same");
  EXPECT_EQ(refusal(R"({"a":1})", R"({"$pullAll":{"a":[1]}})"), "invalid WrongType");
  EXPECT_EQ(refusal(R"({"a":[1]})", R"({"$pullAll":{"a":1}})"), "invalid InvalidUpdate");
}

}  // namespace
}  // namespace stele::model
