// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Secondary indexes through the public face: what they find, what they refuse, what they cost. That a query has the same
// answer with and without them is checked at random in index_differential_test.cpp.
#include <gtest/gtest.h>
#include <stele/stele.h>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <random>
#include <thread>

namespace stele {
namespace {

using testing::expect_error;

class IndexTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() { db.emplace(Database::open(directory / "db")); }
  void reopen() {
    db->close();
    db.reset();
    open();
  }
  Collection articles() { return db->collection("articles"); }

  void insert_numbered(int count) {
    db->write([&](Transaction& tx) {
      for (int i = 0; i < count; ++i)
        tx.collection("articles").insert("{\"_id\":" + std::to_string(i) + ",\"n\":" + std::to_string(i % 100) +
                                         ",\"author\":\"a" + std::to_string(i % 7) + "\"}");
    });
  }

  /// The ids found, in order, without spaces: "1,5".
  std::string ids(std::string_view filter, const FindOptions& options = {}) {
    std::string out;
    for (const std::string& document : articles().find(filter, options).all()) {
      const std::size_t end = document.find_first_of(",}");
      out += (out.empty() ? "" : ",") + document.substr(7, end - 7);
    }
    return out;
  }
  bool explains(std::string_view filter, std::string_view part, const FindOptions& options = {}) {
    const std::string words = articles().explain(filter, options);
    if (words.find(part) != std::string::npos) return true;
    ADD_FAILURE() << words << " lacks " << part;
    return false;
  }

  testing::TemporaryDirectory directory;
  std::optional<Database> db;
};

TEST_F(IndexTest, equality_reads_only_the_documents_that_have_the_value) {
  insert_numbered(1000);
  EXPECT_EQ(articles().create_index(R"({"n": 1})"), "n_1");
  EXPECT_EQ(ids(R"({"n": 42})"), "42,142,242,342,442,542,642,742,842,942");
  EXPECT_TRUE(explains(R"({"n": 42})", R"("index":"n_1")"));
  EXPECT_TRUE(explains(R"({"n": 42})", R"("documents_examined":10)"));
  reopen();
  EXPECT_TRUE(explains(R"({"n": 42})", R"("documents_examined":10)"));
}

TEST_F(IndexTest, a_range_and_a_limit_in_index_order_read_only_as_many) {
  insert_numbered(1000);
  articles().create_index(R"({"n": 1})");
  const FindOptions upwards{.sort = R"({"n": 1})", .limit = 3};
  const FindOptions downwards{.sort = R"({"n": -1})", .limit = 3};
  EXPECT_EQ(ids(R"({"n": {"$gte": 10}})", upwards), "10,110,210");
  EXPECT_EQ(ids(R"({"n": {"$lt": 10}})", downwards), "909,809,709") << "equal ones come against the order of _id, too";
  EXPECT_TRUE(explains(R"({"n": {"$gte": 10}})", R"("documents_examined":3)", upwards));
  EXPECT_TRUE(explains(R"({})", R"("documents_examined":3)", downwards));
}

TEST_F(IndexTest, compound_and_descending_fields_bound_and_sort) {
  insert_numbered(700);
  articles().create_index(R"({"author": 1, "n": -1})");
  const FindOptions newest{.sort = R"({"n": -1})", .limit = 2};
  EXPECT_EQ(ids(R"({"author": "a3", "n": {"$lte": 50}})", newest), "150,549");
  EXPECT_TRUE(explains(R"({"author": "a3", "n": {"$lte": 50}})", R"("documents_examined":2)", newest));
  EXPECT_TRUE(explains(R"({"author": {"$in": ["a1", "a2"]}, "n": 5})", R"("ranges":2)"));
}

TEST_F(IndexTest, every_element_of_an_array_is_found_and_each_document_once) {
  articles().insert(R"({"_id": 1, "tags": ["a", "b"], "at": [{"x": 1, "y": 5}, {"x": 9, "y": 2}]})");
  articles().insert(R"({"_id": 2, "tags": "b"})");
  articles().insert(R"({"_id": 3, "tags": []})");
  articles().insert(R"({"_id": 4, "tags": [["a"], null]})");
  articles().create_index(R"({"tags": 1})");
  articles().create_index(R"({"at.x": 1, "at.y": 1})");
  EXPECT_EQ(ids(R"({"tags": "b"})"), "1,2");
  EXPECT_EQ(ids(R"({"tags": {"$gte": "a"}})"), "1,2");
  EXPECT_EQ(ids(R"({"tags": ["a"]})"), "4");
  EXPECT_EQ(ids(R"({"tags": []})"), "3");
  EXPECT_EQ(ids(R"({"tags": null})"), "4");
  EXPECT_EQ(ids(R"({"at.x": 1, "at.y": 2})"), "1") << "different elements may meet the conditions";
  EXPECT_TRUE(explains(R"({"tags": "b"})", R"("index":"tags_1")"));
}

TEST_F(IndexTest, entries_follow_updates_removals_and_replacements) {
  insert_numbered(100);
  articles().create_index(R"({"n": 1})");
  articles().update_many(R"({"n": {"$lt": 10}})", R"({"$inc": {"n": 1000}})");
  EXPECT_EQ(ids(R"({"n": 3})"), "");
  EXPECT_EQ(ids(R"({"n": 1003})"), "3");
  articles().put(R"({"_id": 3, "n": 7})");
  articles().remove(4);
  EXPECT_EQ(ids(R"({"n": {"$in": [7, 1003, 1004]}})"), "3");
  EXPECT_EQ(ids(R"({"n": {"$gt": 1000}})"), "1,2,5,6,7,8,9");
}

TEST_F(IndexTest, a_transaction_finds_its_own_writes_by_index_and_a_rollback_takes_them_back) {
  insert_numbered(10);
  articles().create_index(R"({"n": 1})");
  {
    Transaction tx = db->begin();
    tx.collection("articles").insert(R"({"_id": 100, "n": 5})");
    tx.collection("articles").remove(5);
    EXPECT_EQ(tx.collection("articles").count(R"({"n": 5})"), 1u);
    EXPECT_EQ(articles().count(R"({"n": 5})"), 1u);
    EXPECT_EQ(*tx.collection("articles").find_one(R"({"n": 5})"), R"({"_id":100,"n":5})");
  }
  EXPECT_EQ(ids(R"({"n": 5})"), "5");
}

TEST_F(IndexTest, unique_refuses_a_second_document_and_changes_nothing) {
  articles().create_index(R"({"email": 1})", {.unique = true, .sparse = true});
  articles().insert(R"({"_id": 1, "email": "ada@x"})");
  articles().insert(R"({"_id": 2})");
  articles().insert(R"({"_id": 3})");
  expect_error(ErrorCode::exists, [&] { articles().insert(R"({"_id": 4, "email": "ada@x"})"); }, "email_1", "ada@x");
  expect_error(ErrorCode::exists, [&] { articles().update_one(R"({"_id": 2})", R"({"$set": {"email": "ada@x"}})"); }, "email_1");
  EXPECT_EQ(articles().count(), 3u);
  articles().update_one(R"({"_id": 1})", R"({"$set": {"email": "lovelace@x"}})");
  articles().insert(R"({"_id": 4, "email": "ada@x"})");
  EXPECT_EQ(ids(R"({"email": "ada@x"})"), "4");
}

TEST_F(IndexTest, unique_holds_between_concurrent_transactions_at_both_isolation_levels) {
  for (const Isolation isolation : {Isolation::serializable, Isolation::snapshot}) {
    articles().drop();
    articles().create_index(R"({"email": 1})", {.unique = true});
    Transaction one = db->begin({.isolation = isolation});
    Transaction two = db->begin({.isolation = isolation});
    one.collection("articles").insert(R"({"_id": 1, "email": "ada@x"})");
    two.collection("articles").insert(R"({"_id": 2, "email": "ada@x"})");
    one.commit();
    expect_error(ErrorCode::conflict, [&] { two.commit(); });
    EXPECT_EQ(articles().count(), 1u);
  }
}

TEST_F(IndexTest, duplicates_make_a_unique_build_fail_and_nothing_of_it_stays) {
  insert_numbered(200);
  expect_error(ErrorCode::exists, [&] { articles().create_index(R"({"n": 1})", {.unique = true}); }, "n_1");
  EXPECT_EQ(articles().indexes().size(), 1u) << "that of _id";
  EXPECT_EQ(ids(R"({"n": 42})"), "42,142");
  EXPECT_EQ(articles().create_index(R"({"n": 1})"), "n_1") << "the name is free for one that is not unique";
  EXPECT_TRUE(articles().drop_index("n_1"));
  articles().remove_many(R"({"_id": {"$gte": 100}})");
  EXPECT_EQ(articles().create_index(R"({"n": 1})", {.unique = true}), "n_1") << "what is in the way is gone";
  EXPECT_TRUE(explains(R"({"n": 42})", R"("documents_examined":1)"));
  EXPECT_TRUE(articles().drop_index("n_1"));
  EXPECT_FALSE(articles().drop_index("n_1"));
}

TEST_F(IndexTest, a_star_drops_all_but_that_of_id) {
  insert_numbered(10);
  articles().create_index(R"({"n": 1})");
  articles().create_index(R"({"n": -1, "_id": 1})");
  EXPECT_TRUE(articles().drop_index("*"));
  EXPECT_EQ(articles().indexes().size(), 1u);
  EXPECT_FALSE(articles().drop_index("*"));
  EXPECT_EQ(ids(R"({"n": 4})"), "4");
}

TEST_F(IndexTest, sparse_and_partial_indexes_answer_only_what_they_hold_all_of) {
  for (int i = 0; i < 50; ++i)
    articles().insert("{\"_id\":" + std::to_string(i) + (i % 5 == 0 ? ",\"n\":" + std::to_string(i) : "") + ",\"k\":" + std::to_string(i) + "}");
  articles().create_index(R"({"n": 1})", {.sparse = true});
  articles().create_index(R"({"k": 1})", {.partial_filter = R"({"k": {"$gte": 40}})"});
  EXPECT_TRUE(explains(R"({"n": {"$gte": 40}})", R"("index":"n_1")"));
  EXPECT_TRUE(explains(R"({"n": null})", R"("plan":"documents")"));
  EXPECT_EQ(articles().count(R"({"n": null})"), 40u);
  EXPECT_TRUE(explains(R"({"k": {"$gt": 45}})", R"("index":"k_1")"));
  EXPECT_TRUE(explains(R"({"k": {"$gt": 35}})", R"("plan":"documents")"));
  EXPECT_EQ(articles().count(R"({"k": {"$gt": 35}})"), 14u);
}

TEST_F(IndexTest, or_joins_what_each_branch_finds) {
  insert_numbered(300);
  articles().create_index(R"({"n": 1})");
  articles().create_index(R"({"author": 1})");
  const std::string filter = R"({"$or": [{"n": 3}, {"author": "a3", "k": {"$exists": false}}]})";
  EXPECT_TRUE(explains(filter, R"("plan":"branches")"));
  EXPECT_EQ(articles().count(filter), 45u);
  EXPECT_TRUE(explains(R"({"$or": [{"n": 3}, {"other": 1}]})", R"("plan":"documents")"));
}

TEST_F(IndexTest, ids_and_ranges_of_ids_need_no_index) {
  insert_numbered(300);
  EXPECT_TRUE(explains(R"({"_id": {"$gte": 290}})", R"("documents_examined":10)"));
  EXPECT_TRUE(explains(R"({"_id": {"$in": [5, 7, 1000]}})", R"("documents_examined":2)"));
  EXPECT_EQ(ids(R"({"_id": {"$lt": 3}})", {.sort = R"({"_id": -1})"}), "2,1,0");
  EXPECT_EQ(ids(R"({"_id": {"$in": [5, 7, 1000]}})", {.sort = R"({"_id": -1})"}), "7,5");
}

TEST_F(IndexTest, the_planner_takes_the_index_that_examines_less) {
  insert_numbered(3000);
  articles().create_index(R"({"author": 1})");
  articles().create_index(R"({"n": 1})");
  EXPECT_TRUE(explains(R"({"author": "a1", "n": 5})", R"("index":"n_1")"));
  EXPECT_TRUE(explains(R"({"author": "a1", "n": {"$gte": 0}})", R"("index":"author_1")"));
  EXPECT_TRUE(explains(R"({"author": "a1", "n": 5})", R"("index":"author_1")", {.hint = "author_1"}));
  EXPECT_TRUE(explains(R"({"author": "a1", "n": 5})", R"("plan":"documents")", {.hint = "$natural"}));
  expect_error(ErrorCode::invalid, [&] { articles().find("{}", {.hint = "nothing_1"}); }, "nothing_1");
}

TEST_F(IndexTest, expired_documents_are_gone_at_once) {
  articles().create_index(R"({"at": 1})", {.expire_after_seconds = 3600});
  articles().insert(R"({"_id": 1, "at": {"$date": "2001-01-01T00:00:00Z"}})");
  articles().insert(R"({"_id": 2, "at": {"$date": "2999-01-01T00:00:00Z"}})");
  articles().insert(R"({"_id": 3, "at": "no date"})");
  EXPECT_EQ(ids("{}"), "2,3");
  EXPECT_FALSE(articles().get(1));
  EXPECT_EQ(articles().count(R"({"_id": 1})"), 0u);
  EXPECT_EQ(articles().remove_many(R"({"_id": 1})"), 0u);
  articles().insert(R"({"_id": 1, "n": 1})");
  EXPECT_EQ(ids("{}"), "1,2,3") << "its place is free";
}

TEST_F(IndexTest, building_beside_writers_misses_nobody) {
  insert_numbered(3000);
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) {
      articles().put("{\"_id\":" + std::to_string(3000 + i) + ",\"n\":7}");
      articles().update_one("{\"_id\":" + std::to_string(i * 37 % 3000) + "}", R"({"$set": {"n": 7}})");
      articles().remove(i * 53 % 3000);
    }
  });
  articles().create_index(R"({"n": 1})");
  stop = true;
  writer.join();
  const std::uint64_t by_scan = articles().find(R"({"n": 7})", {.hint = "$natural"}).all().size();
  EXPECT_EQ(articles().find(R"({"n": 7})", {.hint = "n_1"}).all().size(), by_scan);
  EXPECT_EQ(articles().find(R"({"n": {"$gte": 0}})", {.hint = "n_1"}).all().size(), articles().count());
}

TEST_F(IndexTest, a_build_that_was_killed_goes_on_after_reopening) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "ThreadSanitizer does not follow a child that starts threads";
#endif
  insert_numbered(5000);
  const std::uint64_t by_scan = articles().find(R"({"n": 7})").all().size();
  db->close();
  db.reset();
  int first_made[2];
  ASSERT_EQ(pipe(first_made), 0);
  const pid_t child = fork();
  if (child == 0) {
    Database own = Database::open(directory / "db");
    for (int i = 0;; ++i) {
      own.collection("articles").create_index("{\"n\": 1, \"k" + std::to_string(i) + "\": 1}");
      if (i == 0 && write(first_made[1], "1", 1) != 1) _exit(1);
    }
  }
  close(first_made[1]);
  char byte = 0;
  ASSERT_EQ(read(first_made[0], &byte, 1), 1);
  close(first_made[0]);
  std::this_thread::sleep_for(std::chrono::milliseconds(300 + std::random_device{}() % 300));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  open();
  const auto building = [&] {
    return std::ranges::any_of(articles().indexes(), [](const std::string& i) { return i.find("building") != std::string::npos; });
  };
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (building() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_FALSE(building());
  int made = 0;
  for (const std::string& index : articles().indexes()) {
    const std::size_t at = index.find(R"("name":")") + 8;
    EXPECT_EQ(articles().find(R"({"n": 7})", {.hint = index.substr(at, index.find('"', at) - at)}).all().size(), by_scan) << index;
    ++made;
  }
  EXPECT_GT(made, 0);
}

TEST_F(IndexTest, any_number_of_ids_is_looked_up) {
  insert_numbered(100);
  std::string filter = R"({"_id": {"$in": [0)";
  for (int i = 1; i < 3000; ++i) filter += "," + std::to_string(i);
  EXPECT_EQ(articles().count(filter + "]}}"), 100u);
}

TEST_F(IndexTest, a_partial_index_on_an_array_is_not_taken_for_its_elements) {
  articles().create_index(R"({"a": 1})", {.partial_filter = R"({"a": [1, 2]})"});
  articles().insert(R"({"_id": 1, "a": 1})");
  articles().insert(R"({"_id": 2, "a": [1, 2]})");
  EXPECT_EQ(ids(R"({"a": 1})"), "1,2");
}

TEST_F(IndexTest, arrays_on_the_way_are_sorted_as_without_an_index) {
  articles().insert(R"({"_id": 1, "a": [{"x": 5}, 7]})");
  articles().insert(R"({"_id": 2, "a": {"x": 1}})");
  const FindOptions first{.sort = R"({"a.x": 1})", .limit = 2};
  const std::string without = ids("{}", first);
  articles().create_index(R"({"a.x": 1})");
  EXPECT_EQ(ids("{}", first), without);
}

TEST_F(IndexTest, a_cursor_goes_on_when_its_transaction_removes_what_it_has_not_reached) {
  insert_numbered(500);
  articles().create_index(R"({"n": 1})");
  db->write([](Transaction& tx) {
    Documents found = tx.collection("articles").find(R"({"n": 42})");
    ASSERT_TRUE(found.next());
    tx.collection("articles").remove_many(R"({"n": 42})");
    while (found.next()) {
    }
  });
  EXPECT_EQ(ids(R"({"n": 42})"), "");
}

TEST_F(IndexTest, at_snapshot_isolation_no_index_is_made) {
  insert_numbered(10);
  Transaction tx = db->begin({.isolation = Isolation::snapshot});
  expect_error(ErrorCode::unsupported, [&] { tx.collection("articles").create_index(R"({"n": 1})"); }, "serializable");
}

TEST_F(IndexTest, in_a_transaction_an_index_comes_with_its_commit_or_not_at_all) {
  insert_numbered(100);
  {
    Transaction tx = db->begin();
    tx.collection("articles").create_index(R"({"n": 1})");
    tx.collection("articles").insert(R"({"_id": 1000, "n": 42})");
    EXPECT_EQ(tx.collection("articles").count(R"({"n": 42})"), 2u);
  }
  EXPECT_EQ(articles().count(), 100u);
  EXPECT_EQ(articles().indexes().size(), 1u) << "that of _id";
  db->write([](Transaction& tx) { tx.collection("articles").create_index(R"({"n": 1})"); });
  EXPECT_TRUE(explains(R"({"n": 42})", R"("documents_examined":1)"));
}

TEST_F(IndexTest, a_ttl_index_made_in_a_transaction_is_cleaned_up_after) {
  db->write([](Transaction& tx) {
    tx.collection("articles").create_index(R"({"at": 1})", {.expire_after_seconds = 0});
    tx.collection("articles").insert(R"({"_id": 1, "at": {"$date": "2001-01-01T00:00:00Z"}})");
  });
  EXPECT_EQ(articles().count(), 0u);
  const auto holds_entries = [&] { return articles().explain("{}", {.hint = "at_1"}).find(R"("keys_examined":0)") == std::string::npos; };
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (holds_entries() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(holds_entries()) << "the document is removed, not only hidden";
}

TEST_F(IndexTest, what_has_expired_holds_no_unique_value) {
  articles().create_index(R"({"email": 1})", {.unique = true});
  articles().insert(R"({"_id": 1, "email": "ada@x", "at": {"$date": "2001-01-01T00:00:00Z"}})");
  articles().create_index(R"({"at": 1})", {.expire_after_seconds = 3600});
  articles().insert(R"({"_id": 2, "email": "ada@x"})");
  EXPECT_EQ(ids(R"({"email": "ada@x"})"), "2");
  EXPECT_EQ(ids("{}"), "2");
}

TEST_F(IndexTest, an_array_and_its_first_element_are_one_value_each) {
  articles().create_index(R"({"a": 1, "a.0": 1})", {.unique = true});
  articles().insert(R"({"_id": 1, "a": [5]})");
  articles().insert(R"({"_id": 2, "a": [6, 5]})");
  expect_error(ErrorCode::exists, [&] { articles().insert(R"({"_id": 3, "a": [5, 5]})"); }, "a_1_a.0_1");
  EXPECT_EQ(ids(R"({"a": 5, "a.0": 6})"), "2");
  EXPECT_EQ(ids(R"({"a.0": 5})"), "1");
}

TEST_F(IndexTest, a_list_tells_sizes) {
  insert_numbered(1000);
  articles().create_index(R"({"n": 1})");
  const std::string told = articles().indexes().back();
  EXPECT_NE(told.find(R"("state":"ready")"), std::string::npos) << told;
  EXPECT_NE(told.find(R"("bytes":)"), std::string::npos) << told;
  EXPECT_EQ(told.find(R"("bytes":0,)"), std::string::npos) << told;
}

TEST_F(IndexTest, two_threads_may_close_at_once) {
  articles().create_index(R"({"at": 1})", {.expire_after_seconds = 3600});  // a maintenance thread runs
  std::vector<std::thread> closing;
  for (int i = 0; i < 4; ++i)
    closing.emplace_back([&] {
      try {
        db->close();
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::closed) << error.what();
      }
    });
  for (std::thread& thread : closing) thread.join();
  db.reset();
  open();
  EXPECT_EQ(articles().indexes().size(), 2u);
}

TEST_F(IndexTest, that_of_id_is_there_already_and_stays) {
  EXPECT_EQ(articles().create_index(R"({"_id": 1})"), "_id_");
  ASSERT_EQ(articles().indexes().size(), 1u);
  EXPECT_EQ(articles().indexes()[0], R"({"name":"_id_","keys":{"_id":1},"state":"ready"})");
  expect_error(ErrorCode::invalid, [&] { articles().create_index(R"({"_id": 1})", {.name = "mine"}); }, "_id_");
  expect_error(ErrorCode::invalid, [&] { articles().create_index(R"({"_id": 1})", {.sparse = true}); }, "_id");
  expect_error(ErrorCode::invalid, [&] { articles().drop_index("_id_"); }, "cannot be dropped");
}

TEST_F(IndexTest, a_sparse_index_finds_elements_that_lack_the_member) {
  articles().create_index(R"({"c.b": 1})", {.sparse = true});
  articles().insert(R"({"_id": 1, "c": [{"b": 1}, {}]})");
  EXPECT_EQ(ids(R"({"c.b": {"$exists": true, "$eq": null}})"), "1");
  EXPECT_EQ(ids(R"({"c.b": {"$all": [null, 1]}})"), "1");
  EXPECT_EQ(ids(R"({"c.b": {"$gte": 1, "$lte": null}})"), "1");
}

TEST_F(IndexTest, bad_definitions_are_refused_with_the_rule) {
  const auto refused = [&](std::string_view keys, const IndexOptions& options, std::string_view rule) {
    expect_error(ErrorCode::invalid, [&] { articles().create_index(keys, options); }, rule);
  };
  refused("{}", {}, "at least one path");
  refused(R"({"n": 2})", {}, "direction");
  expect_error(ErrorCode::unsupported, [&] { articles().create_index(R"({"n": "text"})"); }, "not offered");
  refused(R"({"a..b": 1})", {}, "empty step");
  refused(R"({"$n": 1})", {}, "begins with '$'");
  refused(R"({"a": 1, "b": 1})", {.expire_after_seconds = 5}, "one path");
  refused(R"({"a": 1})", {.expire_after_seconds = -5}, "0 to");
  refused(R"({"a": 1})", {.sparse = true, .partial_filter = "{}"}, "exclude each other");
  refused(R"({"a": 1})", {.partial_filter = R"({"a": {"$nonsense": 1}})"}, "$nonsense");
  refused(R"({"a": 1})", {.name = "_id_"}, "reserved");
  refused(R"({"a": 1})", {.name = "*"}, "reserved");
  EXPECT_TRUE(articles().indexes().empty());
  articles().create_index(R"({"a": 1})");
  expect_error(ErrorCode::exists, [&] { articles().create_index(R"({"a": 1})", {.name = "mine"}); }, "a_1");
  expect_error(ErrorCode::exists, [&] { articles().create_index(R"({"a": 1})", {.unique = true}); }, "a_1");
  EXPECT_EQ(articles().create_index(R"({"a": 1})"), "a_1") << "the same again is no error";
}

TEST_F(IndexTest, what_cannot_be_indexed_is_refused_and_not_stored) {
  articles().create_index(R"({"a": 1, "b": 1})");
  expect_error(ErrorCode::invalid, [&] { articles().insert(R"({"_id": 1, "a": [1], "b": [2]})"); }, "a_1_b_1", "arrays");
  articles().create_index(R"({"s": 1})");
  expect_error(ErrorCode::too_large, [&] { articles().insert("{\"_id\":2,\"s\":\"" + std::string(9000, 'x') + "\"}"); }, "s_1");
  EXPECT_EQ(articles().count(), 0u);
}

TEST_F(IndexTest, a_count_and_a_projection_of_what_an_index_holds_read_no_documents) {
  articles().create_index(R"({"n":1,"author":-1})");
  insert_numbered(300);
  EXPECT_EQ(articles().count(R"({"n":{"$lt":50},"author":{"$ne":"a3"}})"), 129u);
  const FindOptions authors{.projection = R"({"_id":0,"author":1})"};
  EXPECT_TRUE(explains(R"({"n":{"$lt":50},"author":"a3"})", R"("covered":true)", authors));
  EXPECT_TRUE(explains(R"({"n":{"$lt":50},"author":"a3"})", R"("documents_examined":0)", authors));
  EXPECT_EQ(articles().find(R"({"n":3})", authors).all(),
            (std::vector<std::string>{R"({"author":"a5"})", R"({"author":"a3"})", R"({"author":"a0"})"}));
  EXPECT_TRUE(explains(R"({"n":3})", R"("covered":false)", {.projection = R"({"author":1})"}));  // _id's spelling is not in it
  EXPECT_TRUE(explains(R"({"n":3,"x":{"$exists":false}})", R"("covered":false)", authors));
}

TEST_F(IndexTest, what_an_entry_does_not_hold_as_it_stands_is_read_from_the_document) {
  articles().create_index(R"({"a.b":1})");
  const std::vector<std::string> values{"1", "1.0", "null", "\"x\"", "-0", "true", "9007199254740993", R"("\u0041")", "1e3"};
  for (std::size_t i = 0; i < values.size(); ++i)
    articles().insert("{\"_id\":" + std::to_string(i) + ",\"a\":{\"z\":1,\"b\":" + values[i] + "}}");
  articles().insert(R"({"_id":100,"a":5})");
  const auto found = [&](const std::string& hint) {
    std::vector<std::string> all = articles().find(R"({"a.b":{"$in":[null,0,1,1000,9007199254740993,"x","A",true]}})",
                                                   {.projection = R"({"_id":0,"a.b":1})", .hint = hint}).all();
    std::ranges::sort(all);
    return all;
  };
  EXPECT_EQ(found("a.b_1"), found("$natural"));
  EXPECT_EQ(found("a.b_1").size(), values.size() + 1);
}

}  // namespace
}  // namespace stele
