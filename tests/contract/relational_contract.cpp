// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/contract/relational_contract.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

namespace stele::storage {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RelationalContract);

using Names = std::vector<std::string>;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

RelationalContract::RelationalContract() {
  std::string name = (std::filesystem::temp_directory_path() / "relational-XXXXXX").string();
  directory_ = ::mkdtemp(name.data());
  open({.path = {}, .create = true});
  store_->create({"0192f0c4-0000-7000-8000-000000000001", 1});
}

RelationalContract::~RelationalContract() {
  close();
  std::filesystem::remove_all(directory_);
}

void RelationalContract::open(const RelationalOptions& changes) {
  RelationalOptions options = changes;
  options.path = path();
  store_ = GetParam().open(options);
}

void RelationalContract::reopen(const RelationalOptions& changes) {
  close();
  open(changes);
}

void RelationalContract::run(Connection& connection, std::string_view sql, const std::vector<Value>& values) {
  auto statement = connection.prepare(sql, Author::caller);
  statement->bind(values);
  while (statement->step()) continue;
}

void RelationalContract::write(std::string_view sql, const std::vector<Value>& values) {
  writer().begin_write(0);
  try {
    run(writer(), sql, values);
    writer().commit();
  } catch (...) {
    writer().rollback();
    throw;
  }
}

std::string RelationalContract::rows(Connection& connection, std::string_view sql, const std::vector<Value>& values) {
  std::string out;
  auto statement = connection.prepare(sql, Author::caller);
  statement->bind(values);
  while (statement->step()) {
    if (!out.empty()) out += '\n';
    for (int column = 0; column < statement->column_count(); ++column) {
      if (column > 0) out += '|';
      out += statement->column_type(column) == ColumnType::null ? "null" : statement->text(column);
    }
  }
  return out;
}

StatementFacts RelationalContract::facts(std::string_view sql) {
  return writer().prepare(sql, Author::caller)->facts();
}

Error RelationalContract::failure(std::string_view sql, const std::vector<Value>& values) {
  return error_of([&] { run(writer(), sql, values); });
}

Error error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return Error(ErrorCode::closed, "no error was thrown");
}

// Values and statements

TEST_P(RelationalContract, values_of_every_class_round_trip) {
  write("CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
  const Blob blob{std::byte{0}, std::byte{255}};
  const std::string text("a\0b", 3);
  write("INSERT INTO t VALUES(1, ?), (2, ?), (3, ?), (4, ?), (5, ?), (6, ?)",
        {nullptr, INT64_MIN, 0.1, text, blob, Blob{}});
  auto statement = writer().prepare("SELECT v FROM t ORDER BY id", Author::caller);
  ASSERT_TRUE(statement->step());
  EXPECT_EQ(statement->column_type(0), ColumnType::null);
  ASSERT_TRUE(statement->step());
  EXPECT_EQ(statement->integer(0), INT64_MIN);
  ASSERT_TRUE(statement->step());
  EXPECT_EQ(statement->real(0), 0.1);
  ASSERT_TRUE(statement->step());
  EXPECT_EQ(statement->text(0), text);
  ASSERT_TRUE(statement->step());
  EXPECT_TRUE(std::ranges::equal(statement->blob(0), blob));
  ASSERT_TRUE(statement->step());
  EXPECT_EQ(statement->column_type(0), ColumnType::blob);
  EXPECT_FALSE(statement->step());
  EXPECT_FALSE(statement->step()) << "a finished run does not start again";
  EXPECT_EQ(statement->column_names()->at(0), "v");
}

TEST_P(RelationalContract, parameters_must_fit_exactly) {
  auto statement = writer().prepare("SELECT :a, @b", Author::caller);
  EXPECT_EQ(error_of([&] { statement->step(); }).code(), ErrorCode::invalid);
  const std::vector<Value> one{1}, three{1, 2, 3};
  EXPECT_EQ(error_of([&] { statement->bind(one); }).code(), ErrorCode::invalid);
  EXPECT_EQ(error_of([&] { statement->bind(three); }).code(), ErrorCode::invalid);
  const std::vector<NamedValue> missing{{"a", 1}}, unknown{{"a", 1}, {"b", 2}, {"c", 3}}, good{{":a", 1}, {"b", 2}};
  EXPECT_NE(error_of([&] { statement->bind(missing); }).message().find("@b"), std::string::npos);
  EXPECT_NE(error_of([&] { statement->bind(unknown); }).message().find("\"c\""), std::string::npos);
  EXPECT_EQ(error_of([&] { statement->step(); }).code(), ErrorCode::invalid) << "a failed bind binds nothing";
  statement->bind(good);
  ASSERT_TRUE(statement->step());
  EXPECT_EQ(statement->integer(1), 2);
}

TEST_P(RelationalContract, one_text_used_twice_at_once_gives_two_runs) {
  const std::string_view sql = "SELECT 1 UNION ALL SELECT 2";
  auto first = writer().prepare(sql, Author::caller);
  ASSERT_TRUE(first->step());
  auto second = writer().prepare(sql, Author::caller);
  ASSERT_TRUE(second->step());
  ASSERT_TRUE(first->step());
  EXPECT_EQ(first->integer(0), 2);
  EXPECT_EQ(second->integer(0), 1);
}

TEST_P(RelationalContract, changes_count_rows_of_the_last_finished_statement) {
  write("CREATE TABLE t(id INTEGER PRIMARY KEY)");
  writer().begin_write(0);
  run(writer(), "INSERT INTO t VALUES(7), (8)");
  EXPECT_EQ(writer().changes(), 2);
  EXPECT_EQ(writer().last_insert_rowid(), 8);
  run(writer(), "SELECT 1");
  EXPECT_EQ(writer().changes(), 0);
  {
    auto returning = writer().prepare("DELETE FROM t RETURNING id", Author::caller);
    ASSERT_TRUE(returning->step());
  }
  EXPECT_EQ(writer().changes(), 2) << "left after its first row, it has still run";
  writer().rollback();
}

// Facts

TEST_P(RelationalContract, facts_look_through_views_triggers_and_foreign_keys) {
  write("CREATE TABLE Parent(id INTEGER PRIMARY KEY)");
  write("CREATE TABLE child(p REFERENCES parent(id) ON DELETE CASCADE)");
  write("CREATE TABLE log(x)");
  write("CREATE VIEW v AS SELECT id FROM parent");
  write("CREATE TRIGGER note AFTER DELETE ON child BEGIN INSERT INTO log VALUES(old.p); END");
  EXPECT_EQ(facts("SELECT * FROM v").tables_read, Names{"parent"});
  EXPECT_EQ(facts("SELECT count(*) FROM PARENT").tables_read, Names{"parent"});
  EXPECT_FALSE(facts("SELECT * FROM v").writes);
  const StatementFacts erase = facts("DELETE FROM parent");
  EXPECT_EQ(erase.tables_written, (Names{"parent", "child", "log"}));
  EXPECT_TRUE(erase.writes);
  EXPECT_FALSE(erase.changes_schema);
  EXPECT_TRUE(erase.may_fail_midway);
  EXPECT_EQ(facts("INSERT INTO child VALUES(1)").tables_read, Names{"parent"}) << "the parent row is looked up";
  EXPECT_FALSE(facts("INSERT INTO log VALUES(1)").may_fail_midway);
  EXPECT_TRUE(facts("INSERT OR FAIL INTO log VALUES(1)").may_fail_midway);
  EXPECT_TRUE(facts("CREATE INDEX i ON log(x)").changes_schema);
  EXPECT_FALSE(facts("EXPLAIN DELETE FROM parent").writes);
}

TEST_P(RelationalContract, facts_follow_definitions_changed_by_this_connection_and_others) {
  write("CREATE TABLE a(x)");
  write("CREATE TABLE b(x)");
  write("CREATE VIEW v AS SELECT x FROM a");
  auto reader = store_->reader();
  const auto read = [&] {
    reader->begin_read();
    Names tables = reader->prepare("SELECT * FROM v", Author::caller)->facts().tables_read;
    reader->rollback();
    return tables;
  };
  EXPECT_EQ(read(), Names{"a"});
  writer().begin_write(0);
  EXPECT_EQ(facts("SELECT * FROM v").tables_read, Names{"a"});
  run(writer(), "DROP VIEW v");
  run(writer(), "CREATE VIEW v AS SELECT x FROM b");
  EXPECT_EQ(facts("SELECT * FROM v").tables_read, Names{"b"});
  EXPECT_EQ(read(), Names{"a"}) << "not committed yet";
  writer().rollback();
  EXPECT_EQ(facts("SELECT * FROM v").tables_read, Names{"a"});
  write("DROP VIEW v");
  write("CREATE VIEW v AS SELECT x FROM b");
  EXPECT_EQ(read(), Names{"b"});
}

// Transactions

TEST_P(RelationalContract, a_read_is_pinned_when_it_begins) {
  write("CREATE TABLE t(x)");
  auto reader = store_->reader();
  reader->begin_read();
  write("INSERT INTO t VALUES(1)");
  EXPECT_EQ(rows(*reader, "SELECT count(*) FROM t"), "0");
  reader->rollback();
  reader->begin_read();
  EXPECT_EQ(rows(*reader, "SELECT count(*) FROM t"), "1");
}

TEST_P(RelationalContract, a_reader_cannot_write_and_its_refusal_changes_nothing) {
  write("CREATE TABLE t(x)");
  auto reader = store_->reader();
  reader->begin_read();
  EXPECT_EQ(error_of([&] { run(*reader, "INSERT INTO t VALUES(1)"); }).code(), ErrorCode::readonly);
  EXPECT_EQ(error_of([&] { run(*reader, "PRAGMA user_version = 3"); }).code(), ErrorCode::readonly);
  EXPECT_EQ(rows(*reader, "SELECT count(*) FROM t"), "0");
}

TEST_P(RelationalContract, rows_end_with_their_transaction) {
  writer().begin_read();
  auto statement = writer().prepare("SELECT 1 UNION ALL SELECT 2", Author::caller);
  ASSERT_TRUE(statement->step());
  writer().rollback();
  EXPECT_EQ(error_of([&] { statement->step(); }).code(), ErrorCode::closed);
}

TEST_P(RelationalContract, savepoints_undo_data_and_definitions) {
  write("CREATE TABLE t(x)");
  writer().begin_write(0);
  run(writer(), "INSERT INTO t VALUES(1)");
  writer().savepoint("a \"b\"");
  run(writer(), "INSERT INTO t VALUES(2)");
  run(writer(), "CREATE TABLE u(x)");
  writer().rollback_to("a \"b\"");
  writer().release("a \"b\"");
  writer().commit();
  EXPECT_EQ(rows(writer(), "SELECT x FROM t"), "1");
  EXPECT_EQ(failure("SELECT * FROM u").code(), ErrorCode::invalid);
}

TEST_P(RelationalContract, a_caller_cannot_write_outside_a_transaction) {
  write("CREATE TABLE t(x)");
  EXPECT_EQ(failure("INSERT INTO t VALUES(1)").code(), ErrorCode::aborted);
  EXPECT_EQ(rows(writer(), "SELECT count(*) FROM t"), "0");
}

TEST_P(RelationalContract, a_transaction_that_the_engine_ended_is_seen_and_cannot_commit) {
  write("CREATE TABLE t(x UNIQUE ON CONFLICT ROLLBACK)");
  write("CREATE TABLE u(x)");
  write("CREATE TRIGGER no BEFORE INSERT ON u BEGIN SELECT RAISE(ROLLBACK, 'no more'); END");
  write("INSERT INTO t VALUES(1)");
  for (std::string_view sql : {"INSERT INTO t VALUES(1)", "INSERT INTO u VALUES(1)"}) {
    writer().begin_write(0);
    run(writer(), "INSERT INTO t VALUES(2)");
    EXPECT_EQ(failure(sql).code(), ErrorCode::constraint);
    EXPECT_FALSE(writer().in_transaction());
    EXPECT_EQ(error_of([&] { writer().commit(); }).code(), ErrorCode::aborted);
    EXPECT_EQ(failure("INSERT INTO t VALUES(3)").code(), ErrorCode::aborted) << "it would commit alone";
  }
  EXPECT_EQ(rows(writer(), "SELECT x FROM t"), "1");
}

TEST_P(RelationalContract, a_failed_commit_leaves_the_transaction_to_be_rolled_back) {
  write("CREATE TABLE p(id INTEGER PRIMARY KEY)");
  write("CREATE TABLE c(p REFERENCES p(id) DEFERRABLE INITIALLY DEFERRED)");
  writer().begin_write(0);
  run(writer(), "INSERT INTO c VALUES(9)");
  const Error error = error_of([&] { writer().commit(); });
  EXPECT_EQ(error.code(), ErrorCode::constraint);
  EXPECT_EQ(error.detail().at("constraint"), "foreign_key");
  EXPECT_TRUE(writer().in_transaction());
  writer().rollback();
  EXPECT_EQ(rows(writer(), "SELECT count(*) FROM c"), "0");
}

TEST_P(RelationalContract, data_version_tells_foreign_commits_and_nothing_else) {
  write("CREATE TABLE t(x)");
  const std::uint64_t before = writer().data_version();
  write("INSERT INTO t VALUES(1)");
  store_->checkpoint();
  write("INSERT INTO t VALUES(2)");  // starts the log anew
  store_->truncate_log();
  store_->compact();
  writer().begin_write(0);
  run(writer(), "INSERT INTO t SELECT zeroblob(4000) FROM pragma_function_list, pragma_function_list LIMIT 20000");
  writer().rollback();
  EXPECT_EQ(writer().data_version(), before);
  auto other = store_->extra_connection();
  other->begin_write(0);
  run(*other, "INSERT INTO t VALUES(3)");
  other->commit();
  EXPECT_NE(writer().data_version(), before);
}

// Interrupts

TEST_P(RelationalContract, a_deadline_ends_endless_statements_and_frees_the_write_lock) {
  write("CREATE TABLE t(x)");
  const std::string endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) ";
  const Interrupt deadline(steady_clock::now() + milliseconds(50));
  writer().set_interrupt(&deadline);
  const Error reading = failure(endless + "SELECT count(*) FROM n");
  EXPECT_EQ(reading.code(), ErrorCode::interrupted);
  EXPECT_EQ(reading.detail().at("reason"), "deadline");
  writer().begin_write(0);
  EXPECT_EQ(failure(endless + "INSERT INTO t SELECT i FROM n").code(), ErrorCode::interrupted);
  EXPECT_FALSE(writer().in_transaction());
  writer().rollback();
  writer().set_interrupt(nullptr);
  auto other = store_->extra_connection();
  other->begin_write(0);
  EXPECT_EQ(rows(*other, "SELECT count(*) FROM t"), "0");
}

TEST_P(RelationalContract, what_is_raised_during_commit_or_rollback_stops_neither) {
  write("CREATE TABLE t(x)");
  const Interrupt raised{steady_clock::now()};
  // SQLite polls every so many steps, counted over executions of the same statement.
  for (int i = 0; i < 2000; ++i) {
    writer().begin_write(0);
    run(writer(), "INSERT INTO t VALUES(1)");
    writer().set_interrupt(&raised);
    i % 2 ? writer().rollback() : writer().commit();
    EXPECT_FALSE(writer().in_transaction());
    writer().set_interrupt(nullptr);
  }
  EXPECT_EQ(rows(writer(), "SELECT count(*) FROM t"), "1000");
}

TEST_P(RelationalContract, cancel_from_another_thread_is_told_as_such) {
  std::stop_source stop;
  const Interrupt interrupt(steady_clock::time_point::max(), stop.get_token());
  writer().set_interrupt(&interrupt);
  std::thread canceller([&] {
    std::this_thread::sleep_for(milliseconds(30));
    stop.request_stop();
  });
  const Error error = failure("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n");
  canceller.join();
  writer().set_interrupt(nullptr);
  EXPECT_EQ(error.detail().at("reason"), "cancel");
}

TEST_P(RelationalContract, begin_write_waits_for_another_holder_as_long_as_told) {
  auto other = store_->extra_connection();
  other->begin_write(0);
  const auto start = steady_clock::now();
  EXPECT_EQ(error_of([&] { writer().begin_write(80); }).code(), ErrorCode::busy);
  EXPECT_GE(steady_clock::now() - start, milliseconds(75));
  const Interrupt deadline(steady_clock::now() + milliseconds(20));
  writer().set_interrupt(&deadline);
  EXPECT_EQ(error_of([&] { writer().begin_write(60'000); }).code(), ErrorCode::interrupted);
  writer().set_interrupt(nullptr);
  other->rollback();
  writer().begin_write(0);
}

// Bad input

TEST_P(RelationalContract, sql_text_that_is_no_single_statement_is_refused) {
  using namespace std::string_view_literals;
  for (std::string_view sql : {""sv, " ; -- nothing"sv, "SELECT 1; SELECT 2"sv, "SELECT 1\0"sv, "SELECT '\xff'"sv,
                               "SELECT * FROM nowhere"sv, "SELEC 1"sv, "SELECT \"text\""sv})
    EXPECT_EQ(failure(sql).code(), ErrorCode::invalid) << sql;
  EXPECT_EQ(failure("SELECT 1 + FROM t").detail().at("offset"), "11");
  EXPECT_EQ(rows(writer(), "SELECT 1; -- the end\n /* really */ ;"), "1");
}

TEST_P(RelationalContract, input_beyond_the_limits_is_refused_and_the_connection_stays_usable) {
  EXPECT_EQ(failure("SELECT zeroblob(1000000000)").code(), ErrorCode::too_large);
  EXPECT_EQ(failure("SELECT length(?)", {std::string((16 << 20) + 1, 'x')}).code(), ErrorCode::too_large);
  EXPECT_EQ(failure("SELECT '" + std::string(1 << 20, 'x') + "'").code(), ErrorCode::too_large);
  EXPECT_EQ(failure("SELECT " + std::string(500'000, '(') + "1" + std::string(500'000, ')')).code(),
            ErrorCode::invalid);
  EXPECT_EQ(failure("SELECT ?32767").code(), ErrorCode::invalid);
  EXPECT_EQ(failure("SELECT ?", {std::string("\xC0\x80")}).code(), ErrorCode::invalid) << "overlong";
  EXPECT_EQ(failure("SELECT ?", {std::string("\xED\xA0\x80")}).code(), ErrorCode::invalid) << "surrogate";
  EXPECT_EQ(rows(writer(), "SELECT length(?)", {std::string("\xF0\x9F\xAA\xA8")}), "1");
}

TEST_P(RelationalContract, statements_that_belong_to_the_store_are_refused_with_a_cure) {
  write("CREATE TABLE t(x)");
  for (std::string_view sql : {"BEGIN",
                               "COMMIT",
                               "END",
                               "/* c */ ROLLBACK",
                               "\xEF\xBB\xBF"
                               "BEGIN",
                               "EXPLAIN COMMIT",
                               "SAVEPOINT s",
                               "RELEASE s",
                               "ATTACH 'x.db' AS x",
                               "DETACH main",
                               "VACUUM",
                               "VACUUM INTO 'x.db'",
                               "CREATE TEMP TABLE q(x)",
                               "CREATE TABLE temp.q(x)",
                               "CREATE TEMP VIEW q AS SELECT 1",
                               "SELECT load_extension('x')",
                               "PRAGMA journal_mode = OFF",
                               "PRAGMA writable_schema = 1",
                               "PRAGMA synchronous = OFF",
                               "PRAGMA wal_checkpoint",
                               "PRAGMA foreign_keys = OFF"}) {
    writer().begin_write(0);
    const Error error = failure(sql);
    EXPECT_EQ(error.code(), ErrorCode::unsupported) << sql << ": " << error.what();
    EXPECT_EQ(error.message().find("not authorized"), std::string::npos) << error.what();
    EXPECT_TRUE(writer().in_transaction()) << sql;
    writer().rollback();
  }
}

TEST_P(RelationalContract, the_stores_own_tables_are_out_of_reach) {
  write("CREATE TABLE t(x)");
  for (std::string_view sql :
       {"SELECT * FROM _stele_meta", "SELECT count(*) FROM _STELE_outbox", "DELETE FROM _stele_outbox",
        "INSERT INTO _stele_meta VALUES(1, 2)", "CREATE TABLE _stele_mine(x)", "DROP TABLE _stele_meta",
        "CREATE VIEW _stele_v AS SELECT 1", "CREATE INDEX _stele_i ON t(x)", "CREATE INDEX i ON _stele_outbox(gseq)",
        "CREATE TRIGGER g AFTER INSERT ON _stele_outbox BEGIN SELECT 1; END", "ALTER TABLE t RENAME TO _stele_t",
        "ALTER TABLE _stele_meta RENAME TO m"}) {
    writer().begin_write(0);
    const Error error = failure(sql);
    EXPECT_EQ(error.code(), ErrorCode::invalid) << sql << ": " << error.what();
    EXPECT_EQ(error.detail().count("reason"), 1u) << sql << ": " << error.what();
    writer().rollback();
  }
  EXPECT_EQ(error_of([&] { write("DELETE FROM sqlite_schema"); }).code(), ErrorCode::invalid);
  EXPECT_EQ(error_of([&] { write("UPDATE sqlite_master SET sql = ''"); }).code(), ErrorCode::invalid);
  write("CREATE TRIGGER sly AFTER INSERT ON t BEGIN DELETE FROM _stele_outbox; END");
  EXPECT_EQ(error_of([&] { write("INSERT INTO t VALUES(1)"); }).code(), ErrorCode::invalid);
}

TEST_P(RelationalContract, tables_and_columns_are_renamed_and_dropped_with_what_stands_on_them) {
  write("CREATE TABLE t(a INTEGER PRIMARY KEY, b, c, my_stele_d DEFAULT 'x')");
  write("CREATE INDEX of_b ON t(b)");
  write("CREATE VIEW v AS SELECT b FROM t");
  write("INSERT INTO t(a, b, c) VALUES(1, 'kept', 3)");
  const auto rename_all = [&] {
    run(writer(), "ALTER TABLE t RENAME TO u");
    run(writer(), "ALTER TABLE u RENAME COLUMN b TO d");
    run(writer(), "ALTER TABLE u DROP COLUMN c");
    run(writer(), "ALTER TABLE u ADD COLUMN also_stele_x DEFAULT 'of _stele_'");
  };
  writer().begin_write(0);
  rename_all();
  writer().rollback();
  EXPECT_EQ(rows(writer(), "SELECT b, c FROM t"), "kept|3");
  writer().begin_write(0);
  rename_all();
  writer().commit();
  EXPECT_EQ(rows(writer(), "SELECT d, also_stele_x FROM u INDEXED BY of_b WHERE d = 'kept'"), "kept|of _stele_");
  EXPECT_EQ(rows(writer(), "SELECT * FROM v"), "kept");
  EXPECT_EQ(store_->verify(), std::vector<std::string>());
}

TEST_P(RelationalContract, what_changes_no_rows_reports_none) {
  write("CREATE TABLE t(x)");
  write("CREATE INDEX i ON t(x)");
  for (const char* sql : {"DROP TABLE IF EXISTS absent", "CREATE INDEX IF NOT EXISTS i ON t(x)", "PRAGMA user_version = 5"}) {
    write("INSERT INTO t VALUES(1), (2)");
    EXPECT_EQ(writer().changes(), 2);
    write(sql);
    EXPECT_EQ(writer().changes(), 0) << sql;
  }
}

TEST_P(RelationalContract, reading_the_schema_is_allowed) {
  write("CREATE TABLE t(x INTEGER, y)");
  EXPECT_EQ(rows(writer(), "SELECT name FROM pragma_table_info('t')"), "x\ny");
  EXPECT_EQ(rows(writer(), "SELECT name FROM sqlite_schema WHERE name = 't'"), "t");
  EXPECT_EQ(rows(writer(), "PRAGMA foreign_key_check"), "");
  EXPECT_EQ(rows(writer(), "PRAGMA integrity_check"), "ok");
  write("PRAGMA user_version = 7");
  EXPECT_EQ(rows(writer(), "PRAGMA user_version"), "7");
  EXPECT_TRUE(facts("PRAGMA user_version = 8").writes);
}

TEST_P(RelationalContract, constraint_failures_name_their_kind) {
  write("CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE, n NOT NULL CHECK(n > 0))");
  write("INSERT INTO t VALUES(1, 1, 1)");
  const auto kind = [&](std::string_view sql) { return error_of([&] { write(sql); }).detail().at("constraint"); };
  EXPECT_EQ(kind("INSERT INTO t VALUES(1, 2, 1)"), "primary_key");
  EXPECT_EQ(kind("INSERT INTO t VALUES(2, 1, 1)"), "unique");
  EXPECT_EQ(kind("INSERT INTO t VALUES(2, 2, NULL)"), "not_null");
  EXPECT_EQ(kind("INSERT INTO t VALUES(2, 2, 0)"), "check");
}

// The store

TEST_P(RelationalContract, identity_is_what_was_created_and_survives_reopening) {
  const Identity created{"0192f0c4-0000-7000-8000-000000000001", 1};
  EXPECT_EQ(store_->identity(writer()), created);
  reopen();
  EXPECT_EQ(store_->identity(writer()), created);
  EXPECT_EQ(store_->identity(*store_->reader()), created);
  store_->create({"repaired", 2});
  EXPECT_EQ(store_->identity(writer()), (Identity{"repaired", 2}));
}

TEST_P(RelationalContract, outbox_rows_commit_and_roll_back_with_the_transaction) {
  EXPECT_TRUE(store_->outbox(writer()).empty());
  const std::string large(1 << 20, 'L');
  writer().begin_write(0);
  store_->put_outbox(3, 10, "first");
  store_->put_outbox(4, 11, large);
  store_->put_outbox(1000, 12, "");
  writer().commit();
  writer().begin_write(0);
  store_->put_outbox(3, 13, "second");
  writer().rollback();
  reopen();
  const auto found = store_->outbox(*store_->reader());
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].bytes, "first");
  EXPECT_EQ(found[1].bytes, large);
  EXPECT_EQ(found[2].gseq, 12u);
  EXPECT_EQ(error_of([&] { store_->put_outbox(1, 1, ""); }).code(), ErrorCode::aborted);
}

TEST_P(RelationalContract, readers_are_bounded_reused_and_given_back_clean) {
  reopen({.path = {}, .readers_max = 2});
  auto first = store_->reader();
  auto second = store_->reader();
  const Error error = error_of([&] { store_->reader(); });
  EXPECT_EQ(error.code(), ErrorCode::busy);
  EXPECT_EQ(error.detail().at("limit"), "2");
  first->begin_read();
  Connection* const used = first.get();
  first.reset();
  first = store_->reader();
  EXPECT_EQ(first.get(), used);
  EXPECT_FALSE(first->in_transaction());
}

TEST_P(RelationalContract, checkpoints_move_the_log_and_truncation_empties_it) {
  write("CREATE TABLE t(x)");
  store_->sync_log();
  EXPECT_GT(store_->log_bytes(), 0u);
  auto reader = store_->reader();
  reader->begin_read();
  write("INSERT INTO t VALUES(1)");
  const CheckpointResult part = store_->checkpoint();
  EXPECT_LT(part.checkpointed_frames, part.log_frames) << "a pinned reader holds it back";
  reader->rollback();
  const CheckpointResult whole = store_->checkpoint();
  EXPECT_EQ(whole.checkpointed_frames, whole.log_frames);
  EXPECT_EQ(store_->log_bytes(), 0u);
  write("INSERT INTO t VALUES(2)");
  EXPECT_GT(store_->log_bytes(), 0u);
  EXPECT_LT(store_->log_bytes(), 4 * 4200u) << "the log starts anew";
  store_->truncate_log();
  EXPECT_EQ(store_->log_bytes(), 0u);
}

TEST_P(RelationalContract, compaction_keeps_the_data_and_the_store_sound) {
  write("CREATE TABLE t(x)");
  write("INSERT INTO t SELECT zeroblob(100000) FROM pragma_function_list LIMIT 50");
  write("DELETE FROM t WHERE rowid > 1");
  store_->compact();
  EXPECT_EQ(rows(writer(), "SELECT count(*) FROM t"), "1");
  EXPECT_TRUE(store_->verify().empty());
  EXPECT_TRUE(store_->identity(writer()).has_value());
}

TEST_P(RelationalContract, read_only_reads_beside_a_writer_and_refuses_to_write) {
  write("CREATE TABLE t(x)");
  auto second = GetParam().open({.path = path(), .read_only = true});
  write("INSERT INTO t VALUES(1)");
  EXPECT_EQ(rows(*second->reader(), "SELECT count(*) FROM t"), "1");
  EXPECT_EQ(error_of([&] { second->writer().begin_write(0); }).code(), ErrorCode::readonly);
  EXPECT_EQ(error_of([&] { second->sync_log(); }).code(), ErrorCode::readonly);
  EXPECT_EQ(error_of([&] { second->checkpoint(); }).code(), ErrorCode::readonly);
}

TEST_P(RelationalContract, opening_what_is_not_there_creates_nothing) {
  close();
  const std::string other = directory_ + "/other.db";
  EXPECT_EQ(error_of([&] { GetParam().open({.path = other}); }).code(), ErrorCode::not_found);
  EXPECT_FALSE(std::filesystem::exists(other));
}

}  // namespace stele::storage
