// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Directories that `stele exec` does not open: exit code, one line that says why, nothing changed.
#include "tests/cli/program.h"

#include "engine/base/files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>

namespace stele::cli {
namespace {

namespace fs = std::filesystem;

class DirectoryTest : public ::testing::Test {
 protected:
  /// A closed database with one document in it.
  std::string make(std::string_view name) {
    const std::string directory = temporary.path(name);
    EXPECT_EQ(run({"exec", directory},
                  "{\"op\":\"insert\",\"collection\":\"c\",\"docs\":[{\"_id\":\"" + std::string(name) + "\"}]}\n")
                  .code,
              0);
    return directory;
  }

  void expect_refused(const std::string& directory, int code, const std::string& names,
                      const std::vector<std::string>& options = {}, const std::vector<std::string>& and_these = {}) {
    std::vector<std::string> arguments{"exec"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.push_back(directory);
    const Ended ended = run(arguments, "{\"op\":\"collections\"}\n");
    EXPECT_EQ(ended.code, code) << ended.err;
    EXPECT_EQ(ended.out, "");
    EXPECT_TRUE(ended.err.starts_with("stele: ")) << ended.err;
    EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
    EXPECT_NE(ended.err.find(names), std::string::npos) << ended.err;
    for (const std::string& also : and_these) EXPECT_NE(ended.err.find(also), std::string::npos) << ended.err;
  }

  TemporaryDirectory temporary;
};

TEST_F(DirectoryTest, that_is_missing_when_it_may_not_be_created) {
  expect_refused(temporary.path("absent"), 1, "there is no database here", {"--no-create"});
  EXPECT_FALSE(fs::exists(temporary.path("absent")));
}

TEST_F(DirectoryTest, whose_parent_is_not_there) {
  expect_refused(temporary.path("absent/deeper"), 1, "absent does not exist; create that directory first");
  EXPECT_FALSE(fs::exists(temporary.path("absent")));
  std::ofstream(temporary.path("file")) << "mine";
  expect_refused(temporary.path("file/deeper"), 1, "file is not a directory");
}

TEST_F(DirectoryTest, that_has_an_empty_name) { expect_refused("", 1, "empty"); }

TEST_F(DirectoryTest, that_is_a_file) {
  std::ofstream(temporary.path("file")) << "mine";
  expect_refused(temporary.path("file"), 1, "not a directory");
  EXPECT_EQ(read_file(temporary.path("file")), "mine");
}

TEST_F(DirectoryTest, that_holds_something_else) {
  fs::create_directory(temporary.path("photos"));
  std::ofstream(temporary.path("photos/cat.jpg")) << "miau";
  expect_refused(temporary.path("photos"), 1, "not a Stele database");
  EXPECT_EQ(contents_of(temporary.path("photos")), temporary.path("photos/cat.jpg") + "\nmiau\n");
}

TEST_F(DirectoryTest, that_is_a_symbolic_link) {
  const std::string directory = make("db");
  fs::create_symlink(directory, temporary.path("link"));
  expect_refused(temporary.path("link"), 1, "symbolic link");
}

TEST_F(DirectoryTest, whose_sql_file_is_a_symbolic_link) {
  const std::string directory = make("db");
  fs::rename(directory + "/relational.db", temporary.path("elsewhere.db"));
  fs::create_symlink(temporary.path("elsewhere.db"), directory + "/relational.db");
  expect_refused(directory, 1, "symbolic link");
}

TEST_F(DirectoryTest, with_a_symbolic_link_inside_is_not_opened_and_the_check_names_it) {
  for (const std::string part : {"large", "kv", "durable", "lock"}) {
    const std::string directory = make("db"), elsewhere = temporary.path("elsewhere");
    fs::rename(directory + "/" + part, elsewhere);
    fs::create_symlink(elsewhere, directory + "/" + part);
    expect_refused(directory, 1, "/" + part + ": is a symbolic link");
    const Ended check = run({"check", directory});
    EXPECT_EQ(check.code, 1) << check.err;
    EXPECT_NE(check.out.find("/" + part + ": is a symbolic link"), std::string::npos) << check.out;
    EXPECT_TRUE(fs::exists(elsewhere));
    fs::remove_all(directory);
    fs::remove_all(elsewhere);
  }
}

TEST_F(DirectoryTest, that_others_may_write) {
  const std::string directory = make("db");
  ::chmod(directory.c_str(), 0777);
  expect_refused(directory, 1, "chmod go-w");
}

TEST_F(DirectoryTest, of_a_newer_format) {
  const std::string directory = make("db");
  std::string manifest = read_file(directory + "/stele.json");
  manifest.replace(manifest.find("\"format\":1"), 10, "\"format\":9");
  std::ofstream(directory + "/stele.json") << manifest;
  const std::string before = contents_of(directory + "/kv");
  expect_refused(directory, 3, "format 9");
  EXPECT_EQ(contents_of(directory + "/kv"), before);
}

TEST_F(DirectoryTest, whose_description_is_damaged) {
  const std::string directory = make("db");
  for (const char* bytes : {"", "{", "{\"format\":\"one\"}", "{\"format\":1}"}) {
    std::ofstream(directory + "/stele.json") << bytes;
    expect_refused(directory, 3, "stele.json");
  }
}

TEST_F(DirectoryTest, with_a_part_of_another_store) {
  for (const char* part : {"relational.db", "kv"}) {
    const std::string one = make("one"), other = make("other");
    fs::remove_all(one + "/" + part);
    fs::copy(other + "/" + part, one + "/" + part, fs::copy_options::recursive);
    expect_refused(one, 3, "belongs to store");
    fs::remove_all(one);
    fs::remove_all(other);
  }
}

TEST_F(DirectoryTest, with_a_part_missing) {
  for (const char* part : {"relational.db", "kv", "durable", "stele.json"}) {
    const std::string directory = make("db");
    fs::remove_all(directory + "/" + part);
    const Ended ended = run({"exec", directory}, "{\"op\":\"find\",\"collection\":\"c\"}\n");
    EXPECT_NE(ended.code, 0) << part;
    EXPECT_EQ(ended.out, "") << part;
    EXPECT_NE(ended.err.find(part), std::string::npos) << ended.err;
    EXPECT_FALSE(fs::exists(directory + "/" + part)) << part;
    fs::remove_all(directory);
  }
}

/// What the message names of the damaged file, beside that it is damage and what to do.
struct Damage {
  std::string_view part;
  std::function<void(const std::string& part)> inflict;
  std::string names;
};

void flip(const std::string& file, std::streamoff at) {
  std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekg(at);
  const int byte = bytes.get();
  bytes.seekp(at);
  bytes.put(static_cast<char>(byte ^ 0xff));
}

std::string manifest_in(const std::string& kv) {
  for (const auto& entry : fs::directory_iterator(kv))
    if (entry.path().filename().string().starts_with("MANIFEST")) return entry.path();
  return {};
}

TEST_F(DirectoryTest, with_a_damaged_part_says_which_and_what_to_do) {
  const std::string whole = make("whole"), directory = temporary.path("db");
  const auto empty = [](const std::string& file) { fs::resize_file(file, 0); };
  const auto cut = [](const std::string& file) { fs::resize_file(file, fs::file_size(file) / 2); };
  const auto remove = [](const std::string& file) { fs::remove_all(file); };
  std::vector<Damage> damages{
      {"stele.json", empty, "stele.json"},
      {"stele.json", cut, "stele.json"},
      {"relational.db", empty, "relational.db: is empty"},
      {"relational.db", cut, "relational.db: is damaged"},
      {"relational.db", remove, "relational.db: is missing"},
      {"kv", remove, "kv: is missing"},
      {"kv/CURRENT", empty, "kv: open: damage found"},
      {"kv/CURRENT", remove, "CURRENT is missing"},
      {"kv", [](const std::string& kv) { fs::resize_file(manifest_in(kv), 0); }, "MANIFEST"},
      {"kv", [](const std::string& kv) { fs::remove(manifest_in(kv)); }, "MANIFEST"},
      {"kv",
       [](const std::string& kv) {
         fs::remove_all(kv);
         std::ofstream(kv) << "x";
       },
       "kv: is not a directory"},
  };
  // SQLite's header: magic, versions for writing and reading, reserved bytes, pages, schema format.
  for (const int at : {0, 15, 18, 19, 20, 28, 47})
    damages.push_back({"relational.db", [at](const std::string& file) { flip(file, at); }, "relational.db"});
  for (const Damage& damage : damages) {
    fs::copy(whole, directory, fs::copy_options::recursive);
    damage.inflict(directory + "/" + std::string(damage.part));
    expect_refused(directory, 3, "stele: corrupt: ", {}, {damage.names, "backup"});
    EXPECT_EQ(run({"check", directory}).code, 1) << damage.names;
    fs::remove_all(directory);
  }
}

TEST_F(DirectoryTest, that_another_process_has_open_is_refused_at_once_with_its_id) {
  Exec first(temporary.path("db"));
  first.ask(R"({"op":"collections"})");
  std::chrono::milliseconds fastest{1'000'000};
  for (int i = 0; i < 5; ++i) {
    const Ended second = run({"exec", temporary.path("db")});
    EXPECT_EQ(second.code, 75);
    EXPECT_NE(second.err.find(std::to_string(first.pid())), std::string::npos) << second.err;
    fastest = std::min(fastest, second.took);
  }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(fastest.count(), 100);
#endif
  EXPECT_EQ(first.ask(R"({"op":"collections"})"), R"({"ok":true,"collections":[]})");
}

TEST_F(DirectoryTest, with_an_odd_name_is_opened) {
  for (const char* name :
       {"-dash", "with space", "100%25", "q'uote\"s", "a?mode=ro#x", "new\nline", "\xC3\xBCml\xC3\xA4ut", ":memory:"}) {
    const std::string directory = temporary.path(name);
    EXPECT_EQ(run({"exec", "--", directory}, "{\"op\":\"sql\",\"sql\":\"CREATE TABLE t(a)\"}\n").out.substr(0, 10),
              "{\"ok\":true")
        << name;
    EXPECT_TRUE(fs::exists(directory + "/relational.db")) << name;
  }
}

}  // namespace
}  // namespace stele::cli
