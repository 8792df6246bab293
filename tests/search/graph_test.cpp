// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Indexes so large that a graph is walked: built, searched, filtered, worn and remade, saved and read again.
#include "tests/search/graph_fixture.h"

#include <chrono>
#include <fstream>
#include <thread>

namespace stele::testing {
namespace {

namespace fs = std::filesystem;

constexpr int count = 16'000;

TEST_F(GraphTest, walks_finds_filters_and_is_read_again) {
  load(count);
  EXPECT_GT(recall(), 0.9);
  EXPECT_EQ(last_strategy, "graph");
  EXPECT_EQ(recall({.filter = R"({"group": 7})"}), 1) << "so few are all compared with";
  EXPECT_GT(recall({.filter = R"({"group": {"$gte": 50}})"}), 0.9);
  EXPECT_GT(recall({.recall = 0.95}), 0.88) << "of so few queries";
  EXPECT_EQ(recall({.recall = 1}), 1);
  const Vector query = random_vector(random, dimensions);
  const auto before = things().nearest("v", query);
  reopen();
  EXPECT_EQ(ids(things().nearest("v", query, {.exact = true})).empty(), false) << "at once, whatever was read so far";
  ASSERT_TRUE(things().wait_applied("v"));
  EXPECT_EQ(ids(things().nearest("v", query)), ids(before));
  EXPECT_NE(state().find("\"ready\""), std::string::npos) << state();
  EXPECT_EQ(state().find("rebuilt"), std::string::npos) << state();
}

TEST_F(GraphTest, damaged_files_are_made_anew) {
  constexpr int loaded = 2200;  // a graph has 2,000 at least
  load(loaded);
  db->close();
  const std::string rows = file_with(".rows"), floats = file_with(".f32"), graph = file_with(".graph");
  const auto damage = [&](const std::string& path, int how) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const auto size = static_cast<std::streamoff>(fs::file_size(path));
    // The file of vectors has room for later rows behind those that it holds.
    const auto used = path == floats ? std::streamoff{loaded * dimensions * 4} : size;
    if (how == 0) return fs::resize_file(path, static_cast<std::uintmax_t>(used / 2));
    if (how == 1) return fs::resize_file(path, 0);
    const auto at = static_cast<std::streamoff>(random() % static_cast<unsigned>(used));
    file.seekg(at);
    const char byte = static_cast<char>(file.get() ^ (1 << random() % 8));
    file.seekp(at);
    file.put(byte);
  };
  int round = 0;
  for (const std::string* which : {&rows, &floats, &graph})
    for (int how = 0; how < 4; ++how, ++round) {
      const fs::path kept = directory / ("kept" + std::to_string(round));
      fs::copy(directory / "db", kept, fs::copy_options::recursive);
      damage(*which, how);
      open();
      ASSERT_TRUE(things().wait_applied("v"));
      EXPECT_GT(recall({}, 5), 0.9) << *which << " " << how;
      EXPECT_NE(state().find("rebuilt_because"), std::string::npos) << *which << " " << how;
      db.reset();
      fs::remove_all(directory / "db");
      fs::rename(kept, directory / "db");
    }
  fs::remove(rows);
  open();
  EXPECT_GT(recall({}, 5), 0.9);
}

TEST_F(GraphTest, a_file_of_an_earlier_moment_is_brought_up_to_date) {
  load(4000);
  reopen();
  ASSERT_TRUE(things().wait_applied("v"));
  for (int id = 0; id < 50; ++id) things().set_vector("v", id, Vector(dimensions, 20.0f + static_cast<float>(id)));
  things().remove(100);
  things().insert("{\"_id\":\"late\",\"v\":" + json_of(Vector(dimensions, 19.5f)) + "}");
  // As a crash would leave it: the files are those of the first close.
  fs::copy(directory / "db", directory / "crashed", fs::copy_options::recursive);
  db.emplace(Database::open(directory / "crashed"));
  ASSERT_TRUE(things().wait_applied("v"));
  EXPECT_EQ(ids(things().nearest("v", Vector(dimensions, 19.0f), {.k = 3})), "late 0 1");
  EXPECT_EQ(things().vector("v", 100), std::nullopt);
  EXPECT_GT(recall({}, 5), 0.9);
  EXPECT_EQ(state().find("rebuilt_because"), std::string::npos) << state();
}

TEST_F(GraphTest, delete_all_then_insert_and_ten_thousand_equal_vectors) {
  load(3000);
  things().remove_many("{}");
  EXPECT_EQ(nearest(Vector(dimensions, 0)), "");
  db->write([&](Transaction& tx) {
    for (int id = 0; id < 10'000; ++id) {
      tx.collection("things").insert("{\"_id\":" + std::to_string(id) + "}");
      tx.collection("things").set_vector("v", id, Vector(dimensions, 0.25f));
    }
  });
  ASSERT_TRUE(things().wait_applied("v"));
  const auto found = things().nearest("v", Vector(dimensions, 0.25f), {.k = 1000});
  EXPECT_EQ(found.hits.size(), 1000u);
  EXPECT_TRUE(found.complete);
  EXPECT_EQ(found.hits.back().distance, 0);
}

TEST_F(GraphTest, is_remade_when_worn_while_it_answers) {
  load(4000);
  for (int id = 0; id < 2000; id += 100) {
    things().remove_many("{\"_id\":{\"$gte\":" + std::to_string(id) + ",\"$lt\":" + std::to_string(id + 100) + "}}");
    EXPECT_GT(recall({}, 1), 0.5);
  }
  ASSERT_TRUE(things().wait_applied("v"));
  // The thread may be late to find it worn.
  for (int i = 0; i < 3000 && state().find("\"rebuilds\":0") != std::string::npos; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(state().find("\"rebuilds\":0"), std::string::npos) << state();
  EXPECT_GT(recall(), 0.9);
}

}  // namespace
}  // namespace stele::testing
