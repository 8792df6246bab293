// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/transaction/store_fixture.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

namespace stele::transaction {

namespace fs = std::filesystem;

/// Copies of a store's directory, to be damaged and opened.
class ImageTest : public StoreTest {
 protected:
  /// The directory as it is now; of an open store, what the end of its process would leave.
  std::string image(const std::string& name) const {
    const std::string from = directory_.path() + "/store", to = directory_.path() + "/" + name;
    for (;;) {
      fs::remove_all(to);
      const auto before = key_value_files(from);
      std::error_code file_went;  // RocksDB makes and removes files in the background: then once more
      fs::copy(from, to, fs::copy_options::recursive | fs::copy_options::copy_symlinks, file_went);
      if (!file_went && key_value_files(from) == before) return to;
    }
  }

  static std::map<std::string, std::uintmax_t> key_value_files(const std::string& store) {
    std::map<std::string, std::uintmax_t> files;
    std::error_code file_went;
    for (const auto& entry : fs::directory_iterator(store + "/kv")) files[entry.path()] = entry.file_size(file_went);
    return files;
  }

  /// An image whose newest commit is only in SQLite's log: recovery has to apply its documents.
  std::string image_to_replay(const std::string& name) {
    for (int i = 0; i < 100; ++i) {
      const Tx tx = begin_writing_sql();
      set_row(tx, 1, i);
      put(tx, "k", std::to_string(i));
      tx->commit();
      const std::string to = image(name), trial = image(name + "_trial");
      if (open_image(trial)->recovered().replayed > 0) return to;
    }
    ADD_FAILURE() << "the flusher was faster 100 times";
    return "";
  }

  std::shared_ptr<Store> open_image(const std::string& path) const { return Store::open(path, options_, tuning_); }

  /// The error of opening it; nothing in it may have changed but the lock and what RocksDB opens and closes.
  Error refused(const std::string& path) const {
    const std::string before = contents(path);
    try {
      open_image(path);
    } catch (const Error& error) {
      EXPECT_EQ(contents(path), before) << "changed by: " << error.message();
      return error;
    }
    ADD_FAILURE() << path << " was opened";
    return {ErrorCode::closed, ""};
  }

  /// Names, and bytes of what is not SQLite's shared memory or the lock.
  static std::string contents(const std::string& path) {
    std::ostringstream out;
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(path)) files.push_back(entry.path());
    std::ranges::sort(files);
    for (const fs::path& file : files) {
      if (file.filename() == "lock" || file.filename() == "relational.db-shm" || file.parent_path().filename() == "kv")
        continue;
      out << file.string() << '\n';
      if (fs::is_regular_file(fs::symlink_status(file))) out << std::ifstream(file, std::ios::binary).rdbuf();
      out.clear();  // of an empty file
    }
    return out.str();
  }

  static void write(const std::string& file, std::string_view bytes) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
  }
  using StoreTest::write;
};

}  // namespace stele::transaction
