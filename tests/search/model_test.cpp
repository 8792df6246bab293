// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Thousands of random operations beside a model that is a plain map: documents come, change and go with their vectors,
// in transactions of which some are rolled back, while snapshots are held and the database is opened again. At every
// moment an exact search finds what the model says, and the graph's nearly all of it and nothing else.
#include "tests/search/vectors_fixture.h"
#include "tests/support/sanitized.h"

#include <algorithm>
#include <map>

namespace stele::testing {
namespace {

struct Thing {
  int group = 0;
  Vector vector;  // empty: none
};
using Model = std::map<int, Thing>;

struct Held {
  Snapshot snapshot;
  Model model;
};

class VectorsModelTest : public VectorsTest {
 protected:
  static constexpr std::size_t dimensions = 12;
  static constexpr int ids_max = 4000;

  void SetUp() override {
    open();
    things().create_index(R"({"group": 1})");
    things().create_vector_index("v", {.dimensions = dimensions, .metric = Metric::l2, .m = 12, .ef_construction = 60});
  }

  int any(int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); }

  void change(Collection collection, Model& now) {
    const int id = any(ids_max);
    const auto there = now.find(id);
    const std::string as_json = std::to_string(id);
    switch (any(6)) {
      case 0:
      case 1: {  // with its vector inside
        Thing thing{any(40), random_vector(random, dimensions)};
        for (float& x : thing.vector) x = std::stof(std::to_string(x));
        collection.put("{\"_id\":" + as_json + ",\"group\":" + std::to_string(thing.group) +
                       ",\"v\":" + json_of(thing.vector) + "}");
        now[id] = std::move(thing);
        break;
      }
      case 2:
        if (there == now.end()) break;
        there->second.vector = random_vector(random, dimensions);
        collection.set_vector("v", id, there->second.vector);
        break;
      case 3:
        EXPECT_EQ(collection.remove(id), there != now.end());
        if (there != now.end()) now.erase(there);
        break;
      case 4:
        if (there == now.end()) break;
        there->second.group = any(40);
        collection.update_one("{\"_id\":" + as_json + "}",
                              "{\"$set\":{\"group\":" + std::to_string(there->second.group) + "}}");
        break;
      default:
        collection.update_one("{\"_id\":" + as_json + "}", R"({"$unset":{"v":1}})");
        // Only a vector inside the document goes so; which kind it was, the database is asked.
        if (there != now.end() && !collection.vector("v", id)) there->second.vector.clear();
    }
  }

  static float distance(const Vector& a, const Vector& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += double(a[i] - b[i]) * double(a[i] - b[i]);
    return static_cast<float>(sum);
  }

  void compare(const CollectionReader& collection, const Model& model) {
    const Vector query = random_vector(random, dimensions);
    const int group = any(60);  // from 40 on: no filter
    std::vector<std::pair<float, int>> expected;
    for (const auto& [id, thing] : model)
      if (!thing.vector.empty() && (group >= 40 || thing.group == group))
        expected.emplace_back(distance(query, thing.vector), id);
    std::ranges::sort(expected);
    NearestOptions options{.k = static_cast<std::size_t>(1 + any(20))};
    if (group < 40) options.filter = "{\"group\":" + std::to_string(group) + "}";
    const std::size_t count = std::min(options.k, expected.size());

    options.exact = true;
    const Neighbours exact = collection.nearest("v", query, options);
    ASSERT_EQ(exact.hits.size(), count);
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(exact.hits[i].id.json(), std::to_string(expected[i].second));
      ASSERT_NEAR(exact.hits[i].distance, expected[i].first, 1e-3);
    }
    options.exact = false;
    const Neighbours found = collection.nearest("v", query, options);
    ASSERT_TRUE(found.complete);
    ASSERT_EQ(found.hits.size(), count);
    for (const auto& hit : found.hits) {
      const int id = std::stoi(hit.id.json());
      ASSERT_TRUE(model.contains(id));
      ASSERT_NEAR(hit.distance, distance(query, model.at(id).vector), 1e-3);
      reached += hit.distance <= expected[count - 1].first + 1e-4;
    }
    wanted += count;
  }

  void transaction(Model& now) {
    Model changed = now;
    Transaction tx = db->begin();
    for (int i = 1 + any(12); i > 0; --i) change(tx.collection("things"), changed);
    if (any(4) == 0) compare(tx.collection("things"), changed);
    if (any(5) == 0) return tx.rollback();
    tx.commit();
    now = std::move(changed);
  }

  std::mt19937 random{static_cast<unsigned>(testing::test_seed())};
  std::size_t wanted = 0, reached = 0;
};

TEST_F(VectorsModelTest, every_moment_finds_its_own) {
  Model now;
  db->write([&](Transaction& tx) {
    for (int id = 0; id < ids_max; id += 1 + any(2)) {
      Thing thing{any(40), random_vector(random, dimensions)};
      tx.collection("things").insert("{\"_id\":" + std::to_string(id) + ",\"group\":" + std::to_string(thing.group) +
                                     "}");
      tx.collection("things").set_vector("v", id, thing.vector);
      now[id] = std::move(thing);
    }
  });
  std::vector<Held> held;
  for (int round = 0; round < (sanitized ? 200 : 600) && !HasFatalFailure(); ++round) {
    transaction(now);
    if (any(20) == 0 && held.size() < 4) held.push_back({db->snapshot(), now});
    if (any(4) == 0) compare(things(), now);
    if (!held.empty() && any(6) == 0) {
      const Held& one = held[static_cast<std::size_t>(any(static_cast<int>(held.size())))];
      compare(one.snapshot.collection("things"), one.model);
    }
    if (any(60) == 0 && !held.empty()) held.erase(held.begin());
    if (any(200) == 0 || round == 300) {
      held.clear();
      reopen();
      compare(things(), now);
    }
    if (any(100) == 0) things().wait_applied("v");
  }
  ASSERT_TRUE(things().wait_applied("v"));
  for (int i = 0; i < 50; ++i) compare(things(), now);
  EXPECT_GT(double(reached) / double(wanted), 0.97) << reached << " of " << wanted;
  std::cout << "recall " << double(reached) / double(wanted) << ", " << things().vector_indexes().at(0) << "\n";
}

}  // namespace
}  // namespace stele::testing
