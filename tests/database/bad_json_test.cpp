// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// JSON at the edges of what is allowed, through every verb that takes it.
#include <gtest/gtest.h>
#include <stele/stele.h>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace stele {
namespace {

using testing::expect_error;

class BadJson : public ::testing::Test {
 protected:
  BadJson() : db(Database::in_memory()), c(db.collection("c")) {}
  std::string only(std::string_view filter = "{}") {
    const auto all = c.find(filter).all();
    return all.size() == 1 ? all.front() : std::to_string(all.size()) + " documents";
  }

  Database db;
  Collection c;
};

std::string nested(std::uint32_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST_F(BadJson, a_name_of_64_kilobytes_is_a_name_like_any_other) {
  const std::string name(64 << 10, 'n');
  const std::string member = "\"" + name + "\"";
  c.insert("{\"_id\":1," + member + ":1,\"o\":{" + member + ":2}}");
  EXPECT_EQ(c.count("{" + member + ":1}"), 1u);
  EXPECT_EQ(c.count("{\"o." + name + "\":2}"), 1u);
  EXPECT_EQ(c.distinct(name), std::vector<std::string>{"1"});
  EXPECT_EQ(c.update_many("{}", "{\"$inc\":{" + member + ":5}}").modified, 1u);
  EXPECT_EQ(c.find("{}", {.projection = "{" + member + ":1,\"_id\":0}", .sort = "{" + member + ":-1}"}).all().front(),
            "{" + member + ":6}");
  c.create_index("{" + member + ":1}", {.name = "long"});
  EXPECT_EQ(only("{" + member + ":6}").size(), 2 * name.size() + 25);
  EXPECT_EQ(c.update_many("{}", "{\"$unset\":{" + member + ":1}}").modified, 1u);
  EXPECT_EQ(c.count("{" + member + ":6}"), 0u);
}

TEST_F(BadJson, an_index_on_a_long_name_needs_a_name_of_its_own) {
  const std::string name(64 << 10, 'n');
  expect_error(
      ErrorCode::invalid, [&] { c.create_index("{\"" + name + "\":1}"); }, "255 bytes");
  EXPECT_TRUE(c.indexes().empty());
}

TEST(BadJsonDepth, the_bound_that_was_set_holds_exactly) {
  for (const std::uint32_t bound : {2u, 128u, 1000u}) {
    Database db = Database::in_memory({.document_depth_max = bound});
    Collection c = db.collection("c");
    c.insert("{\"_id\":1,\"a\":" + nested(bound - 1) + "}");
    const Error error = expect_error(
        ErrorCode::too_large, [&] { c.insert("{\"a\":" + nested(bound) + "}"); }, std::to_string(bound));
    EXPECT_EQ(error.detail().at("limit"), std::to_string(bound));
    EXPECT_EQ(c.count(), 1u) << bound;
    const std::string deepest = *c.get(1);
    EXPECT_EQ(c.replace(1, deepest), true);
    EXPECT_EQ(c.update_many("{}", R"({"$set":{"b":1}})").modified, 1u);
    expect_error(ErrorCode::too_large, [&] { c.update_many("{}", "{\"$set\":{\"c\":" + nested(bound) + "}}"); });
    EXPECT_EQ(c.find("{}", {.sort = R"({"a":1})"}).all().size(), 1u);
    EXPECT_EQ(c.distinct("b"), std::vector<std::string>{"1"});
  }
}

TEST(BadJsonDepth, bounds_that_cannot_be_kept_are_refused) {
  for (const std::uint32_t bound : {0u, 1001u, 4'000'000'000u})
    expect_error(
        ErrorCode::invalid, [&] { Database::in_memory({.document_depth_max = bound}); }, "document_depth_max",
        "1 to 1000");
}

TEST(BadJsonDepth, an_update_cannot_grow_a_document_beyond_the_bound) {
  Database db = Database::in_memory({.document_depth_max = 3});
  Collection c = db.collection("c");
  c.insert(R"({"_id":1,"a":{"b":{}}})");
  expect_error(
      ErrorCode::too_large, [&] { c.update_one("{}", R"({"$set":{"a.b.c":[]}})"); }, "3");
  expect_error(
      ErrorCode::too_large, [&] { c.update_one("{}", R"([{"$set":{"d":{"e":"$a"}}}])"); }, "3");
  EXPECT_EQ(c.get(1), R"({"_id":1,"a":{"b":{}}})");
}

// U+0000 is a character of strings like any other; of names it is none.

const std::string nul = R"("a\u0000b")";

TEST_F(BadJson, nul_in_strings_is_kept_and_told_from_its_neighbours) {
  for (const std::string value : {R"("a")", R"("a\u0000")", R"("a\u0000b")", R"("a\u0001")", R"("\u0000")", R"("")"})
    c.insert("{\"v\":" + value + "}");
  for (const std::string value : {R"("a")", R"("a\u0000")", R"("a\u0000b")", R"("a\u0001")", R"("\u0000")", R"("")"})
    EXPECT_EQ(c.count("{\"v\":" + value + "}"), 1u) << value;
  EXPECT_EQ(c.count("{\"v\":{\"$in\":[" + nul + "]}}"), 1u);
  EXPECT_EQ(c.count("{\"v\":{\"$gt\":\"a\",\"$lt\":" + nul + "}}"), 1u);
  EXPECT_EQ(c.distinct("v").size(), 6u);
  std::string order;
  auto found = c.find("{}", {.projection = R"({"v":1,"_id":0})", .sort = R"({"v":1})"});
  for (const auto& document : found.all()) order += document;
  EXPECT_EQ(order, R"({"v":""}{"v":"\u0000"}{"v":"a"}{"v":"a\u0000"}{"v":"a\u0000b"}{"v":"a\u0001"})");
}

TEST_F(BadJson, nul_in_strings_is_found_by_index_as_without) {
  c.create_index(R"({"v":1})");
  for (const std::string value : {R"("a")", R"("a\u0000")", R"("a\u0000b")", R"(["x","a\u0000b"])"})
    c.insert("{\"v\":" + value + "}");
  EXPECT_EQ(c.count("{\"v\":" + nul + "}"), 2u);
  EXPECT_EQ(c.count(R"({"v":"a"})"), 1u);
  EXPECT_NE(c.explain("{\"v\":" + nul + "}").find(R"("index":"v_1")"), std::string::npos);
}

TEST_F(BadJson, nul_in_an_id_names_its_document) {
  c.insert("{\"_id\":" + nul + ",\"n\":1}");
  c.insert(R"({"_id":"a","n":2})");
  expect_error(
      ErrorCode::exists, [&] { c.insert("{\"_id\":" + nul + "}"); }, R"(a\u0000b)");
  EXPECT_EQ(c.get(DocumentId(std::string_view("a\0b", 3))), "{\"_id\":" + nul + ",\"n\":1}");
  EXPECT_EQ(c.get("a"), R"({"_id":"a","n":2})");
  EXPECT_TRUE(c.remove(DocumentId::from_json(nul)));
  EXPECT_EQ(c.count(), 1u);
}

TEST_F(BadJson, nul_in_strings_passes_through_every_update_operator) {
  c.insert(R"({"_id":1,"s":"x","a":["x"]})");
  for (const std::string update :
       {"{\"$set\":{\"s\":V}}", "{\"$max\":{\"m\":V}}", "{\"$push\":{\"a\":V}}", "{\"$addToSet\":{\"b\":V}}",
        "{\"$push\":{\"c\":{\"$each\":[V,\"a\"],\"$sort\":1}}}", "[{\"$set\":{\"p\":V}}]"}) {
    std::string text = update;
    text.replace(text.find('V'), 1, nul);
    EXPECT_EQ(c.update_one("{}", text).modified, 1u) << text;
  }
  EXPECT_EQ(
      c.get(1),
      R"({"_id":1,"s":"a\u0000b","a":["x","a\u0000b"],"m":"a\u0000b","b":["a\u0000b"],"c":["a","a\u0000b"],"p":"a\u0000b"})");
  c.update_one("{}", "{\"$pull\":{\"a\":" + nul + "},\"$pullAll\":{\"c\":[" + nul + "]}}");
  EXPECT_EQ(c.find("{}", {.projection = R"({"a":1,"c":1,"_id":0})"}).all().front(), R"({"a":["x"],"c":["a"]})");
}

TEST_F(BadJson, nul_in_a_name_or_a_path_is_refused_wherever_it_stands) {
  c.insert(R"({"_id":1,"a":1})");
  const std::string object = R"({"a\u0000b":1})";
  const std::vector<std::function<void()>> uses = {
      [&] { c.insert(object); },
      [&] { c.insert("{\"o\":[" + object + "]}"); },
      [&] { c.update_one("{}", "{\"$set\":" + object + "}"); },
      [&] { c.update_one("{}", "{\"$set\":{\"o\":" + object + "}}"); },
      [&] { c.update_one("{}", "{\"$push\":{\"o\":" + object + "}}"); },
      [&] { c.update_one("{}", R"({"$rename":{"a":"a\u0000b"}})"); },
      [&] { c.update_one("{}", "[{\"$set\":" + object + "}]"); },
      [&] { c.count(object); },
      [&] { c.find("{}", {.sort = object}); },
      [&] { c.find("{}", {.projection = object}); },
      [&] { c.distinct(std::string_view("a\0b", 3)); },
      [&] { c.create_index(object); },
      [&] { c.replace(1, object); },
      [&] { c.put(object); },
  };
  for (std::size_t i = 0; i < uses.size(); ++i) {
    SCOPED_TRACE(i);
    expect_error(ErrorCode::invalid, uses[i], "NUL");
    EXPECT_EQ(only(), R"({"_id":1,"a":1})");
  }
  EXPECT_EQ(c.indexes().size(), 1u) << "that of _id";
}

}  // namespace
}  // namespace stele
