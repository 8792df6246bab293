// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// SQL that asks for too much or is no text: a typed error in time, and the writer lock is free afterwards.
#include <gtest/gtest.h>
#include <stele/stele.h>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <chrono>
#include <thread>

namespace stele {
namespace {

using testing::expect_error;
using namespace std::chrono_literals;

class BadSql : public ::testing::Test {
 protected:
  BadSql() : db(Database::open(directory / "db")) {
    db.sql("CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT)");
    db.sql("INSERT INTO t VALUES(1, 'one'), (2, 'two')");
  }
  /// Another thread writes SQL at once, and nothing has changed before.
  void expect_untouched() {
    std::thread([&] {
      db.write({.deadline = 5s}, [](Transaction& tx) {
        EXPECT_EQ(tx.sql("SELECT count(*) FROM t").one<int>(), 2);
        tx.sql("INSERT INTO t VALUES(3, 'three')");
        tx.sql("DELETE FROM t WHERE a = 3");
      });
    }).join();
  }

  testing::TemporaryDirectory directory;
  Database db;
};

const std::string numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000) ";

TEST_F(BadSql, endless_work_ends_at_the_deadline_and_frees_the_writer_lock) {
  const std::vector<std::string> endless = {
      numbers + "SELECT count(*) FROM n a, n b, n c, n d",
      numbers + "INSERT INTO t SELECT (a.i * 5000 + b.i) * 5000 + c.i, 'x' FROM n a, n b, n c WHERE a.i > 10",
      numbers + "UPDATE t SET b = (SELECT count(*) FROM n a, n b, n c)",
      numbers + "DELETE FROM t WHERE a < (SELECT count(*) FROM n a, n b, n c)",
      "CREATE TABLE u AS " + numbers + "SELECT a.i FROM n a, n b, n c",
      numbers + "SELECT a.i FROM n a, n b, n c ORDER BY random()",
      numbers +
          "SELECT count(*) FROM n a, n b, n c WHERE 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' LIKE '%a%a%a%a%b' || a.i || "
          "b.i || c.i",
      numbers +
          "SELECT count(*) FROM n a, n b, n c WHERE 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' GLOB '*a*a*a*a*b' || a.i || "
          "b.i || c.i",
  };
  for (const std::string& sql : endless) {
    const auto begin = std::chrono::steady_clock::now();
    const Error error = expect_error(
        ErrorCode::interrupted,
        [&] { db.write({.deadline = 100ms}, [&](Transaction& tx) { tx.sql(sql).all<Value>(); }); }, "deadline");
    EXPECT_EQ(error.detail().at("reason"), "deadline");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 2s) << sql;
    expect_untouched();
  }
}

TEST_F(BadSql, a_pattern_is_bounded) {
  const std::string pattern(2000, '%');
  for (const std::string how : {"LIKE", "GLOB"})
    expect_error(
        ErrorCode::invalid, [&] { db.sql("SELECT 'x' " + how + " ?", pattern).all<int>(); }, "pattern too complex");
  expect_untouched();
}

TEST_F(BadSql, values_and_expressions_are_bounded) {
  expect_error(ErrorCode::too_large, [&] { db.sql("SELECT zeroblob(1000000000)").all<Value>(); });
  expect_error(ErrorCode::too_large, [&] { db.sql("INSERT INTO t VALUES(5, zeroblob(1000000000))"); });
  expect_error(ErrorCode::too_large, [&] { db.sql("INSERT INTO t VALUES(5, ?)", std::string((16 << 20) + 1, 'x')); });
  expect_error(
      ErrorCode::invalid, [&] { db.sql("SELECT " + std::string(500 << 10, '(') + "1" + std::string(500 << 10, ')')); },
      "stack overflow");
  expect_error(
      ErrorCode::too_large, [&] { db.sql("SELECT " + std::string(1 << 20, '(')); }, "1048576");
  std::string sum = "SELECT 1";
  for (int i = 0; i < 200; ++i) sum += "+1";
  expect_error(
      ErrorCode::invalid, [&] { db.sql(sum); }, "maximum depth 100");
  expect_untouched();
}

TEST_F(BadSql, parameters_are_bounded) {
  std::string list = "SELECT count(*) FROM t WHERE a IN (?";
  for (int i = 1; i < 32'766; ++i) list += ",?";
  const std::vector<Value> most(32'766, Value(1));
  EXPECT_EQ(db.run_sql(list + ")", most).one<int>(), 1);
  const std::vector<Value> more(32'767, Value(1));
  expect_error(
      ErrorCode::invalid, [&] { db.run_sql(list + ",?)", more); }, "too many SQL variables");
  expect_error(
      ErrorCode::invalid, [&] { db.sql("SELECT ?32767", 1); }, "32766");
  expect_untouched();
}

TEST_F(BadSql, text_that_is_no_text_is_refused_where_it_is_code_and_kept_where_it_is_data) {
  using namespace std::string_view_literals;
  const Error nul = expect_error(
      ErrorCode::invalid, [&] { db.sql("SELECT 'a\0b'"sv); }, "NUL", "bind");
  EXPECT_EQ(nul.detail().at("offset"), "9");
  for (const auto bad : {"SELECT '\xff'"sv, "SELECT '\xc0\xaf'"sv, "SELECT '\xed\xa0\x80'"sv, "\xfe"sv})
    expect_error(
        ErrorCode::invalid, [&] { db.sql(bad); }, "UTF-8");
  EXPECT_EQ(db.sql("SELECT ?", std::string("a\0b", 3)).one<std::string>(), std::string("a\0b", 3));
  EXPECT_EQ(db.sql("SELECT ?", Blob{std::byte{0xff}, std::byte{0}}).one<Blob>().size(), 2u);
  expect_untouched();
}

TEST_F(BadSql, deadlines_of_any_size_are_understood) {
  for (const auto deadline : {std::chrono::milliseconds::max(), std::chrono::milliseconds(1LL << 60)})
    EXPECT_EQ(db.read({.deadline = deadline}, [](const Snapshot& at) { return at.sql("SELECT 1").one<int>(); }), 1);
  for (const auto deadline : {0ms, -5ms, std::chrono::milliseconds::min()})
    expect_error(
        ErrorCode::interrupted,
        [&] { db.read({.deadline = deadline}, [](const Snapshot& at) { at.sql("SELECT 1").all<int>(); }); },
        "deadline");
}

}  // namespace
}  // namespace stele
