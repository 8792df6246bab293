// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "backends/memory/open.h"
#include "tests/contract/key_value_contract.h"

namespace stele::storage {

INSTANTIATE_TEST_SUITE_P(Memory, KeyValueContract,
                         ::testing::Values(KeyValueBackend{"memory", memory::open_memory, /*on_disk=*/false}),
                         backend_name);

TEST(MemoryKeyValue, a_path_is_refused) {
  KeyValueOptions options;
  options.path = "/tmp/x";
  EXPECT_EQ(code_of([&] { memory::open_memory(options); }), ErrorCode::invalid);
}

TEST(MemoryKeyValue, erased_and_overwritten_versions_are_freed_once_no_snapshot_needs_them) {
  const auto store = memory::open_memory({});
  const std::uint64_t empty = store->figures().memory_bytes;
  auto snapshot = store->snapshot();
  for (int i = 0; i < 100; ++i) store->apply(one_put("k" + std::to_string(i % 10), std::string(1000, 'v')));
  Batch all;
  all.erase_range(Keyspace::documents, "a", "z");
  store->apply(all);
  EXPECT_GT(store->figures().memory_bytes, empty + 90'000);
  snapshot.reset();
  all.erase(Keyspace::documents, "other");
  store->apply(all);
  EXPECT_EQ(store->figures().memory_bytes, empty);
}

}  // namespace stele::storage
