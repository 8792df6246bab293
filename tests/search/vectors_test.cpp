// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Vectors through the public face, on indexes so small that every search is exact: what is found when, and what is
// refused. That graphs find the same: graph_test.cpp and model_test.cpp.
#include "tests/search/vectors_fixture.h"
#include "tests/support/expect_error.h"

#include <cmath>
#include <limits>

namespace stele::testing {
namespace {

TEST_F(VectorsTest, a_vector_comes_with_its_document_and_goes_with_it) {
  things().insert(R"({"_id": "a", "v": [0, 0, 0, 1]})");
  things().insert(R"({"_id": "b", "v": [0, 0, 1, 0]})");
  things().insert(R"({"_id": "none"})");
  EXPECT_EQ(nearest({0, 0, 0, 1}), "a b");
  EXPECT_EQ(things().get("a"), R"({"_id":"a","v":[0,0,0,1]})");
  things().remove("a");
  EXPECT_EQ(nearest({0, 0, 0, 1}), "b");
}

TEST_F(VectorsTest, set_vector_keeps_it_beside_the_document_until_that_is_removed) {
  things().insert(R"({"_id": "a", "n": 1})");
  things().set_vector("v", "a", Vector{1, 2, 3, 4});
  EXPECT_EQ(things().get("a"), R"({"_id":"a","n":1})");
  things().update_one(R"({"_id": "a"})", R"({"$set": {"n": 2}})");
  things().put(R"({"_id": "a", "n": 3})");
  EXPECT_EQ(things().vector("v", "a"), (Vector{1, 2, 3, 4}));
  things().remove("a");
  things().insert(R"({"_id": "a"})");
  EXPECT_EQ(things().vector("v", "a"), std::nullopt);
  EXPECT_EQ(nearest({1, 2, 3, 4}), "");
}

TEST_F(VectorsTest, the_document_s_array_and_its_vector_are_always_the_same) {
  things().insert(R"({"_id": "a", "v": [1, 0, 0, 0]})");
  things().update_one(R"({"_id": "a"})", R"({"$set": {"v": [0.5, 0, 0, 0]}})");
  EXPECT_EQ(things().vector("v", "a"), (Vector{0.5, 0, 0, 0}));
  things().set_vector("v", "a", Vector{0.1f, 0, 0, -3});
  EXPECT_EQ(things().get("a"), R"({"_id":"a","v":[0.1,0,0,-3]})");
  EXPECT_EQ(things().vector("v", "a"), (Vector{0.1f, 0, 0, -3}));
  expect_error(
      ErrorCode::invalid, [&] { things().remove_vector("v", "a"); }, "stands in the document");
  things().update_one(R"({"_id": "a"})", R"({"$unset": {"v": ""}})");
  EXPECT_EQ(things().vector("v", "a"), std::nullopt);
}

TEST_F(VectorsTest, an_index_made_later_holds_what_the_documents_had) {
  db->write([](Transaction& tx) {
    for (int i = 0; i < 1200; ++i)
      tx.collection("old").insert("{\"_id\":" + std::to_string(i) + ",\"meta\":{\"e\":[" + std::to_string(i) + ",1]}}");
  });
  Collection old = db->collection("old");
  old.create_vector_index("meta.e", {.dimensions = 2, .metric = Metric::l2});
  EXPECT_EQ(ids(old.nearest("meta.e", Vector{600, 1}, {.k = 3})), "600 599 601");
  expect_error(
      ErrorCode::exists, [&] { old.create_vector_index("meta.e", {.dimensions = 3}); }, "other options");
  EXPECT_TRUE(old.drop_vector_index("meta.e"));
  EXPECT_FALSE(old.drop_vector_index("meta.e"));
  expect_error(
      ErrorCode::not_found,
      [&] {
        old.nearest("meta.e", Vector{1, 1});
      },
      "no vector index");
  EXPECT_EQ(old.count(), 1200u);
}

TEST_F(VectorsTest, an_index_over_documents_that_have_something_else_there_is_not_made) {
  db->collection("old").insert(R"({"_id": "x", "e": [1, 2, 3]})");
  db->collection("old").insert(R"({"_id": "y", "e": "text"})");
  expect_error(
      ErrorCode::invalid, [&] { db->collection("old").create_vector_index("e", {.dimensions = 3}); }, "\"y\"");
  EXPECT_TRUE(db->collection("old").vector_indexes().empty());
}

TEST_F(VectorsTest, a_transaction_finds_its_own_vectors_and_nobody_else_does) {
  things().insert(R"({"_id": "a", "v": [1, 0, 0, 0]})");
  things().insert(R"({"_id": "b", "v": [2, 0, 0, 0]})");
  Transaction tx = db->begin();
  tx.collection("things").insert(R"({"_id": "c", "v": [1.5, 0, 0, 0]})");
  tx.collection("things").remove("a");
  EXPECT_EQ(ids(tx.collection("things").nearest("v", Vector{1, 0, 0, 0})), "c b");
  EXPECT_EQ(nearest({1, 0, 0, 0}), "a b");
  tx.savepoint("s");
  tx.collection("things").remove("b");
  EXPECT_EQ(ids(tx.collection("things").nearest("v", Vector{1, 0, 0, 0})), "c");
  tx.rollback_to("s");
  EXPECT_EQ(ids(tx.collection("things").nearest("v", Vector{1, 0, 0, 0})), "c b");
  tx.rollback();
  EXPECT_EQ(nearest({1, 0, 0, 0}), "a b");
}

TEST_F(VectorsTest, a_snapshot_goes_on_finding_what_it_saw) {
  things().insert(R"({"_id": "a", "v": [1, 0, 0, 0]})");
  const Snapshot before = db->snapshot();
  things().insert(R"({"_id": "b", "v": [1, 0, 0, 0]})");
  things().update_one(R"({"_id": "a"})", R"({"$set": {"v": [9, 9, 9, 9]}})");
  const auto seen = before.collection("things").nearest("v", Vector{1, 0, 0, 0});
  ASSERT_EQ(ids(seen), "a");
  EXPECT_EQ(seen.hits[0].distance, 0);
  EXPECT_EQ(nearest({1, 0, 0, 0}), "b a");
  things().drop_vector_index("v");
  EXPECT_EQ(ids(before.collection("things").nearest("v", Vector{1, 0, 0, 0})), "a");
}

TEST_F(VectorsTest, rows_documents_and_vectors_are_one_transaction) {
  db->sql("CREATE TABLE t(n INTEGER)");
  EXPECT_THROW(db->write([](Transaction& tx) {
    tx.sql("INSERT INTO t VALUES(1)");
    tx.collection("things").insert(R"({"_id": "a", "v": [1, 0, 0, 0]})");
    throw std::runtime_error("no");
  }),
               std::runtime_error);
  EXPECT_EQ(nearest({1, 0, 0, 0}), "");
  db->write([](Transaction& tx) {
    tx.sql("INSERT INTO t VALUES(1)");
    tx.collection("things").insert(R"({"_id": "a", "v": [1, 0, 0, 0]})");
  });
  EXPECT_EQ(nearest({1, 0, 0, 0}), "a");
  reopen();
  EXPECT_EQ(nearest({1, 0, 0, 0}), "a");
}

TEST_F(VectorsTest, a_filter_is_that_of_a_find) {
  for (int i = 0; i < 20; ++i)
    things().insert("{\"_id\":" + std::to_string(i) + ",\"n\":" + std::to_string(i % 3) + ",\"v\":[" +
                    std::to_string(i) + ",0,0,0]}");
  EXPECT_EQ(nearest({0, 0, 0, 0}, {.k = 3, .filter = R"({"n": 2})"}), "2 5 8");
  things().create_index(R"({"n": 1})");
  EXPECT_EQ(nearest({0, 0, 0, 0}, {.k = 3, .filter = R"({"n": 2})"}), "2 5 8");
  const auto none = things().nearest("v", Vector{0, 0, 0, 0}, {.filter = R"({"n": 7})"});
  EXPECT_TRUE(none.hits.empty());
  EXPECT_TRUE(none.complete);
  Transaction tx = db->begin();
  tx.collection("things").insert(R"({"_id": "own", "n": 2, "v": [0, 0, 0, 0]})");
  tx.collection("things").insert(R"({"_id": "other", "n": 1, "v": [0, 0, 0, 0]})");
  EXPECT_EQ(ids(tx.collection("things").nearest("v", Vector{0, 0, 0, 0}, {.k = 2, .filter = R"({"n": 2})"})), "own 2");
  expect_error(ErrorCode::unsupported, [&] { nearest({0, 0, 0, 0}, {.filter = R"({"n": {"$near": 1}})"}); });
}

TEST_F(VectorsTest, searches_by_document_and_in_batches) {
  for (int i = 0; i < 5; ++i)
    things().insert("{\"_id\":" + std::to_string(i) + ",\"v\":[" + std::to_string(i * i) + ",0,0,0]}");
  things().insert(R"({"_id": "bare"})");
  EXPECT_EQ(ids(things().nearest_to("v", 2, {.k = 2})), "1 0");
  expect_error(
      ErrorCode::not_found, [&] { things().nearest_to("v", "bare"); }, "has no vector");
  const std::vector<Vector> queries = {{0, 0, 0, 0}, {16, 0, 0, 0}};
  const auto found = things().nearest_batch("v", queries, {.k = 1});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(ids(found[0]) + " " + ids(found[1]), "0 4");
}

TEST_F(VectorsTest, expired_documents_are_not_found) {
  things().create_index(R"({"at": 1})", {.expire_after_seconds = 0});
  things().insert(R"({"_id": "gone", "at": {"$date": "2020-01-01T00:00:00Z"}, "v": [1, 0, 0, 0]})");
  things().insert(R"({"_id": "here", "v": [9, 0, 0, 0]})");
  EXPECT_EQ(nearest({1, 0, 0, 0}, {.k = 1}), "here");
}

TEST_F(VectorsTest, a_serializable_search_conflicts_with_a_vector_written_meanwhile) {
  things().insert(R"({"_id": "a", "v": [1, 0, 0, 0]})");
  Transaction tx = db->begin();
  tx.collection("things").nearest("v", Vector{1, 0, 0, 0});
  tx.collection("results").insert(R"({"_id": 1})");
  things().insert(R"({"_id": "b", "v": [1, 0, 0, 0]})");
  expect_error(ErrorCode::conflict, [&] { tx.commit(); });
}

TEST_F(VectorsTest, bad_vectors_are_refused_and_change_nothing) {
  const auto refused = [&](std::string_view document, std::string_view part) {
    expect_error(
        ErrorCode::invalid, [&] { things().insert(document); }, part);
  };
  refused(R"({"_id": "a", "v": [1, 2, 3]})", "3 numbers, but the index has 4");
  refused(R"({"_id": "a", "v": [1, 2, 3, 4, 5]})", "5 numbers");
  refused(R"({"_id": "a", "v": []})", "0 numbers");
  refused(R"({"_id": "a", "v": [1, 2, 3, "4"]})", "element 3 is no number");
  refused(R"({"_id": "a", "v": {"x": 1}})", "it is no array");
  refused(R"({"_id": "a", "v": [1, 2, 3, 1e39]})", "NaN or infinite");
  refused(R"({"_id": "a", "v": [1, 2, 3, 1e30]})", "overflows");
  things().insert(R"({"_id": "a", "v": null})");
  const float nan = std::nanf(""), infinity = std::numeric_limits<float>::infinity();
  expect_error(
      ErrorCode::invalid,
      [&] {
        things().set_vector("v", "a", Vector{1, nan, 3, 4});
      },
      "NaN");
  expect_error(
      ErrorCode::invalid,
      [&] {
        things().nearest("v", Vector{1, infinity, 3, 4});
      },
      "infinite");
  expect_error(
      ErrorCode::invalid, [&] { things().nearest("v", Vector{1}); }, "1 numbers");
  expect_error(
      ErrorCode::not_found,
      [&] {
        things().set_vector("v", "x", Vector{1, 2, 3, 4});
      },
      "no document");
  expect_error(
      ErrorCode::not_found,
      [&] {
        things().set_vector("w", "a", Vector{1, 2, 3, 4});
      },
      "no vector index");
  EXPECT_EQ(nearest({1, 0, 0, 0}), "");
}

TEST_F(VectorsTest, options_out_of_bounds_are_refused) {
  const auto refused = [&](const VectorIndexOptions& options, std::string_view part) {
    expect_error(
        ErrorCode::invalid, [&] { things().create_vector_index("other", options); }, part);
  };
  refused({.dimensions = 0}, "dimensions is 0");
  refused({.dimensions = 16'385}, "dimensions");
  refused({.dimensions = 4, .m = 3}, "m is 3");
  refused({.dimensions = 4, .m = 65}, "m is 65");
  refused({.dimensions = 4, .ef_construction = 7}, "ef_construction");
  for (const char* path : {"", "_id", ".a", "a..b", "$a", "a.$"})
    expect_error(
        ErrorCode::invalid, [&] { things().create_vector_index(path, {.dimensions = 4}); }, "path");
  things().insert(R"({"_id": "a", "v": [1, 0, 0, 0]})");
  expect_error(
      ErrorCode::invalid,
      [&] {
        nearest({1, 0, 0, 0}, {.k = 0});
      },
      "k is 0");
  expect_error(
      ErrorCode::invalid,
      [&] {
        nearest({1, 0, 0, 0}, {.k = 10'001});
      },
      "k is 10001");
  EXPECT_EQ(nearest({1, 0, 0, 0}, {.k = 10'000, .ef = 1}), "a");
}

TEST_F(VectorsTest, a_zero_vector_has_no_direction) {
  db->collection("c").create_vector_index("v", {.dimensions = 2});
  db->collection("c").insert(R"({"_id": 1, "v": [3, 4]})");
  expect_error(
      ErrorCode::invalid, [&] { db->collection("c").insert(R"({"_id": 2, "v": [0, 0]})"); }, "no direction");
  expect_error(
      ErrorCode::invalid,
      [&] {
        db->collection("c").nearest("v", Vector{0, 0});
      },
      "no direction");
  EXPECT_EQ(db->collection("c").vector("v", 1), (Vector{3, 4}));
  EXPECT_NEAR(db->collection("c").nearest("v", Vector{6, 8}).hits.at(0).distance, 0, 1e-6);
}

TEST_F(VectorsTest, several_indexes_of_a_collection_do_not_mix) {
  things().create_vector_index("w", {.dimensions = 1, .metric = Metric::ip});
  things().insert(R"({"_id": "a", "v": [1, 0, 0, 0], "w": [-5]})");
  things().insert(R"({"_id": "b", "w": [5]})");
  EXPECT_EQ(nearest({0, 0, 0, 0}), "a");
  EXPECT_EQ(ids(things().nearest("w", Vector{1})), "b a");
  things().drop();
  things().insert(R"({"_id": "a", "v": "free again"})");
  EXPECT_TRUE(things().vector_indexes().empty());
}

}  // namespace
}  // namespace stele::testing
