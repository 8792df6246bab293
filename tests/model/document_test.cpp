// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/document.h"

#include <stele/error.h>

#include <gtest/gtest.h>

namespace stele::model {
namespace {

TEST(Document, the_id_comes_first) {
  EXPECT_EQ(new_document(R"({"_id": 1, "a": 2})").text, R"({"_id":1,"a":2})");
  EXPECT_EQ(new_document(R"({"a": 2, "_id": 1})").text, R"({"_id":1,"a":2})");
  EXPECT_EQ(new_document(R"({"a": 2, "_id": {"$oid": "0123456789abcdef01234567"}, "b": 3})").text,
            R"({"_id":{"$oid":"0123456789abcdef01234567"},"a":2,"b":3})");
  EXPECT_EQ(document_with_id(R"({"a":{"_id":5},"_id":"x"})").text, R"({"_id":"x","a":{"_id":5}})");
  EXPECT_EQ(new_document(R"({"_id":1.50})").text, R"({"_id":1.50})");
  EXPECT_EQ(new_document(R"({"a":1,"_id":null})").id.type(), Type::null);
}

TEST(Document, an_id_is_made_when_absent) {
  const NewDocument empty = new_document("{}"), other = new_document(R"({"a":{"_id":1}})");
  EXPECT_EQ(empty.text, "{\"_id\":\"" + empty.id.string() + "\"}");
  EXPECT_EQ(other.text, "{\"_id\":\"" + other.id.string() + R"(","a":{"_id":1}})");
  EXPECT_EQ(other.id.string().size(), 36u);
  EXPECT_LT(empty.id.string(), other.id.string());
}

std::string document_refusal(std::string_view json) {
  try {
    new_document(json);
  } catch (const Error& error) {
    return error.detail().at("reason");
  }
  return "";
}

TEST(Document, refuses_what_must_not_be_stored) {
  for (const char* json : {"[]", "1", "null", R"("a")"}) EXPECT_EQ(document_refusal(json), "InvalidDocument") << json;
  for (const char* json : {R"({"_id":[1]})", R"({"_id":{"a":1}})"}) EXPECT_EQ(document_refusal(json), "InvalidId") << json;
  for (const char* json : {R"({"$a":1})", R"({"a":[{"$set":1}]})", R"({"a.b":1})", R"({"a":{"b.c":1}})",
                           R"({"a\u0000b":1})", R"({"\u0024a":1})"})
    EXPECT_EQ(document_refusal(json), "InvalidName") << json;
  EXPECT_EQ(document_refusal(R"({"a":{"$date":"yesterday"}})"), "InvalidExtendedJson");
  EXPECT_EQ(document_refusal(R"({"a":{"$numberDecimal":"1.5"}})"), "ExtendedJson");
  EXPECT_EQ(document_refusal(R"({"a":{"$ref":"b","$id":1}})"), "ExtendedJson");
  EXPECT_EQ(document_refusal(R"({"":1,"a":{"":{}},"b":"$c.d"})"), "");
}

}  // namespace
}  // namespace stele::model
