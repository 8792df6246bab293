// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A backend written outside backends/: it forwards to another and counts. What it takes to add one:
// derive from KeyValueStore, register an opening function by name, name it in Options::key_value.
#include "backends/memory/open.h"
#include "tests/contract/key_value_contract.h"

namespace stele::storage {

namespace {

std::atomic<int> gets{0}, applies{0};

class CountingStore final : public KeyValueStore {
 public:
  explicit CountingStore(std::unique_ptr<KeyValueStore> inner) : inner_(std::move(inner)) {}

  Capabilities capabilities() const override { return inner_->capabilities(); }
  std::unique_ptr<KeyValueSnapshot> snapshot() override { return inner_->snapshot(); }
  bool get(Keyspace keyspace, std::string_view key, const KeyValueSnapshot* at, std::string& value) override {
    ++gets;
    return inner_->get(keyspace, key, at, value);
  }
  std::unique_ptr<Cursor> scan(Keyspace keyspace, KeyRange range, const KeyValueSnapshot* at) override {
    return inner_->scan(keyspace, std::move(range), at);
  }
  void apply(const Batch& batch) override {
    ++applies;
    inner_->apply(batch);
  }
  bool needs_room(std::size_t batch_bytes) const override { return inner_->needs_room(batch_bytes); }
  void make_room() override { inner_->make_room(); }
  void flush_log() override { inner_->flush_log(); }
  void sync_log() override { inner_->sync_log(); }
  Pressure pressure() const override { return inner_->pressure(); }
  KeyValueFigures figures() const override { return inner_->figures(); }
  std::uint64_t approximate_bytes(Keyspace keyspace, const KeyRange& range) const override {
    return inner_->approximate_bytes(keyspace, range);
  }
  void flush() override { inner_->flush(); }
  void verify(const Interrupt& interrupt) override { inner_->verify(interrupt); }

 private:
  std::unique_ptr<KeyValueStore> inner_;
};

const bool registered = [] {
  registry().add_key_value("counting", [](const KeyValueOptions& options) {
    return std::make_unique<CountingStore>(memory::open_memory(options));
  });
  return true;
}();

std::unique_ptr<KeyValueStore> open_by_name(const KeyValueOptions& options) {
  return registry().key_value("counting")(options);
}

INSTANTIATE_TEST_SUITE_P(Outside, KeyValueContract,
                         ::testing::Values(KeyValueBackend{"counting", open_by_name, /*on_disk=*/false}), backend_name);

TEST(OutsideBackend, is_found_by_its_name_and_sees_every_call) {
  ASSERT_TRUE(registered);
  const auto store = open_by_name({});
  const int gets_before = gets, applies_before = applies;
  store->apply(one_put("a", "1"));
  std::string value;
  EXPECT_TRUE(store->get(Keyspace::documents, "a", nullptr, value));
  EXPECT_EQ(gets, gets_before + 1);
  EXPECT_EQ(applies, applies_before + 1);
}

TEST(OutsideBackend, an_unknown_name_is_refused_with_the_known_ones) {
  try {
    registry().key_value("countign");
    FAIL() << "an unknown backend was found";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid);
    EXPECT_NE(error.message().find("counting"), std::string::npos) << error.message();
  }
}

}  // namespace

}  // namespace stele::storage
