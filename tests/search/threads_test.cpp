// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Readers beside writers, deletions, remaking, saving and dropping; for ThreadSanitizer, too.
#include "tests/search/graph_fixture.h"
#include "tests/support/hnsw_locks.h"

#include <atomic>
#include <thread>

namespace stele::testing {
namespace {

using GraphThreadsTest = GraphTest;

TEST_F(GraphThreadsTest, searches_beside_writers_and_drops_are_right) {
  load(3000);
  std::atomic<bool> stop{false};
  std::atomic<int> searches{0};
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 2; ++reader)
    readers.emplace_back([&, reader] {
      std::mt19937 own(static_cast<unsigned>(reader));
      while (!stop) {
        // The two halves of a pair are always written together.
        const Snapshot at = db->snapshot();
        const auto collection = at.collection("things");
        const auto one = collection.vector("v", "pair-a"), other = collection.vector("v", "pair-b");
        ASSERT_EQ(one, other);
        if (!one) continue;
        const auto found = collection.nearest("v", *one, {.k = 2, .exact = searches % 2 == 0});
        ASSERT_EQ(found.hits.size(), 2u);
        ASSERT_EQ(found.hits[0].distance, 0);
        ASSERT_EQ(found.hits[1].distance, 0);
        ++searches;
      }
    });
  for (int i = 0; i < 300; ++i)
    db->write({.durability = Durability::relaxed}, [&](Transaction& tx) {
      const Vector vector = random_vector(random, dimensions);
      for (const char* half : {"pair-a", "pair-b"}) {
        tx.collection("things").put(std::string("{\"_id\":\"") + half + "\"}");
        tx.collection("things").set_vector("v", half, vector);
      }
      if (i % 3 == 0) tx.collection("things").remove(i);
    });
  while (searches < 50) std::this_thread::yield();
  stop = true;
  for (std::thread& reader : readers) reader.join();
  std::thread dropping([&] { things().drop_vector_index("v"); });
  try {
    for (;;) things().nearest("v", Vector(dimensions, 1));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_found) << error.message();
  }
  dropping.join();
}

}  // namespace
}  // namespace stele::testing
