// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Directories with parts missing, damaged, of a newer format or out of reach: refused with what to do, or opened with
// everything; and once the part is back, everything is there.
#include "engine/base/bytes.h"
#include "engine/base/checksum.h"
#include "engine/base/error.h"
#include "engine/storage/registry.h"
#include "tests/transaction/image.h"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace stele::transaction {
namespace {

class Damaged : public ImageTest {
 protected:
  /// Rows 1..8 = n and documents k1..k8 = n, in memory tables, logs and one SST.
  void fill() {
    for (int i = 1; i <= 8; ++i) {
      const Tx tx = begin_writing_sql();
      run(tx, text("INSERT OR REPLACE INTO t VALUES(", i, ", ", i, ")"));
      put(tx, text("k", i), std::to_string(i));
      tx->commit();
      if (i == 4) store_->key_value().flush();
    }
    put("last", "of all");  // RocksDB's log alone has it
    store_->sync_now();
  }

  /// What is missing of it; empty: nothing.
  static std::string missing(Store& store) {
    std::string out;
    for (int i = 1; i <= 8; ++i) {
      const auto row = store.sql(text("SELECT v FROM t WHERE k = ", i), Parameters{});
      if (!row->next() || row->integer(0) != i) out += text("row ", i, " ");
      std::string value;
      if (!store.latest()->get(Keyspace::documents, text("k", i), value) || value != std::to_string(i))
        out += text("document ", i, " ");
    }
    std::string value;
    if (!store.latest()->get(Keyspace::documents, "last", value)) out += "last ";
    return out;
  }

  static std::vector<fs::path> files_of(const std::string& path) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
      const std::string name = entry.path().filename();
      if (entry.is_regular_file() && name != "lock" && name != "LOCK" && name != "relational.db-shm")
        files.push_back(entry.path());
    }
    std::ranges::sort(files);
    return files;
  }

  static void damage(const fs::path& file, std::string_view how) {
    const auto size = fs::file_size(file);
    if (how == "missing") fs::remove(file);
    if (how == "empty") fs::resize_file(file, 0);
    if (how == "cut") fs::resize_file(file, size / 2);
    if (how == "zeroed") write(file, std::string(size, '\0'));
  }

  void expect_refused_or_whole(const std::string& path, const std::string& part, bool log_may_be_lost) {
    try {
      const std::string lost = missing(*open_image(path));
      EXPECT_TRUE(lost.empty() || (log_may_be_lost && lost == "last ")) << "opened without " << lost;
    } catch (const Error& error) {
      EXPECT_TRUE(error.code() == ErrorCode::corrupt || (part == "stele.json" && error.code() == ErrorCode::invalid))
          << name(error.code()) << ": " << error.message();
      EXPECT_NE(error.message().find(part), std::string::npos) << error.message();
      EXPECT_NE(error.message().find("backup"), std::string::npos) << error.message();
    }
  }

  /// Of a killed store, commits since the last writing of `durable` that no SQL commit builds on have no witness but
  /// RocksDB's log itself.
  void every_file_with_every_damage(const std::string& whole, bool killed) {
    for (const fs::path& file : files_of(whole)) {
      for (const char* how : {"missing", "empty", "cut", "zeroed"}) {
        const std::string path = whole + "_damaged";
        fs::remove_all(path);
        fs::copy(whole, path, fs::copy_options::recursive);
        const fs::path relative = fs::relative(file, whole);
        SCOPED_TRACE(text(relative.string(), " ", how));
        damage(path / relative, how);
        const std::string part = relative.begin()->string();
        expect_refused_or_whole(path, part.starts_with("relational.db") ? "relational.db" : part,
                                killed && file.extension() == ".log");
        fs::remove_all(path);
        fs::copy(whole, path, fs::copy_options::recursive);
        EXPECT_EQ(missing(*open_image(path)), "") << "after the backup is back";
      }
    }
  }

  template <class Change>
  void expect_version(std::string_view names, Change&& change) {
    const std::string path = image("newer");
    {
      storage::RelationalOptions options;
      options.path = path + "/relational.db";
      const auto relational = storage::registry().relational("sqlite")(options);
      relational->writer().begin_write(0);
      change(*relational);
      relational->writer().commit();
      relational->sync_log();
    }
    const Error error = refused(path);
    EXPECT_EQ(error.code(), ErrorCode::version) << error.message();
    EXPECT_NE(error.message().find(names), std::string::npos) << error.message();
    EXPECT_NE(error.message().find("relational.db"), std::string::npos) << error.message();
  }
};

TEST_F(Damaged, any_file_of_a_killed_store_is_refused_or_made_good) {
  fill();
  every_file_with_every_damage(image("killed"), true);
}

TEST_F(Damaged, any_file_of_a_closed_store_is_refused_or_made_good) {
  fill();
  store_->close();
  every_file_with_every_damage(image("closed"), false);
}

TEST_F(Damaged, a_large_file_that_is_missing_or_damaged_is_found_before_anything_is_applied) {
  tuning_.large_bytes = 1000;
  reopen();
  std::string whole;
  for (int i = 0; i < 100 && whole.empty(); ++i) {
    const Tx small = begin_writing_sql();
    set_row(small, 1, i);
    put(small, "small", std::to_string(i));
    small->commit();
    const Tx large = begin_writing_sql();
    set_row(large, 2, i);
    put(large, "large", std::string(2000, 'x'));
    large->commit();
    const std::string candidate = image("candidate"), trial = image("trial");
    if (!list_directory(candidate + "/large").empty() && open_image(trial)->recovered().replayed >= 2)
      whole = candidate;
  }
  ASSERT_FALSE(whole.empty()) << "the flusher was faster 100 times";
  for (const char* how : {"missing", "empty", "cut", "zeroed"}) {
    SCOPED_TRACE(how);
    const std::string path = directory_.path() + "/damaged";
    fs::remove_all(path);
    fs::copy(whole, path, fs::copy_options::recursive);
    for (const std::string& file : list_directory(path + "/large")) damage(path + "/large/" + file, how);
    const Error error = refused(path);
    EXPECT_EQ(error.code(), ErrorCode::corrupt) << error.message();
    EXPECT_NE(error.message().find("large/"), std::string::npos) << error.message();
    EXPECT_NE(error.message().find("backup"), std::string::npos) << error.message();
    fs::remove_all(path + "/large");
    fs::copy(whole + "/large", path + "/large");
    const auto restored = open_image(path);
    EXPECT_GE(restored->recovered().replayed, 2u) << "the small one was applied before the large was looked for";
    std::string value;
    EXPECT_TRUE(restored->latest()->get(Keyspace::documents, "large", value));
  }
}

TEST_F(Damaged, a_missing_directory_of_large_files_is_named) {
  store_->close();
  const std::string path = image("without");
  fs::remove_all(path + "/large");
  const Error error = refused(path);
  EXPECT_EQ(error.code(), ErrorCode::corrupt);
  EXPECT_NE(error.message().find("/large: is missing"), std::string::npos) << error.message();
}

TEST_F(Damaged, a_leftover_of_writing_stele_json_is_no_obstacle) {
  fill();
  store_->close();
  const std::string path = image("left");
  write(path + "/stele.json.tmp", "{\"format\":");
  EXPECT_EQ(missing(*open_image(path)), "");
}

TEST_F(Damaged, newer_formats_in_the_sql_file_are_version) {
  fill();
  expect_version("format 9", [](storage::RelationalStore& relational) {
    relational.writer()
        .prepare("UPDATE _stele_meta SET value = 9 WHERE key = 'format'", storage::Author::engine)
        ->step();
  });
  expect_version("format 2", [](storage::RelationalStore& relational) {
    std::string row = encode(OutboxRow{1000, 0, 0, 0, {}});
    row.resize(row.size() - 8);
    row[0] = 2;
    append_fixed(row, checksum(row));
    relational.put_outbox(0, 1000, row);
  });
}

TEST_F(Damaged, the_mark_of_creation_on_a_store_with_data_does_not_let_it_be_wiped) {
  fill();
  store_->close();
  const std::string path = image("marked");
  const std::string manifest = read_file(path + "/stele.json");
  write(path + "/new", "came back with a power loss");
  for (const char* part : {"relational.db", "kv"}) {  // each alone says that there is data
    fs::remove(path + "/stele.json");
    const std::string aside = directory_.path() + "/aside";
    fs::rename(path + "/" + part, aside);
    const Error error = refused(path);
    EXPECT_EQ(error.code(), ErrorCode::invalid);
    EXPECT_NE(error.message().find("lost its stele.json"), std::string::npos) << error.message();
    fs::rename(aside, path + "/" + part);
    write(path + "/stele.json", manifest);
  }
  EXPECT_EQ(missing(*open_image(path)), "");
  EXPECT_FALSE(fs::exists(path + "/new"));
}

TEST_F(Damaged, a_backend_that_cannot_hold_a_database_leaves_nothing_behind) {
  const std::string path = directory_.path() + "/fresh";
  for (const auto& [backend, code] : {std::pair{"memory", ErrorCode::unsupported}, {"none", ErrorCode::invalid}}) {
    Options options;
    options.key_value = backend;
    EXPECT_EQ(thrown([&] { Store::open(path, options); }), code);
    EXPECT_FALSE(fs::exists(path));
  }
  Options options;
  options.relational = "none";
  EXPECT_EQ(thrown([&] { Store::open(path, options); }), ErrorCode::invalid);
  EXPECT_FALSE(fs::exists(path));
}

/// As long as SQLite's log does not start anew meanwhile: a main file and a log of different times are not told apart,
/// so a copy of an open database is no backup.
TEST_F(Damaged, a_copy_taken_within_one_log_is_refused_or_right) {
  std::atomic<bool> stop{false};
  std::atomic<int> written{0};
  std::thread writer([&] {
    for (int i = 1; !stop; ++i) {
      const Tx tx = begin_writing_sql();
      for (const int k : {1, 2, 3, 4}) set_row(tx, k, i);
      put(tx, "k", std::to_string(i));
      put(tx, "padding", std::string(3000, 'x'));
      tx->commit();
      written = i;
    }
  });
  int opened = 0, refusals = 0;
  for (int copy = 0; copy < 12; ++copy) {
    while (written < copy * 20) std::this_thread::yield();
    const int at_least = written;
    const std::string path = image("copy");
    std::shared_ptr<Store> store;
    try {
      store = open_image(path);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::corrupt) << error.message();
      ++refusals;
      continue;
    }
    ++opened;
    const auto rows = store->sql("SELECT min(v), max(v) FROM t", Parameters{});
    ASSERT_TRUE(rows->next());
    std::string document;
    ASSERT_TRUE(store->latest()->get(Keyspace::documents, "k", document) || at_least == 0);
    EXPECT_EQ(rows->integer(0), rows->integer(1));
    EXPECT_EQ(std::to_string(rows->integer(0)), document.empty() ? "0" : document);
    EXPECT_GE(rows->integer(0), at_least);
  }
  stop = true;
  writer.join();
  RecordProperty("opened", opened);
  RecordProperty("refused", refusals);
  EXPECT_EQ(opened + refusals, 12);
}

TEST_F(Damaged, a_directory_that_may_not_be_written_says_so) {
  fill();
  store_->close();
  const std::string path = image("readonly");
  const bool root = ::geteuid() == 0;  // may write everything: then another user opens it
  constexpr uid_t nobody = 65534;
  const auto everywhere = [&](auto&& change) {
    change(fs::path(path));
    for (const auto& entry : fs::recursive_directory_iterator(path)) change(entry.path());
  };
  if (root) {
    ASSERT_EQ(::chmod(directory_.path().c_str(), 0711), 0);
    everywhere([](const fs::path& file) { ASSERT_EQ(::chown(file.c_str(), nobody, nobody), 0); });
  }
  const auto may_write = [&](bool yes) {
    const auto how = yes ? fs::perm_options::add : fs::perm_options::remove;
    everywhere([&](const fs::path& file) { fs::permissions(file, fs::perms::owner_write, how); });
  };
  may_write(false);
  const auto become = [&](uid_t user) { return !root || ::seteuid(user) == 0; };
  ASSERT_TRUE(become(nobody));
  const Error error = refused(path);
  may_write(true);
  std::string lost = "not opened";
  if (const auto code = thrown([&] { lost = missing(*open_image(path)); })) lost = name(*code);
  ASSERT_TRUE(become(0));
  EXPECT_EQ(error.code(), ErrorCode::io) << error.message();
  EXPECT_NE(error.message().find(path), std::string::npos) << error.message();
  EXPECT_NE(error.message().find("ermission denied"), std::string::npos) << error.message();
  EXPECT_EQ(lost, "");
}

TEST_F(Damaged, a_path_that_is_too_long_is_refused_before_anything_is_made) {
  const std::string parent = directory_.path() + "/deep";
  fs::create_directory(parent);
  EXPECT_EQ(thrown([&] { open_image(parent + "/" + std::string(300, 'n')); }), ErrorCode::io);
  std::string deep = parent;  // each name is fine, the whole is more than SQLite opens
  for (int i = 0; i < 3; ++i) fs::create_directory(deep += "/" + std::string(200, 'n'));
  EXPECT_EQ(thrown([&] { open_image(deep + "/db"); }), ErrorCode::invalid);
  EXPECT_TRUE(fs::is_empty(deep));
}

}  // namespace
}  // namespace stele::transaction
