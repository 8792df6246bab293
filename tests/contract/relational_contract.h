// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The promises of engine/storage/relational.h as a suite for any backend:
//
//   INSTANTIATE_TEST_SUITE_P(Mine, RelationalContract, ::testing::Values(RelationalBackend{"mine", open_mine}));
#pragma once

#include "engine/storage/relational.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace stele::storage {

struct RelationalBackend {
  std::string name;
  std::function<std::unique_ptr<RelationalStore>(const RelationalOptions&)> open;
};
inline void PrintTo(const RelationalBackend& backend, std::ostream* out) { *out << backend.name; }

/// A store in a fresh directory, and few verbs.
class RelationalContract : public ::testing::TestWithParam<RelationalBackend> {
 protected:
  RelationalContract();
  ~RelationalContract() override;

  std::string path() const { return directory_ + "/relational.db"; }
  void open(const RelationalOptions& changes = {});
  void close() { store_.reset(); }
  void reopen(const RelationalOptions& changes = {});
  Connection& writer() { return store_->writer(); }

  /// Runs a caller's statement to its end.
  void run(Connection& connection, std::string_view sql, const std::vector<Value>& values = {});
  /// The same in a write transaction of its own.
  void write(std::string_view sql, const std::vector<Value>& values = {});
  /// All rows as text: columns by '|', rows by '\n'; NULL is "null".
  std::string rows(Connection& connection, std::string_view sql, const std::vector<Value>& values = {});
  StatementFacts facts(std::string_view sql);
  /// The error of a caller's statement, prepared and run on the writer.
  Error failure(std::string_view sql, const std::vector<Value>& values = {});

  std::string directory_;
  std::unique_ptr<RelationalStore> store_;
};

/// The error that `act` throws; a failed test when it throws none.
Error error_of(const std::function<void()>& act);

}  // namespace stele::storage
