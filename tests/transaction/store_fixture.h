// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/transaction/store.h"
#include "tests/transaction/directory.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::transaction {

/// A store over the real backends, with a table t(k, v) of keys 1..4, all 0.
class StoreTest : public ::testing::Test {
 protected:
  using Tx = std::shared_ptr<Transaction>;

  void SetUp() override {
    open();
    sql("CREATE TABLE t(k INTEGER PRIMARY KEY, v INTEGER)");
    sql("CREATE TABLE other(k INTEGER PRIMARY KEY, v INTEGER CHECK(v >= 0))");
    sql("INSERT INTO t VALUES(1, 0), (2, 0), (3, 0), (4, 0)");
  }

  void open() { store_ = Store::open(directory_.path() + "/store", options_, tuning_); }
  void reopen() {
    store_->close();
    store_.reset();
    open();
  }

  Tx begin(Isolation isolation = Isolation::serializable) {
    WriteOptions options;
    options.isolation = isolation;
    return store_->begin(options);
  }
  Tx begin_writing_sql() {
    WriteOptions options;
    options.writes_sql = true;
    return store_->begin(options);
  }

  // In a transaction.
  static std::shared_ptr<SqlCursor> run(const Tx& tx, std::string_view statement) {
    return tx->statement([&] { return tx->sql(statement, Parameters{}); });
  }
  static std::int64_t row(const Tx& tx, int k) {
    const auto cursor = run(tx, "SELECT v FROM t WHERE k = " + std::to_string(k));
    return cursor->next() ? cursor->integer(0) : -1;
  }
  static void set_row(const Tx& tx, int k, int v) {
    run(tx, "UPDATE t SET v = " + std::to_string(v) + " WHERE k = " + std::to_string(k));
  }
  static std::string get(const Tx& tx, std::string_view key, Record record = Record::plain) {
    return tx->statement([&] {
      std::string value;
      return tx->get(Keyspace::documents, key, value, record) ? value : std::string("-");
    });
  }
  static void put(const Tx& tx, std::string_view key, std::string_view value) {
    tx->statement([&] { tx->writes().put(Keyspace::documents, key, value); });
  }
  static std::string scan(const Tx& tx, const std::string& from, const std::string& to) {
    return tx->statement([&] {
      std::string keys;
      for (auto scan = tx->scan(Keyspace::documents, {from, to}); scan->next();) keys += std::string(scan->key()) + " ";
      return keys;
    });
  }

  // Transactions of their own.
  void sql(std::string_view statement) { store_->sql(statement, Parameters{}); }
  std::int64_t count(std::string_view query) {
    const auto cursor = store_->sql(query, Parameters{});
    return cursor->next() ? cursor->integer(0) : -1;
  }
  std::string get(std::string_view key) {
    std::string value;
    return store_->latest()->get(Keyspace::documents, key, value) ? value : "-";
  }
  void put(std::string_view key, std::string_view value) {
    const Tx tx = begin();
    put(tx, key, value);
    tx->commit();
  }
  void write(const std::function<void(const Tx&)>& body) {
    std::atomic<int> lock_first{0};
    store_->write({}, lock_first, body);
  }

  /// The code that `body` throws; empty: none.
  template <class Body>
  static std::optional<ErrorCode> thrown(Body&& body) {
    try {
      body();
      return std::nullopt;
    } catch (const Error& error) {
      return error.code();
    }
  }

  TemporaryDirectory directory_;
  Options options_;
  Tuning tuning_;
  std::shared_ptr<Store> store_;
};

}  // namespace stele::transaction
