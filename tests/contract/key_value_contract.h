// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The contract suite of key-value backends. To run it over a backend of your own, compile
// key_value_contract.cpp with your test and add:
//
//   INSTANTIATE_TEST_SUITE_P(Mine, KeyValueContract, ::testing::Values(KeyValueBackend{"mine", open_mine, true}),
//                            backend_name);
#pragma once

#include "engine/storage/key_value.h"
#include "engine/storage/registry.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace stele::storage {

struct KeyValueBackend {
  std::string name;
  OpenKeyValue open;
  bool on_disk = true;  // it wants a directory, and finds there what it left

  friend void PrintTo(const KeyValueBackend& backend, std::ostream* out) { *out << backend.name; }
};

/// A fixture with few verbs; keys and values go to the keyspace `documents` unless told.
class KeyValueContract : public ::testing::TestWithParam<KeyValueBackend> {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// Opens the store of this test; `options` has everything set but path and create.
  void open(KeyValueOptions options = {});
  void reopen() { open(last_options_); }
  KeyValueStore& store() { return *store_; }

  void put(const std::string& key, const std::string& value, Keyspace keyspace = Keyspace::documents);
  void erase(const std::string& key);
  std::string get(const std::string& key, const KeyValueSnapshot* at = nullptr);  // "(absent)" when it is
  /// "a=1 b=2": the entries of a range, walked forwards; backwards() walks the other way.
  std::string entries(KeyRange range = {}, const KeyValueSnapshot* at = nullptr);
  std::string backwards(KeyRange range = {}, const KeyValueSnapshot* at = nullptr);

  std::string directory_;
  KeyValueOptions last_options_;
  std::unique_ptr<KeyValueStore> store_;
};

std::string backend_name(const ::testing::TestParamInfo<KeyValueBackend>& info);

/// The code of the Error that `call` throws; nothing when it returns.
template <class Call>
std::optional<ErrorCode> code_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return std::nullopt;
}

/// Batch of one put.
Batch one_put(const std::string& key, const std::string& value, Keyspace keyspace = Keyspace::documents);

/// A directory that goes away with it.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace stele::storage
