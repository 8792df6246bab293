// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// `stele check` on sound and on damaged databases. Damage is done through the key-value backend, beside the store.
#include "tests/cli/program.h"

#include "engine/base/bytes.h"
#include "engine/base/files.h"
#include "engine/base/key_codec.h"
#include "engine/events/group_records.h"
#include "engine/events/streams.h"
#include "engine/events/windows.h"
#include "engine/storage/registry.h"

#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace stele::cli {
namespace {

namespace fs = std::filesystem;
using storage::Batch;
using storage::Keyspace;

class CheckTest : public ::testing::Test {
 protected:
  CheckTest() { fill(directory); }

  /// Rows; collection with id 1, three documents; stream with id 2, five events.
  static void fill(const std::string& at) {
    const Ended filled = run({"exec", at}, R"j({"op":"sql","sql":"CREATE TABLE t(a)"}
{"op":"insert","collection":"c","docs":[{"_id":1},{"_id":2},{"_id":3}]}
{"op":"append","stream":"s","events":[0,1,2,3,4]}
{"op":"sql","sql":"INSERT INTO t VALUES(1)"}
)j");
    ASSERT_EQ(filled.code, 0) << filled.err;
    ASSERT_EQ(filled.out.find("\"ok\":false"), std::string::npos) << filled.out;
  }

  void damage_key_value(const Batch& batch) {
    storage::KeyValueOptions options;
    options.path = directory + "/kv";
    options.before_append = [] { return true; };
    const auto store = storage::registry().key_value("rocksdb")(options);
    store->apply(batch);
    store->flush_log();
    store->sync_log();
  }

  void expect_damage(const std::string& names, const std::vector<std::string>& options = {}) {
    std::vector<std::string> arguments{"check", directory};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Ended ended = run(arguments);
    EXPECT_EQ(ended.code, 1) << ended.out << ended.err;
    EXPECT_NE(ended.out.find("damage: "), std::string::npos) << ended.out;
    EXPECT_NE(ended.out.find(names), std::string::npos) << ended.out << "(looked for " << names << ")";
    expect_cures(ended.out);
  }

  /// Each finding says what to do, and that is not to run the check.
  static void expect_cures(const std::string& findings) {
    EXPECT_EQ(findings.find("stele check"), std::string::npos) << findings;
    std::istringstream lines(findings);
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("damage: ")) continue;
      EXPECT_TRUE(line.find("restore") != std::string::npos || line.find("create it") != std::string::npos) << line;
    }
  }

  static std::string document_key(std::uint64_t collection, std::int64_t id) {
    std::string key;
    key::append_id(key, collection);
    key::append_int64(key, id);
    return key;
  }
  static std::string event_key(std::uint64_t stream, std::uint64_t offset) {
    return events::offset_key(stream, offset);
  }

  TemporaryDirectory temporary;
  std::string directory = temporary.path("db");
};

TEST_F(CheckTest, finds_nothing_in_a_sound_database_and_changes_no_data) {
  fs::remove(directory + "/relational.db-shm");
  const std::string kv = contents_of(directory + "/kv");
  const std::string rows = read_file(directory + "/relational.db");
  EXPECT_EQ(run({"check", directory}).out, "sound\n");
  EXPECT_EQ(run({"check", directory, "--deep"}).code, 0);
  EXPECT_EQ(run({"check", directory, "--json"}).out, "{\"ok\":true,\"findings\":[]}\n");
  EXPECT_EQ(contents_of(directory + "/kv"), kv);
  EXPECT_EQ(read_file(directory + "/relational.db"), rows);
}

TEST_F(CheckTest, finds_nothing_after_a_kill_and_leaves_recovery_to_the_next_open) {
  Exec exec(directory);
  for (int i = 10; i < 60; ++i) {
    exec.ask(R"({"op":"begin"})");
    const std::string tx = ",\"tx\":" + std::to_string(i - 9) + "}";
    exec.ask(R"j({"op":"sql","sql":"INSERT INTO t VALUES(1)")j" + tx);
    exec.ask(R"({"op":"insert","collection":"c","docs":[{"_id":)" + std::to_string(i) + "}]" + tx);
    exec.ask(R"({"op":"append","stream":"s","events":[1])" + tx);
    EXPECT_EQ(code_of(exec.ask("{\"op\":\"commit\"" + tx)), "ok");
  }
  exec.kill();
  const std::string log = read_file(directory + "/relational.db-wal");
  const std::string kv = contents_of(directory + "/kv");
  const Ended checked = run({"check", directory, "--deep"});
  EXPECT_EQ(checked.code, 0) << checked.out << checked.err;
  EXPECT_EQ(read_file(directory + "/relational.db-wal"), log);
  EXPECT_EQ(contents_of(directory + "/kv"), kv);
  EXPECT_EQ(Exec(directory).ask(R"({"op":"count","collection":"c"})"), R"({"ok":true,"count":53})");
}

TEST_F(CheckTest, names_missing_parts) {
  for (const char* part : {"stele.json", "relational.db", "kv", "durable", "large"}) {
    fs::rename(directory + "/" + part, temporary.path("aside"));
    expect_damage(std::string(part) + ": ");
    fs::rename(temporary.path("aside"), directory + "/" + part);
  }
  EXPECT_EQ(run({"check", directory}).out, "sound\n");
}

TEST_F(CheckTest, names_a_part_of_another_store) {
  const std::string other = temporary.path("other");
  fill(other);
  for (const char* part : {"relational.db", "kv", "durable"}) {
    fs::rename(directory + "/" + part, temporary.path("aside"));
    fs::copy(other + "/" + part, directory + "/" + part, fs::copy_options::recursive);
    expect_damage(std::string("damage: ") + part);
    fs::remove_all(directory + "/" + part);
    fs::rename(temporary.path("aside"), directory + "/" + part);
  }
}

TEST_F(CheckTest, says_when_an_older_relational_file_was_put_back) {
  fs::copy(directory + "/relational.db", temporary.path("old.db"));
  {
    Exec exec(directory);
    exec.ask(R"j({"op":"sql","sql":"INSERT INTO t VALUES(2)"})j");
    exec.ask(R"({"op":"insert","collection":"c","docs":[{"_id":4}]})");
    exec.end();
  }
  fs::remove(directory + "/relational.db-wal");
  fs::remove(directory + "/relational.db-shm");
  fs::copy(temporary.path("old.db"), directory + "/relational.db", fs::copy_options::overwrite_existing);
  expect_damage("is ahead");
}

TEST_F(CheckTest, finds_keys_that_no_definition_owns) {
  Batch batch;
  batch.put(Keyspace::documents, document_key(77, 1), R"({"_id":1})");
  batch.put(Keyspace::events, event_key(78, 0), "x");
  damage_key_value(batch);
  expect_damage("keyspace documents holds keys under id 77");
  expect_damage("keyspace events holds keys under id 78");
}

TEST_F(CheckTest, finds_a_next_offset_that_does_not_fit) {
  Batch batch;
  events::State state{9, {.first = 0, .end = 9}};
  batch.put(Keyspace::events, events::state_key(2), events::encode(state));
  damage_key_value(batch);
  expect_damage("its last event has offset 4, but its next offset is 9");
}

TEST_F(CheckTest, deep_finds_gaps_and_damaged_documents) {
  Batch batch;
  batch.erase(Keyspace::events, event_key(2, 1));
  batch.erase(Keyspace::events, event_key(2, 2));
  batch.put(Keyspace::documents, document_key(1, 1), R"({"_id":1,"cut":)");
  batch.put(Keyspace::documents, document_key(1, 2), R"({"_id":5})");
  batch.put(Keyspace::documents, document_key(1, 3), R"({"a":3})");
  damage_key_value(batch);
  EXPECT_EQ(run({"check", directory}).out, "sound\n");
  expect_damage("stream \"s\": events 1 to 2 are missing", {"--deep"});
  expect_damage("collection \"c\": document (1): ", {"--deep"});
  expect_damage("has _id 5, which its key does not say", {"--deep"});
  expect_damage("document (3): is not an object whose first member is _id", {"--deep"});
}

TEST_F(CheckTest, deep_compares_windows_groups_segments_and_caches_with_what_they_are_of) {
  const Ended filled = run({"exec", directory},
                           R"j({"op":"create_window","stream":"s","name":"w","width_ms":1,"aggregates":{"n":"count"}}
{"op":"append","stream":"s","events":[{"$event":{"key":"a","time":5000}},{"$event":{"key":"b","time":9000}}]}
{"op":"group_commit","stream":"s","group":"g","offset":3}
{"op":"group_claim","stream":"s","group":"jobs","consumer":"one"}
{"op":"cache_set","cache":"k","key":"a","value":"1"}
)j");
  ASSERT_EQ(filled.out.find("\"ok\":false"), std::string::npos) << filled.out;
  const Ended sound = run({"check", directory, "--deep"});
  ASSERT_EQ(sound.out, "sound\n");

  events::Window window;
  window.id = 3;
  window.width_us = 1000;
  std::string cached;
  key::append_id(cached, 4);
  Batch batch;
  batch.put(Keyspace::events, events::window_row_key(2, window, 5000, ""), std::string(1, '\7'));
  batch.erase(Keyspace::events, events::window_row_key(2, window, 9000, ""));
  batch.put(Keyspace::events, events::committed_key(2, "g", 0), fixed_bytes(std::uint64_t{99}));
  batch.put(Keyspace::events, events::pending_key(2, "jobs", 50), events::encode(events::PendingRecord{0, 1, "one"}));
  std::string orphan = events::data_key_prefix(2, 0, "nobody");
  events::append_data_suffix(orphan, 0, 3);
  batch.put(Keyspace::events, orphan, "1");
  batch.put(Keyspace::cache, cached + "a", "short");
  damage_key_value(batch);
  EXPECT_EQ(run({"check", directory}).out, "sound\n");
  expect_damage("the row of 5000 us, key \"\" has {\"n\":7}, its events come to {\"n\":1}", {"--deep"});
  expect_damage("window \"w\": 1 rows that its events come to are missing", {"--deep"});
  expect_damage("group \"g\": partition 0 is committed up to 99, the stream ends at 7", {"--deep"});
  expect_damage("group \"jobs\": the claim of event 50 cannot be", {"--deep"});
  expect_damage("holds the data of 1 events that are not there", {"--deep"});
  expect_damage("cache \"k\": an entry cannot be read", {"--deep"});
}

TEST_F(CheckTest, finds_a_flipped_byte_in_a_data_file) {
  std::string table;
  for (const auto& entry : fs::directory_iterator(directory + "/kv"))
    if (entry.path().extension() == ".sst" || entry.path().extension() == ".log")
      if (table.empty() || fs::file_size(entry.path()) > fs::file_size(table)) table = entry.path();
  ASSERT_FALSE(table.empty());
  std::fstream file(table, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(40);
  const int byte = file.get();
  file.seekp(40);
  file.put(static_cast<char>(byte ^ 0x40));
  file.close();
  expect_damage("damage: ", {"--deep"});
}

TEST_F(CheckTest, finds_damage_in_the_relational_file) {
  std::fstream file(directory + "/relational.db", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(8192);
  for (int i = 0; i < 4096; ++i) file.put('\x5a');
  file.close();
  expect_damage("damage: relational.db: ");
}

TEST_F(CheckTest, finds_damage_that_keeps_a_part_from_being_opened) {
  const std::string whole = temporary.path("whole");
  fs::copy(directory, whole, fs::copy_options::recursive);
  for (const char* file : {"stele.json", "relational.db", "durable", "kv/CURRENT"}) {
    fs::resize_file(directory + "/" + file, 0);
    expect_damage(std::string("damage: ") + (std::string_view(file).starts_with("kv") ? "kv: " : file));
    fs::copy(whole + "/" + file, directory + "/" + file, fs::copy_options::overwrite_existing);
  }
  EXPECT_EQ(run({"check", directory}).out, "sound\n");
}

TEST_F(CheckTest, a_missing_parent_row_can_be_mended_with_sql) {
  run({"exec", directory}, R"j({"op":"sql","sql":"CREATE TABLE p(id INTEGER PRIMARY KEY)"}
{"op":"sql","sql":"CREATE TABLE child(p REFERENCES p(id))"}
)j");
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open((directory + "/relational.db").c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, "INSERT INTO child VALUES(9)", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
  expect_damage("insert that one, delete this one, or restore");
}

TEST_F(CheckTest, notes_leftover_files_of_large_transactions) {
  std::ofstream(directory + "/large/11111111-2222-4333-8444-555555555555") << "left";
  const Ended ended = run({"check", directory});
  EXPECT_EQ(ended.code, 0);
  EXPECT_NE(ended.out.find("note: large: "), std::string::npos) << ended.out;
}

TEST_F(CheckTest, refuses_what_is_open_or_no_database) {
  Exec exec(directory);
  exec.ask(R"({"op":"collections"})");
  const Ended locked = run({"check", directory});
  EXPECT_EQ(locked.code, 75);
  EXPECT_NE(locked.err.find(std::to_string(exec.pid())), std::string::npos) << locked.err;
  EXPECT_EQ(run({"check", temporary.path("absent")}).code, 1);
  EXPECT_FALSE(fs::exists(temporary.path("absent")));
  fs::create_directory(temporary.path("empty"));
  EXPECT_NE(run({"check", temporary.path("empty")}).err.find("holds nothing of a Stele database"), std::string::npos);
  EXPECT_TRUE(fs::is_empty(temporary.path("empty")));
}

}  // namespace
}  // namespace stele::cli
