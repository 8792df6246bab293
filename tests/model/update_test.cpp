// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/update.h"

#include "tests/model/update_case.h"
#include "tests/support/expect_error.h"

namespace stele::model {
namespace {

using stele::testing::expect_error;

TEST(Update, set_replaces_creates_and_pads) {
  EXPECT_EQ(updated(R"({"_id":1,"a":1})", R"({"$set":{"a":"x"}})"), R"({"_id":1,"a":"x"})");
  EXPECT_EQ(updated(R"({"_id":1})", R"({"$set":{"a.b.0":2}})"), R"({"_id":1,"a":{"b":{"0":2}}})");
  EXPECT_EQ(updated(R"({"a":[1]})", R"({"$set":{"a.3":2}})"), R"({"a":[1,null,null,2]})");
  EXPECT_EQ(updated(R"({"a":[]})", R"({"$set":{"a.1.b.c":2}})"), R"({"a":[null,{"b":{"c":2}}]})");
  EXPECT_EQ(updated(R"({"a":[{"b":1}]})", R"({"$set":{"a.0.b":2}})"), R"({"a":[{"b":2}]})");
  EXPECT_EQ(updated(R"({"a":[[1],[2]]})", R"({"$set":{"a.1.0":3}})"), R"({"a":[[1],[3]]})");
  EXPECT_EQ(updated(R"({"a":{"0":1}})", R"({"$set":{"a.0":2,"a.01":3}})"), R"({"a":{"0":2,"01":3}})");
  EXPECT_EQ(updated(R"({"a":1})", R"({"$set":{"a":1}})"), "same");
  EXPECT_EQ(updated(R"({"a":1})", R"({"$set":{"a":1.0}})"), R"({"a":1.0})");
  EXPECT_EQ(updated(R"({"a":1})", R"({"$set":{}})"), "same");
}

// The example of MongoDB's page on $set.
TEST(Update, set_example) {
  const std::string product = R"({"_id":100,"quantity":250,"instock":true,"reorder":false,)"
                              R"("details":{"model":"14QQ","make":"Clothes Corp"},"tags":["apparel","clothing"],)"
                              R"("ratings":[{"by":"Customer007","rating":4}]})";
  EXPECT_EQ(updated(product, R"({"$set":{"quantity":500,"details":{"model":"2600","make":"Fashionaires"},
                                 "tags":["coats","outerwear","clothing"]}})"),
            R"({"_id":100,"quantity":500,"instock":true,"reorder":false,)"
            R"("details":{"model":"2600","make":"Fashionaires"},"tags":["coats","outerwear","clothing"],)"
            R"("ratings":[{"by":"Customer007","rating":4}]})");
  EXPECT_EQ(updated(product, R"({"$set":{"tags.1":"rain gear","ratings.0.rating":2,"details.make":"Kustom Kidz"}})"),
            R"({"_id":100,"quantity":250,"instock":true,"reorder":false,)"
            R"("details":{"model":"14QQ","make":"Kustom Kidz"},"tags":["apparel","rain gear"],)"
            R"("ratings":[{"by":"Customer007","rating":2}]})");
}

TEST(Update, new_members_come_in_the_order_of_their_paths_over_all_operators) {
  EXPECT_EQ(updated(R"({})", R"({"$set":{"z":1,"b":2,"10":0,"9":0}})"), R"({"9":0,"10":0,"b":2,"z":1})");
  EXPECT_EQ(
      updated(R"({"_id":1})", R"({"$push":{"y":1},"$set":{"z":1,"a.c":1},"$inc":{"m":1,"a.b":2},"$min":{"x":0}})"),
      R"({"_id":1,"a":{"b":2,"c":1},"m":1,"x":0,"y":[1],"z":1})");
  EXPECT_EQ(updated(R"({"a":[]})", R"({"$set":{"a.10":1,"a.9":2}})"),
            R"({"a":[null,null,null,null,null,null,null,null,null,2,1]})");
}

TEST(Update, keeps_the_bytes_it_does_not_touch) {
  const std::string rest = R"("a":1e3,"b":[-0.0,1.10,-0],"c":"\u0041","d":{"$date":"2026-01-01T00:00:00+01:00"})";
  EXPECT_EQ(updated("{" + rest + R"(,"n":1})", R"({"$inc":{"n":1}})"), "{" + rest + R"(,"n":2})");
  EXPECT_EQ(updated("{\"x\":[{" + rest + "}]}", R"({"$push":{"x":{"$each":[1],"$position":0}}})"),
            "{\"x\":[1,{" + rest + "}]}");
  EXPECT_EQ(updated("{\"x\":{" + rest + "}}", R"({"$rename":{"x":"y"}})"), "{\"y\":{" + rest + "}}");
}

TEST(Update, members_keep_their_places_whichever_of_them_change) {
  const std::string three = R"({"a":1,"b":"x","c":[1,{"d":"}"}]})";
  EXPECT_EQ(updated(three, R"({"$inc":{"a":1}})"), R"({"a":2,"b":"x","c":[1,{"d":"}"}]})");
  EXPECT_EQ(updated(three, R"({"$set":{"c":2,"b":"y"}})"), R"({"a":1,"b":"y","c":2})");
  EXPECT_EQ(updated(three, R"({"$unset":{"a":1,"c":1}})"), R"({"b":"x"})");
  EXPECT_EQ(updated(three, R"({"$unset":{"b":1},"$set":{"e":0}})"), R"({"a":1,"c":[1,{"d":"}"}],"e":0})");
  EXPECT_EQ(updated(three, R"({"$unset":{"a":1,"b":1,"c":1}})"), "{}");
  EXPECT_EQ(updated(three, R"({"$rename":{"a":"z"},"$set":{"c.0":2}})"), R"({"b":"x","c":[2,{"d":"}"}],"z":1})");
  EXPECT_EQ(updated(R"({"a":1,"b":2})", R"({"$set":{"q\"":1}})"), R"({"a":1,"b":2,"q\"":1})");
  EXPECT_EQ(updated(R"({"\u0061":1,"b":2})", R"({"$inc":{"a":1}})"), R"({"a":2,"b":2})");
  EXPECT_EQ(updated(R"({"b":2,"\u0061":1})", R"({"$inc":{"b":1}})"), R"({"b":3,"\u0061":1})");
}

TEST(Update, unset_removes_members_and_blanks_elements) {
  EXPECT_EQ(updated(R"({"a":1,"b":{"c":2,"d":3},"e":4})", R"({"$unset":{"a":"","b.c":1}})"), R"({"b":{"d":3},"e":4})");
  EXPECT_EQ(updated(R"({"a":[1,2]})", R"({"$unset":{"a.0":1}})"), R"({"a":[null,2]})");
  EXPECT_EQ(updated(R"({"a":[{"b":1},{"b":2}]})", R"({"$unset":{"a.1.b":1}})"), R"({"a":[{"b":1},{}]})");
  EXPECT_EQ(updated(R"({"a":[null]})", R"({"$unset":{"a.0":1,"a.5":1}})"), "same");
  EXPECT_EQ(updated(R"({"a":1,"n":null})", R"({"$unset":{"b":1,"a.b":1,"n.x":1}})"), "same");
}

TEST(Update, rename_moves_a_value_to_the_end_or_over_another) {
  EXPECT_EQ(updated(R"({"_id":1,"nmae":{"first":"george"},"x":1})", R"({"$rename":{"nmae":"name"}})"),
            R"({"_id":1,"x":1,"name":{"first":"george"}})");
  EXPECT_EQ(updated(R"({"name":{"first":"a","last":"b"}})", R"({"$rename":{"name.first":"name.fname"}})"),
            R"({"name":{"last":"b","fname":"a"}})");
  EXPECT_EQ(updated(R"({"a":1,"b":2,"c":3})", R"({"$rename":{"a":"b"}})"), R"({"b":1,"c":3})");
  EXPECT_EQ(updated(R"({"a":1})", R"({"$rename":{"a":"x.y.z"}})"), R"({"x":{"y":{"z":1}}})");
  EXPECT_EQ(updated(R"({"a":{"b":1}})", R"({"$rename":{"a.b":"c"}})"), R"({"a":{},"c":1})");
}

TEST(Update, rename_leaves_a_document_without_the_member_as_it_is) {
  EXPECT_EQ(updated(R"({"a":1})", R"({"$rename":{"b":"c"}})"), "same");
  EXPECT_EQ(updated(R"({"a":{},"b":[1]})", R"({"$rename":{"a.b.c":"c","b.5":"d"}})"), "same");
}

TEST(Update, rename_is_refused_in_arrays_and_of_nested_paths) {
  EXPECT_EQ(refusal(R"({"a":[1]})", R"({"$rename":{"a.0":"b"}})"), "invalid WrongType");
  EXPECT_EQ(refusal(R"({"a":[{"b":1}]})", R"({"$rename":{"a.0.b":"b"}})"), "invalid WrongType");
  EXPECT_EQ(refusal(R"({"a":[1],"b":1})", R"({"$rename":{"b":"a.0"}})"), "invalid WrongType");
  EXPECT_EQ(refusal(R"({"a":1,"b":1})", R"({"$rename":{"b":"a.c"}})"), "invalid WrongType");
  EXPECT_EQ(refusal(R"({"a":1})", R"({"$rename":{"a.x.y":"d"}})"), "invalid WrongType");
  EXPECT_EQ(refusal(R"({"a":1})", R"({"$rename":{"a":"a"}})"), "invalid ConflictingPaths");
  EXPECT_EQ(refusal(R"({"a":1})", R"({"$rename":{"a":"a.b"}})"), "invalid ConflictingPaths");
  EXPECT_EQ(refusal(R"({"a":1})", R"({"$rename":{"a":"b","b":"c"}})"), "invalid ConflictingPaths");
  EXPECT_EQ(refusal(R"({"a":1})", R"({"$rename":{"a":"b"},"$set":{"a":1}})"), "invalid ConflictingPaths");
  EXPECT_EQ(refusal(R"({"a":1})", R"({"$rename":{"a":1}})"), "invalid InvalidUpdate");
  EXPECT_EQ(refusal(R"({"a":1})", R"({"$rename":{"a":"b..c"}})"), "invalid InvalidPath");
  EXPECT_EQ(refusal(R"({"a":[1]})", R"({"$rename":{"a.$[]":"b"}})"), "invalid InvalidUpdate");
  EXPECT_EQ(refusal(R"({"_id":1,"a":2})", R"({"$rename":{"_id":"b"}})"), "invalid ImmutableId");
  EXPECT_EQ(refusal(R"({"_id":1,"a":2})", R"({"$rename":{"a":"_id"}})"), "invalid ImmutableId");
}

TEST(Update, inc_keeps_integers_and_widens_doubles) {
  EXPECT_EQ(updated(R"({"a":1})", R"({"$inc":{"a":2}})"), R"({"a":3})");
  EXPECT_EQ(updated(R"({"a":1})", R"({"$inc":{"a":0.5}})"), R"({"a":1.5})");
  EXPECT_EQ(updated(R"({"a":1.5})", R"({"$inc":{"a":1.5}})"), R"({"a":3.0})");
  EXPECT_EQ(updated(R"({"a":1})", R"({"$inc":{"a":0.0}})"), R"({"a":1.0})");
  EXPECT_EQ(updated(R"({})", R"({"$inc":{"a.b":-2}})"), R"({"a":{"b":-2}})");
  EXPECT_EQ(updated(R"({"a":[1,2]})", R"({"$inc":{"a.1":5}})"), R"({"a":[1,7]})");
  EXPECT_EQ(updated(R"({"a":1.50})", R"({"$inc":{"a":0}})"), "same");
  EXPECT_EQ(updated(R"({"a":9007199254740993})", R"({"$inc":{"a":1}})"), R"({"a":9007199254740994})");
  EXPECT_EQ(refusal(R"({"a":9223372036854775807})", R"({"$inc":{"a":1}})"), "out_of_range NumberOutOfRange");
  EXPECT_EQ(refusal(R"({"a":1.7e308})", R"({"$inc":{"a":1.7e308}})"), "out_of_range NumberOutOfRange");
  EXPECT_EQ(refusal(R"({"a":"1"})", R"({"$inc":{"a":1}})"), "invalid WrongType");
  EXPECT_EQ(refusal(R"({"a":null})", R"({"$inc":{"a":1}})"), "invalid WrongType");
  EXPECT_EQ(refusal(R"({})", R"({"$inc":{"a":null}})"), "invalid WrongType");
}

TEST(Update, mul_takes_a_missing_number_for_zero) {
  EXPECT_EQ(updated(R"({"price":10.99,"qty":25})", R"({"$mul":{"price":1.25,"qty":2}})"),
            R"({"price":13.7375,"qty":50})");
  EXPECT_EQ(updated(R"({})", R"({"$mul":{"a":7,"b":1.5}})"), R"({"a":0,"b":0.0})");
  EXPECT_EQ(updated(R"({"a":3})", R"({"$mul":{"a":1}})"), "same");
  EXPECT_EQ(updated(R"({"a":3})", R"({"$mul":{"a":1.0}})"), R"({"a":3.0})");
  EXPECT_EQ(refusal(R"({"a":4611686018427387904})", R"({"$mul":{"a":2}})"), "out_of_range NumberOutOfRange");
  EXPECT_EQ(refusal(R"({"a":1e200})", R"({"$mul":{"a":1e200}})"), "out_of_range NumberOutOfRange");
  EXPECT_EQ(refusal(R"({"a":null})", R"({"$mul":{"a":2}})"), "invalid WrongType");
  EXPECT_EQ(refusal(R"({"a":1})", R"({"$mul":{"a":"2"}})"), "invalid WrongType");
}

TEST(Update, min_and_max_compare_over_all_types) {
  EXPECT_EQ(updated(R"({"high":800,"low":200})", R"({"$min":{"low":150},"$max":{"high":950}})"),
            R"({"high":950,"low":150})");
  EXPECT_EQ(updated(R"({"high":800,"low":200})", R"({"$min":{"low":250},"$max":{"high":700}})"), "same");
  EXPECT_EQ(updated(R"({"a":1})", R"({"$min":{"a":1.0},"$max":{"b.c":1}})"), R"({"a":1,"b":{"c":1}})");
  EXPECT_EQ(updated(R"({"a":null,"b":null})", R"({"$min":{"a":5},"$max":{"b":5}})"), R"({"a":null,"b":5})");
  EXPECT_EQ(updated(R"({"a":"x","b":5})", R"({"$min":{"a":5},"$max":{"b":[]}})"), R"({"a":5,"b":[]})");
  EXPECT_EQ(updated(R"({"d":{"$date":"2026-01-02T00:00:00Z"}})", R"({"$min":{"d":{"$date":"2026-01-01T00:00:00Z"}}})"),
            R"({"d":{"$date":"2026-01-01T00:00:00Z"}})");
  EXPECT_EQ(refusal(R"({})", R"({"$max":{"a":{"b.c":1}}})"), "invalid InvalidName");
}

TEST(Update, bit_changes_integers) {
  EXPECT_EQ(updated(R"({"expdata":13})", R"({"$bit":{"expdata":{"and":10}}})"), R"({"expdata":8})");
  EXPECT_EQ(updated(R"({"expdata":3})", R"({"$bit":{"expdata":{"or":5}}})"), R"({"expdata":7})");
  EXPECT_EQ(updated(R"({"expdata":1})", R"({"$bit":{"expdata":{"xor":5}}})"), R"({"expdata":4})");
  EXPECT_EQ(updated(R"({"a":1})", R"({"$bit":{"a":{"or":6,"and":5}}})"), R"({"a":5})");
  EXPECT_EQ(updated(R"({})", R"({"$bit":{"a":{"and":5},"b":{"or":5}}})"), R"({"a":0,"b":5})");
  EXPECT_EQ(updated(R"({"a":7})", R"({"$bit":{"a":{"and":7}}})"), "same");
  EXPECT_EQ(refusal(R"({"a":1.0})", R"({"$bit":{"a":{"and":7}}})"), "invalid WrongType");
  EXPECT_EQ(refusal(R"({})", R"({"$bit":{"a":{"and":1.0}}})"), "invalid InvalidUpdate");
  EXPECT_EQ(refusal(R"({})", R"({"$bit":{"a":{"not":1}}})"), "invalid InvalidUpdate");
  EXPECT_EQ(refusal(R"({})", R"({"$bit":{"a":{}}})"), "invalid InvalidUpdate");
  EXPECT_EQ(refusal(R"({})", R"({"$bit":{"a":5}})"), "invalid InvalidUpdate");
}

TEST(Update, current_date_is_the_time_passed_in) {
  const std::string_view both = R"({"$currentDate":{"a":true,"b.c":{"$type":"date"}}})";
  const std::string now = to_json(Date{1767225600000});
  EXPECT_EQ(updated(R"({"a":1})", UpdateCase{both}), R"({"a":)" + now + R"(,"b":{"c":)" + now + "}}");
  EXPECT_EQ(updated(R"({"a":)" + now + "}", R"({"$currentDate":{"a":true}})"), "same");
  EXPECT_EQ(refusal(R"({})", R"({"$currentDate":{"a":{"$type":"timestamp"}}})"), "unsupported Operator");
  EXPECT_EQ(refusal(R"({})", R"({"$currentDate":{"a":{"$type":"time"}}})"), "invalid InvalidUpdate");
  EXPECT_EQ(refusal(R"({})", R"({"$currentDate":{"a":1}})"), "invalid InvalidUpdate");
}

TEST(Update, set_on_insert_applies_to_inserts_only) {
  const std::string_view update = R"({"$set":{"item":"apple"},"$setOnInsert":{"qty":100}})";
  EXPECT_EQ(updated(R"({"_id":1})", update), R"({"_id":1,"item":"apple"})");
  EXPECT_EQ(updated(R"({"_id":1})", R"({"$setOnInsert":{"qty":100}})"), "same");
  EXPECT_EQ(upserted(R"({"_id":1})", update), R"({"_id":1,"item":"apple","qty":100})");
  EXPECT_EQ(upserted("{}", R"({"$setOnInsert":{"a":1,"_id":7}})"), R"({"_id":7,"a":1})");
  EXPECT_EQ(refusal(R"({})", R"({"$set":{"a":1},"$setOnInsert":{"a.b":1}})"), "invalid ConflictingPaths");
  EXPECT_EQ(refusal(R"({"a":[1]})", UpdateCase{R"({"$setOnInsert":{"a.$[x]":1}})"}), "invalid InvalidArrayFilter");
}

TEST(Update, refuses_malformed_updates) {
  const std::string document = R"({"_id":1,"a":1,"n":[1]})";
  EXPECT_EQ(refusal(document, "{}"), "invalid InvalidUpdate");
  EXPECT_EQ(refusal(document, R"({"a":1})"), "invalid InvalidUpdate");
  EXPECT_EQ(refusal(document, R"({"$set":1})"), "invalid InvalidUpdate");
  EXPECT_EQ(refusal(document, R"("x")"), "invalid InvalidUpdate");
  EXPECT_EQ(refusal(document, R"({"$foo":{"a":"b"}})"), "invalid UnknownOperator");
  EXPECT_EQ(refusal(document, R"({"$pushAll":{"a":"b"}})"), "invalid UnknownOperator");
  EXPECT_EQ(refusal(document, R"({"$inc":{"a":"b"}})"), "invalid WrongType");
  EXPECT_EQ(refusal(document, R"({"$set":{"a..b":1}})"), "invalid InvalidPath");
  EXPECT_EQ(refusal(document, R"({"$set":{"a.":1}})"), "invalid InvalidPath");
  EXPECT_EQ(refusal(document, R"({"$set":{"":1}})"), "invalid InvalidPath");
  EXPECT_EQ(refusal(document, R"({"$set":{"a.$b":1}})"), "invalid InvalidPath");
  EXPECT_EQ(refusal(document, R"({"$set":{"a.$[b":1}})"), "invalid InvalidPath");
  EXPECT_EQ(refusal(document, R"({"$unset":{"a.b\u0000":1}})"), "invalid InvalidPath");
  EXPECT_EQ(refusal(document, R"({"$set":{"b":{"c.d":1}}})"), "invalid InvalidName");
  EXPECT_EQ(refusal(document, R"({"$set":{"b":[{"$c":1}]}})"), "invalid InvalidName");
  EXPECT_EQ(refusal(document, R"({"$set":{"a":1},"$inc":{"a":1}})"), "invalid ConflictingPaths");
  EXPECT_EQ(refusal(document, R"({"$set":{"n.1":1,"m":2},"$push":{"n":1}})"), "invalid ConflictingPaths");
}

TEST(Update, a_refusal_names_operator_path_and_cure) {
  const auto apply = [](std::string_view update) {
    return [update] { Update::parse(update).apply_json(R"({"a":"x","n":[1]})"); };
  };
  expect_error(ErrorCode::invalid, apply(R"({"$inc":{"a":1}})"), "$inc of \"a\"", "needs a number", "type string");
  expect_error(ErrorCode::invalid, apply(R"({"$set":{"a.b":1}})"), "\"a.b\"", "type string", "$set the whole value");
  expect_error(ErrorCode::invalid, apply(R"({"$pop":{"a.b":1}})"), "$pop of \"a.b\"", "$set the whole value");
  expect_error(ErrorCode::invalid, apply(R"({"$pop":{"n":2}})"), "$pop of \"n\"", "1 (the last element) or -1");
  expect_error(ErrorCode::invalid, apply(R"({"$foo":{"n":2}})"), "$foo", "$set", "$pullAll");
  expect_error(ErrorCode::too_large, apply(R"({"$set":{"n.4000000000":1}})"), "n.4000000000", "1500000", "$push");
}

TEST(Update, is_all_or_nothing) {
  const std::string document = R"({"_id":1,"a":1,"b":"x","n":[1]})";
  EXPECT_EQ(refusal(document, R"({"$set":{"a":2},"$inc":{"b":1}})"), "invalid WrongType");
  EXPECT_EQ(refusal(document, R"({"$set":{"a":2,"b.c":1}})"), "invalid WrongType");
  EXPECT_EQ(refusal(document, R"({"$set":{"a":2,"n.x":1}})"), "invalid WrongType");
  EXPECT_EQ(refusal(document, R"({"$set":{"a":2,"n.-1":1}})"), "invalid WrongType");
  EXPECT_EQ(refusal(document, R"({"$rename":{"a":"c"},"$push":{"d.e":1,"n.0":1}})"), "invalid WrongType");
}

TEST(Update, the_id_never_changes) {
  const std::string document = R"({"_id":1,"a":1})";
  EXPECT_EQ(refusal(document, R"({"$set":{"a":2,"_id":2}})"), "invalid ImmutableId");
  EXPECT_EQ(refusal(document, R"({"$unset":{"_id":1}})"), "invalid ImmutableId");
  EXPECT_EQ(refusal(document, R"({"$inc":{"_id":1}})"), "invalid ImmutableId");
  EXPECT_EQ(refusal(document, R"({"$currentDate":{"_id":true}})"), "invalid ImmutableId");
  EXPECT_EQ(refusal(document, R"({"$set":{"_id.x":2}})"), "invalid WrongType");
  EXPECT_EQ(refusal(document, R"({"$push":{"_id":2}})"), "invalid WrongType");
  EXPECT_EQ(updated(document, R"({"$set":{"a":2,"_id":1.0}})"), R"({"_id":1,"a":2})");
  EXPECT_EQ(updated(document, R"({"$set":{"_id":1.0}})"), "same");
  EXPECT_EQ(updated(document, R"({"$max":{"_id":0}})"), "same");
  EXPECT_EQ(updated(document, R"({"$mul":{"_id":1.0}})"), "same");
}

TEST(Update, holds_to_the_limits) {
  Value document = parse(R"({"a":{"b":[1,2]}})");
  const auto apply = [&](std::string_view update, const json::Limits& limits) {
    return [&document, update, limits] { Update::parse(update).apply(document, {nullptr, {}, false, limits}); };
  };
  expect_error(ErrorCode::too_large, apply(R"({"$set":{"a.c.d":{}}})", {1000, 3}),
               "3 arrays and objects inside each other");
  expect_error(ErrorCode::too_large, apply(R"({"$set":{"a.c":"0123456789"}})", {20, 3}), "the limit is 20");
  expect_error(ErrorCode::too_large, apply(R"({"$set":{"a.b.300":1}})", {1000, 3}), "a.b.300");
  expect_error(ErrorCode::too_large, apply(R"({"$set":{"a.b.150":1,"a.d":1,"e":1},"$push":{"a.b.151":1}})", {1000, 3}));
  expect_error(ErrorCode::too_large, apply(R"({"$set":{"a.b.1500003":1}})", {}), "a.b.1500003");
  expect_error(ErrorCode::too_large,
               apply(R"({"$set":{"a.b.$[]":"01234567890123456789012345678901234567890"}})", {30, 3}));
  EXPECT_EQ(to_json(document), R"({"a":{"b":[1,2]}})");
  EXPECT_TRUE(Update::parse(R"({"$set":{"a.b.1500002":1}})").apply(document));
  EXPECT_EQ(document.find("a")->find("b")->array().size(), 1500003u);
}

TEST(Update, upsert_takes_the_equalities_of_the_filter) {
  EXPECT_EQ(upserted(R"({"a.b":1,"c":{"$gt":5},"$and":[{"_id":{"$eq":7}}]})", R"({"$set":{"d":2},"$inc":{"a.n":1}})"),
            R"({"_id":7,"a":{"b":1,"n":1},"d":2})");
  EXPECT_EQ(upserted(R"({"a":1})", R"({"$set":{"_id":"x"}})"), R"({"_id":"x","a":1})");
  EXPECT_EQ(upserted(R"({"a":1})", R"({"$set":{"b":1}})").substr(0, 8), R"({"_id":")");
  EXPECT_EQ(upserted(R"({"_id":1,"a":5})", R"({"$inc":{"a":1}})"), R"({"_id":1,"a":6})");
  EXPECT_EQ(upserted(R"({"_id":1})", R"({"$unset":{"a":1},"$pull":{"b":1},"$pop":{"c":1},"$rename":{"d":"e"}})"),
            R"({"_id":1})");
  EXPECT_EQ(upserted(R"({"_id":1})", R"({"$min":{"a":1},"$mul":{"b":2},"$bit":{"c":{"or":1}},"$addToSet":{"d":1}})"),
            R"({"_id":1,"a":1,"b":0,"c":1,"d":[1]})");
  EXPECT_EQ(
      upserted(R"({"_id":1})", R"({"$currentDate":{"d":true},"$push":{"p":{"$each":[3,1],"$sort":1}},"$max":{"m":2}})"),
      R"({"_id":1,"d":)" + to_json(Date{1767225600000}) + R"(,"m":2,"p":[1,3]})");
}

TEST(Update, an_upsert_takes_equalities_in_the_order_of_their_paths) {
  const std::string update = R"({"$set":{"z":1}})";
  EXPECT_EQ(upserted(R"({"_id":0,"x.b":1,"x.a":2,"b":1,"a":{"$in":[1]}})", update), R"({"_id":0,"a":1,"b":1,"x":{"a":2,"b":1},"z":1})");
  EXPECT_EQ(upserted(R"({"_id":{"$in":[308]},"a":{"$in":[1,2]}})", update), R"({"_id":308,"z":1})");
  EXPECT_THROW(upserted(R"({"a":{"b":1},"a.c":4})", update), Error);
}

TEST(Update, a_rename_onto_the_same_id_takes_its_source_away) {
  EXPECT_EQ(updated(R"({"_id":1,"a":1,"c":1})", R"({"$rename":{"a":"_id"}})"), R"({"_id":1,"c":1})");
}

TEST(Update, upsert_is_refused_when_filter_and_update_do_not_make_a_document) {
  EXPECT_THROW(upserted(R"({"_id":1})", R"({"$set":{"_id":2}})"), Error);
  EXPECT_THROW(upserted(R"({"a":1,"a.b":2})", R"({"$set":{"b":1}})"), Error);
  EXPECT_THROW(upserted(R"({"_id":{"x":1}})", R"({"$set":{"b":1}})"), Error);
  EXPECT_THROW(upserted(R"({})", R"({"$set":{"_id":[1]}})"), Error);
  EXPECT_THROW(upserted(R"({"a":5})", R"({"$set":{"a.b":1}})"), Error);
  EXPECT_THROW(upserted(R"({"a":[5]})", R"({"$set":{"a.$":1}})"), Error);
}

}  // namespace
}  // namespace stele::model
