// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/update.h"

#include <stele/error.h>

#include <gtest/gtest.h>

namespace stele::model {
namespace {

// The text after the update; "same" when nothing changes.
std::string updated(std::string_view document, std::string_view update) {
  return Update::parse(update).apply_json(document).value_or("same");
}

// The reason of the refusal, with the document checked to be untouched.
std::string refusal(const std::string& document, std::string_view update) {
  Value value = parse(document);
  try {
    const bool changed = Update::parse(update).apply(value);
    return changed ? "changed" : "same";
  } catch (const Error& error) {
    EXPECT_EQ(to_json(value), document);
    return std::string(name(error.code())) + " " + error.detail().at("reason");
  }
}

TEST(Update, set_replaces_creates_and_pads) {
  EXPECT_EQ(updated(R"({"_id":1,"a":1})", R"({"$set":{"a":"x"}})"), R"({"_id":1,"a":"x"})");
  EXPECT_EQ(updated(R"({"_id":1})", R"({"$set":{"a.b.0":2}})"), R"({"_id":1,"a":{"b":{"0":2}}})");
  EXPECT_EQ(updated(R"({"a":[1]})", R"({"$set":{"a.3":2}})"), R"({"a":[1,null,null,2]})");
  EXPECT_EQ(updated(R"({"a":[{"b":1}]})", R"({"$set":{"a.0.b":2}})"), R"({"a":[{"b":2}]})");
  EXPECT_EQ(updated(R"({})", R"({"$set":{"z":1,"b":2,"10":0,"9":0}})"), R"({"9":0,"10":0,"b":2,"z":1})");
  EXPECT_EQ(updated(R"({"a":1})", R"({"$set":{"a":1}})"), "same");
  EXPECT_EQ(updated(R"({"a":1})", R"({"$set":{"a":1.0}})"), R"({"a":1.0})");
  EXPECT_EQ(updated(R"({"a":1})", R"({"$set":{}})"), "same");
}

TEST(Update, keeps_the_bytes_it_does_not_touch) {
  const std::string rest = R"("a":1e3,"b":[-0.0,1.10,-0],"c":"\u0041","d":{"$date":"2026-01-01T00:00:00+01:00"})";
  EXPECT_EQ(updated("{" + rest + R"(,"n":1})", R"({"$inc":{"n":1}})"), "{" + rest + R"(,"n":2})");
}

TEST(Update, unset_removes_members_and_blanks_elements) {
  EXPECT_EQ(updated(R"({"a":1,"b":{"c":2,"d":3},"e":4})", R"({"$unset":{"a":"","b.c":1}})"), R"({"b":{"d":3},"e":4})");
  EXPECT_EQ(updated(R"({"a":[1,2]})", R"({"$unset":{"a.0":1}})"), R"({"a":[null,2]})");
  EXPECT_EQ(updated(R"({"a":1})", R"({"$unset":{"b":1,"a.b":1}})"), "same");
}

TEST(Update, inc_keeps_integers_and_widens_doubles) {
  EXPECT_EQ(updated(R"({"a":1})", R"({"$inc":{"a":2}})"), R"({"a":3})");
  EXPECT_EQ(updated(R"({"a":1})", R"({"$inc":{"a":0.5}})"), R"({"a":1.5})");
  EXPECT_EQ(updated(R"({"a":1.5})", R"({"$inc":{"a":1.5}})"), R"({"a":3.0})");
  EXPECT_EQ(updated(R"({})", R"({"$inc":{"a.b":-2}})"), R"({"a":{"b":-2}})");
  EXPECT_EQ(updated(R"({"a":1.50})", R"({"$inc":{"a":0}})"), "same");
  EXPECT_EQ(refusal(R"({"a":9223372036854775807})", R"({"$inc":{"a":1}})"), "out_of_range NumberOutOfRange");
  EXPECT_EQ(refusal(R"({"a":1.7e308})", R"({"$inc":{"a":1.7e308}})"), "out_of_range NumberOutOfRange");
  EXPECT_EQ(refusal(R"({"a":"1"})", R"({"$inc":{"a":1}})"), "invalid WrongType");
  EXPECT_EQ(refusal(R"({"a":null})", R"({"$inc":{"a":1}})"), "invalid WrongType");
}

TEST(Update, push_appends) {
  EXPECT_EQ(updated(R"({"a":[1]})", R"({"$push":{"a":[2]}})"), R"({"a":[1,[2]]})");
  EXPECT_EQ(updated(R"({"a":[1]})", R"({"$push":{"a":{"$each":[2,3]}}})"), R"({"a":[1,2,3]})");
  EXPECT_EQ(updated(R"({})", R"({"$push":{"a.b":1}})"), R"({"a":{"b":[1]}})");
  EXPECT_EQ(updated(R"({"a":[]})", R"({"$push":{"a":{"$each":[]}}})"), "same");
  EXPECT_EQ(refusal(R"({"a":1})", R"({"$push":{"a":1}})"), "invalid WrongType");
  EXPECT_EQ(refusal(R"({})", R"({"$push":{"a":{"$each":1}}})"), "invalid InvalidUpdate");
  EXPECT_EQ(refusal(R"({})", R"({"$push":{"a":{"$each":[1],"$slice":1}}})"), "unsupported Operator");
}

TEST(Update, pull_removes_equals_or_what_meets_a_condition) {
  EXPECT_EQ(updated(R"({"a":[1,2,1.0,[1]]})", R"({"$pull":{"a":1}})"), R"({"a":[2,[1]]})");
  EXPECT_EQ(updated(R"({"a":[1,2,3,"x"]})", R"({"$pull":{"a":{"$gte":2}}})"), R"({"a":[1,"x"]})");
  EXPECT_EQ(updated(R"({"a":[{"b":1,"c":2},{"b":2},1]})", R"({"$pull":{"a":{"b":1}}})"), R"({"a":[{"b":2},1]})");
  EXPECT_EQ(updated(R"({"a":[1]})", R"({"$pull":{"a":5,"b":1}})"), "same");
  EXPECT_EQ(refusal(R"({"a":1})", R"({"$pull":{"a":1}})"), "invalid WrongType");
}

TEST(Update, refuses_malformed_updates) {
  const std::string document = R"({"_id":1,"a":1,"n":[1]})";
  EXPECT_EQ(refusal(document, "{}"), "invalid InvalidUpdate");
  EXPECT_EQ(refusal(document, R"({"a":1})"), "invalid InvalidUpdate");
  EXPECT_EQ(refusal(document, R"({"$set":1})"), "invalid InvalidUpdate");
  EXPECT_EQ(refusal(document, R"([{"$set":{"a":1}}])"), "unsupported Operator");
  EXPECT_EQ(refusal(document, R"({"$rename":{"a":"b"}})"), "unsupported Operator");
  EXPECT_EQ(refusal(document, R"({"$foo":{"a":"b"}})"), "invalid UnknownOperator");
  EXPECT_EQ(refusal(document, R"({"$inc":{"a":"b"}})"), "invalid WrongType");
  EXPECT_EQ(refusal(document, R"({"$set":{"a..b":1}})"), "invalid InvalidPath");
  EXPECT_EQ(refusal(document, R"({"$set":{"":1}})"), "invalid InvalidPath");
  EXPECT_EQ(refusal(document, R"({"$set":{"a.$b":1}})"), "invalid InvalidPath");
  EXPECT_EQ(refusal(document, R"({"$set":{"n.$[]":1}})"), "unsupported Operator");
  EXPECT_EQ(refusal(document, R"({"$set":{"b":{"c.d":1}}})"), "invalid InvalidName");
  EXPECT_EQ(refusal(document, R"({"$set":{"a":1},"$inc":{"a":1}})"), "invalid ConflictingPaths");
  EXPECT_EQ(refusal(document, R"({"$set":{"n.1":1,"m":2},"$push":{"n":1}})"), "invalid ConflictingPaths");
}

TEST(Update, is_all_or_nothing) {
  const std::string document = R"({"_id":1,"a":1,"b":"x","n":[1]})";
  EXPECT_EQ(refusal(document, R"({"$set":{"a":2},"$inc":{"b":1}})"), "invalid WrongType");
  EXPECT_EQ(refusal(document, R"({"$set":{"a":2,"b.c":1}})"), "invalid WrongType");
  EXPECT_EQ(refusal(document, R"({"$set":{"a":2,"n.x":1}})"), "invalid WrongType");
  EXPECT_EQ(refusal(document, R"({"$set":{"a":2,"n.4000000000":1}})"), "invalid TooFar");
}

TEST(Update, the_id_never_changes) {
  const std::string document = R"({"_id":1,"a":1})";
  EXPECT_EQ(refusal(document, R"({"$set":{"a":2,"_id":2}})"), "invalid ImmutableId");
  EXPECT_EQ(refusal(document, R"({"$unset":{"_id":1}})"), "invalid ImmutableId");
  EXPECT_EQ(refusal(document, R"({"$inc":{"_id":1}})"), "invalid ImmutableId");
  EXPECT_EQ(updated(document, R"({"$set":{"a":2,"_id":1.0}})"), R"({"_id":1,"a":2})");
}

TEST(Update, holds_to_the_limits) {
  Value document = parse(R"({"a":{"b":[]}})");
  EXPECT_THROW(Update::parse(R"({"$set":{"a.c.d":{}}})").apply(document, {1000, 3}), Error);
  EXPECT_THROW(Update::parse(R"({"$set":{"a.c":"0123456789"}})").apply(document, {20, 3}), Error);
  EXPECT_EQ(to_json(document), R"({"a":{"b":[]}})");
}

TEST(Update, upsert_takes_the_equalities_of_the_filter) {
  const auto upserted = [](std::string_view filter, std::string_view update) {
    return to_json(Update::parse(update).upsert_document(Filter::parse(filter)));
  };
  EXPECT_EQ(upserted(R"({"a.b":1,"c":{"$gt":5},"$and":[{"_id":{"$eq":7}}]})", R"({"$set":{"d":2},"$inc":{"a.n":1}})"),
            R"({"_id":7,"a":{"b":1,"n":1},"d":2})");
  EXPECT_EQ(upserted(R"({"a":1})", R"({"$set":{"_id":"x"}})"), R"({"_id":"x","a":1})");
  EXPECT_EQ(upserted(R"({"a":1})", R"({"$set":{"b":1}})").substr(0, 8), R"({"_id":")");
  EXPECT_THROW(upserted(R"({"_id":1})", R"({"$set":{"_id":2}})"), Error);
  EXPECT_THROW(upserted(R"({"a":1,"a.b":2})", R"({"$set":{"b":1}})"), Error);
  EXPECT_THROW(upserted(R"({"_id":{"x":1}})", R"({"$set":{"b":1}})"), Error);
}

}  // namespace
}  // namespace stele::model
