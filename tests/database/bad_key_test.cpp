// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Ids, keys and names at the edges of what is allowed.
#include <gtest/gtest.h>
#include <stele/stele.h>

#include "engine/base/key_codec.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

namespace stele {
namespace {

using testing::expect_error;

class BadKey : public ::testing::Test {
 protected:
  BadKey() : db(Database::open(directory / "db")), c(db.collection("c")), s(db.stream("s")) {}
  void reopen() {
    db.close();
    db = Database::open(directory / "db");
    c = db.collection("c");
    s = db.stream("s");
  }

  testing::TemporaryDirectory directory;
  Database db;
  Collection c;
  Stream s;
};

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

TEST_F(BadKey, empty_and_binary_ids_are_ids_like_any_other) {
  const std::vector<std::string> ids = {R"("")",
                                        "null",
                                        "false",
                                        R"({"$binary":{"base64":"","subType":"00"}})",
                                        R"({"$binary":{"base64":"AP8A","subType":"00"}})",
                                        R"({"$binary":{"base64":"AP8A","subType":"80"}})",
                                        R"({"$oid":"000000000000000000000000"})",
                                        R"({"$date":{"$numberLong":"-9223372036854775808"}})",
                                        "-9223372036854775808",
                                        "-1.7976931348623157e308"};
  for (const std::string& id : ids) c.insert("{\"_id\":" + id + ",\"of\":" + quoted(std::to_string(id.size())) + "}");
  for (const std::string& id : ids) {
    expect_error(ErrorCode::exists, [&] { c.insert("{\"_id\":" + id + "}"); });
    EXPECT_EQ(c.count("{\"_id\":" + id + "}"), 1u) << id;
  }
  reopen();
  for (const std::string& id : ids) {
    EXPECT_TRUE(c.get(DocumentId::from_json(id)).has_value()) << id;
    EXPECT_TRUE(c.remove(DocumentId::from_json(id))) << id;
  }
  EXPECT_EQ(c.count(), 0u);
}

TEST_F(BadKey, an_id_whose_key_has_8192_bytes_is_the_longest) {
  // Collection, typecode, string, end: 1 + 1 + n + 2; each NUL counts twice.
  const std::string longest(key_bytes_max - 4, 'k');
  c.insert("{\"_id\":" + quoted(longest) + "}");
  EXPECT_TRUE(c.get(longest).has_value());
  const Error error = expect_error(
      ErrorCode::too_large, [&] { c.insert("{\"_id\":" + quoted(longest + "k") + "}"); }, "_id", "8192");
  EXPECT_EQ(error.detail().at("limit"), "8192");
  std::string nuls = "\"";
  for (int i = 0; i < 4095; ++i) nuls += "\\u0000";
  expect_error(
      ErrorCode::too_large, [&] { c.insert("{\"_id\":" + nuls + "\"}"); }, "_id");
  expect_error(
      ErrorCode::too_large, [&] { c.get(longest + "k"); }, "_id");
  expect_error(
      ErrorCode::too_large, [&] { c.remove(longest + "k"); }, "_id");
  EXPECT_EQ(c.count("{\"_id\":" + quoted(longest + "k") + "}"), 0u);  // no document can have it
  reopen();
  EXPECT_EQ(c.count("{\"_id\":" + quoted(longest) + "}"), 1u);
  EXPECT_EQ(c.count(), 1u);
}

TEST_F(BadKey, an_upsert_with_an_id_that_is_too_long_changes_nothing) {
  const std::string id = quoted(std::string(9000, 'k'));
  expect_error(
      ErrorCode::too_large, [&] { c.update_one("{\"_id\":" + id + "}", R"({"$set":{"a":1}})", {.upsert = true}); },
      "_id");
  EXPECT_TRUE(db.collections().empty());
}

TEST_F(BadKey, an_indexed_value_that_is_too_long_is_refused_by_every_writer) {
  c.create_index(R"({"v":1})");
  c.insert(R"({"_id":1,"v":"short"})");
  const std::string large = quoted(std::string(9000, 'v'));
  expect_error(
      ErrorCode::too_large, [&] { c.insert("{\"v\":" + large + "}"); }, "v_1");
  expect_error(
      ErrorCode::too_large, [&] { c.update_one("{}", "{\"$set\":{\"v\":" + large + "}}"); }, "v_1");
  expect_error(
      ErrorCode::too_large, [&] { c.replace(1, "{\"v\":[1," + large + "]}"); }, "v_1");
  EXPECT_EQ(c.count("{\"v\":" + large + "}"), 0u);
  EXPECT_EQ(c.find().all(), std::vector<std::string>{R"({"_id":1,"v":"short"})"});
}

TEST_F(BadKey, an_events_data_has_the_bound_of_a_document) {
  Database small = Database::in_memory({.document_bytes_max = 1000});
  Stream events = small.stream("s");
  events.append({.data = quoted(std::string(998, 'x'))});
  const std::vector<NewEvent> two = {{.data = "1"}, {.data = quoted(std::string(999, 'x'))}};
  const Error error = expect_error(
      ErrorCode::too_large, [&] { events.append(two); }, "event", "1000");
  EXPECT_EQ(error.detail().at("limit"), "1000");
  EXPECT_EQ(events.end_offset(), 1u);
}

TEST_F(BadKey, an_events_key_is_any_bytes_up_to_its_bound) {
  const std::string longest(4000, '\0');
  s.append({.key = longest, .data = "1"});
  s.append({.key = std::string("\0\xff", 2), .data = "2"});
  s.append({.data = "3"});
  expect_error(
      ErrorCode::too_large, [&] { s.append({.key = longest + "k", .data = "4"}); }, "\"s\"", "4001", "4000");
  reopen();
  const auto events = s.read();
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].key, longest);
  EXPECT_EQ(events[1].key, std::string("\0\xff", 2));
}

TEST_F(BadKey, events_that_are_no_json_leave_the_stream_as_it_was) {
  for (const std::string data : {"", " ", "{", "1 2", "nul",
                                 "\xEF\xBB\xBF"
                                 "1",
                                 "\"\xff\"", "{\"a\":1,\"a\":2}"}) {
    const std::vector<NewEvent> two = {{.data = "1"}, {.data = data}};
    expect_error(
        ErrorCode::invalid, [&] { s.append(two); }, "event", "byte");
  }
  EXPECT_TRUE(db.streams().empty());
}

TEST_F(BadKey, names_that_cannot_be_are_refused_alike_for_collections_and_streams) {
  struct Bad {
    std::string name;
    std::string_view why;
  };
  const std::vector<Bad> bad = {{"", "empty"},
                                {std::string("a\0b", 3), "NUL"},
                                {std::string(1, '\0'), "NUL"},
                                {"\xff", "UTF-8"},
                                {"\xed\xa0\x80", "UTF-8"},
                                {"\xc0\xaf", "UTF-8"},
                                {std::string(256, 'n'), "255"},
                                {"_stele", "reserved"},
                                {"_stele_outbox", "reserved"}};
  for (const Bad& one : bad) {
    SCOPED_TRACE(one.name);
    expect_error(
        ErrorCode::invalid, [&] { db.collection(one.name).insert("{}"); }, "collection", one.why);
    expect_error(
        ErrorCode::invalid, [&] { db.collection(one.name).create_index(R"({"a":1})"); }, "collection", one.why);
    expect_error(
        ErrorCode::invalid, [&] { db.collection(one.name).update_one("{}", R"({"$set":{"a":1}})", {.upsert = true}); },
        "collection", one.why);
    expect_error(
        ErrorCode::invalid, [&] { db.stream(one.name).append({.data = "1"}); }, "stream", one.why);
    EXPECT_EQ(db.collection(one.name).count(), 0u);  // there is none
    EXPECT_TRUE(db.stream(one.name).read().empty());
  }
  EXPECT_TRUE(db.collections().empty());
  EXPECT_TRUE(db.streams().empty());
}

TEST_F(BadKey, odd_names_name_what_they_name) {
  const std::vector<std::string> names = {
      " ", "a.b", "$a", "/", "../x", "%00", "Ä", "ä", "a\nb", "'\"", std::string(255, 'n'), "STELE", "_x"};
  for (const std::string& name : names) {
    db.collection(name).insert("{\"_id\":1}");
    db.stream(name).append({.data = "1"});
  }
  reopen();
  auto found = db.collections();
  EXPECT_EQ(found.size(), names.size());
  for (const std::string& name : names) {
    EXPECT_EQ(db.collection(name).count(), 1u) << name;
    EXPECT_EQ(db.stream(name).end_offset(), 1u) << name;
  }
}

}  // namespace
}  // namespace stele
