// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/house/checker.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace stele::house {
namespace {

namespace fs = std::filesystem;

TEST(HouseRules, HoldInThisRepository) {
  for (const std::string& finding : check(STELE_SOURCE_DIR)) ADD_FAILURE() << finding;
}

/// A small repository in which nothing is wrong, until a test plants something.
class CheckerTest : public ::testing::Test {
 protected:
  CheckerTest() {
    std::string name = (fs::temp_directory_path() / "stele-house-XXXXXX").string();
    root_ = mkdtemp(name.data());
    write("engine/include/stele/database.h",
          {"#pragma once", "#include <memory>", "class Inside;  // declared only", "class Database {"});
    write("engine/base/bytes.h", {"#pragma once", "#include <cstdint>"});
    write("engine/storage/batch.h", {"#pragma once", "#include \"engine/base/bytes.h\""});
    write("engine/transaction/commit.h", {"#pragma once", "#include \"engine/storage/batch.h\""});
    write("backends/sqlite/store.h", {"#pragma once", "#include <sqlite3.h>", "#include \"engine/storage/batch.h\""});
    write("backends/open.cpp", {"#include <stele/database.h>", "#include \"backends/sqlite/store.h\""});
    write("tests/support/files.h", {"#pragma once"});
    write("tests/base/bytes_test.cpp", {"#include \"tests/support/files.h\"", "#include <gtest/gtest.h>"});
    write_raw("cmake/stele.map", "      stele::Database::*;\n");
  }
  ~CheckerTest() override { fs::remove_all(root_); }

  /// The lines stand below the license line: the first is line 2.
  void write(const std::string& path, const std::vector<std::string>& lines) {
    std::string text = "// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0\n";
    for (const std::string& line : lines) text += line + "\n";
    write_raw(path, text);
  }
  void write_raw(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }

  /// Exactly one finding, and it starts and reads so.
  void expect_finding(const std::string& place, const std::string& words) {
    const auto findings = check(root_);
    ASSERT_EQ(findings.size(), 1u) << ::testing::PrintToString(findings);
    EXPECT_TRUE(findings[0].starts_with(place + ": error: ")) << findings[0];
    EXPECT_NE(findings[0].find(words), std::string::npos) << findings[0];
    EXPECT_NE(findings[0].find("; "), std::string::npos) << "no cure: " << findings[0];
  }

  fs::path root_;
};

TEST_F(CheckerTest, FindsNothingInAGoodTree) { EXPECT_EQ(check(root_), std::vector<std::string>{}); }

TEST_F(CheckerTest, FindsAnIncludeThatRunsUpward) {
  write("engine/storage/bad.cpp", {"", "#include \"engine/transaction/commit.h\""});
  const auto findings = check(root_);
  ASSERT_EQ(findings.size(), 2u) << ::testing::PrintToString(findings);  // it also closes a loop
  EXPECT_TRUE(
      findings[0].starts_with("engine/storage/bad.cpp:3: error: engine/storage (floor 1) includes "
                              "engine/transaction (floor 2): upward;"))
      << findings[0];
}

TEST_F(CheckerTest, FindsAnIncludeOfAnotherFolderOfTheSameFloor) {
  write("engine/transaction/bad.cpp", {"#include \"backends/sqlite/store.h\""});
  expect_finding("engine/transaction/bad.cpp:2", "another folder of the same floor");
}

TEST_F(CheckerTest, FindsATestFolderThatIncludesAnother) {
  write("tests/base/shared.h", {"#pragma once"});
  write("tests/model/bad_test.cpp", {"#include \"tests/base/shared.h\""});
  expect_finding("tests/model/bad_test.cpp:2", "tests/support");
}

TEST_F(CheckerTest, FindsABackendThatKnowsMoreThanItsContract) {
  write("engine/model/path.h", {"#pragma once"});
  write("backends/memory/bad.cpp", {"#include \"engine/model/path.h\""});
  expect_finding("backends/memory/bad.cpp:2", "a backend knows engine/base");
}

TEST_F(CheckerTest, FindsALoopBetweenFolders) {
  write("engine/model/a.h", {"#pragma once", "#include \"engine/model/sub/b.h\""});
  write("engine/model/c.h", {"#pragma once"});
  write("engine/model/sub/b.h", {"#pragma once", "#include \"engine/model/c.h\""});
  expect_finding("engine/model/sub/b.h:3", "folder loop engine/model -> engine/model/sub -> engine/model");
}

TEST_F(CheckerTest, FindsALoopBetweenFiles) {
  write("engine/model/a.h", {"#pragma once", "#include \"engine/model/b.h\""});
  write("engine/model/b.h", {"#pragma once", "#include \"engine/model/a.h\""});
  expect_finding("engine/model/b.h:3", "file loop engine/model/a.h -> engine/model/b.h -> engine/model/a.h");
}

TEST_F(CheckerTest, FindsSqliteOutsideItsBackend) {
  write("engine/transaction/bad.cpp", {"#  include <sqlite3.h>"});
  expect_finding("engine/transaction/bad.cpp:2", "<sqlite3.h> does not belong here");
}

TEST_F(CheckerTest, FindsRocksdbOutsideItsBackend) {
  write("tools/demo/bad.cpp", {"#include <rocksdb/db.h>"});
  expect_finding("tools/demo/bad.cpp:2", "backends/rocksdb");
}

TEST_F(CheckerTest, AllowsTestsToIncludeTheStores) {
  write("tests/contract/raw_test.cpp", {"#include <rocksdb/db.h>", "#include <sqlite3.h>"});
  EXPECT_EQ(check(root_), std::vector<std::string>{});
}

TEST_F(CheckerTest, FindsAThirdPartyHeaderInAnEngineHeader) {
  write("engine/model/bad.h", {"#pragma once", "#include <simdjson.h>"});
  expect_finding("engine/model/bad.h:3", "include it in the .cpp file only");
}

TEST_F(CheckerTest, FindsAThirdPartyHeaderInAPublicHeader) {
  write("engine/include/stele/bad.h", {"#pragma once", "#include <nlohmann/json.hpp>"});
  expect_finding("engine/include/stele/bad.h:3", "public header includes <nlohmann/json.hpp>");
}

TEST_F(CheckerTest, FindsAPublicHeaderThatIncludesTheInside) {
  write("engine/include/stele/bad.h", {"#pragma once", "#include \"engine/base/bytes.h\""});
  expect_finding("engine/include/stele/bad.h:3", "public header includes \"engine/base/bytes.h\"");
}

TEST_F(CheckerTest, FindsAPublicHeaderIncludedByItsPath) {
  write("engine/base/bad.cpp", {"#include \"engine/include/stele/database.h\""});
  expect_finding("engine/base/bad.cpp:2", "include <stele/...>");
}

TEST_F(CheckerTest, FindsAnIncludeNotWrittenFromTheRoot) {
  write("engine/base/bad.cpp", {"#include \"bytes.h\""});
  expect_finding("engine/base/bad.cpp:2", "no file \"bytes.h\"");
}

TEST_F(CheckerTest, FindsAFolderThatStandsOnNoFloor) {
  write("engine/attic/bad.cpp", {});
  expect_finding("engine/attic/bad.cpp:1", "folder engine/attic stands on no floor");
}

TEST_F(CheckerTest, FindsAHeaderWithoutPragmaOnce) {
  write("engine/base/bad.h", {"#include <cstdint>"});
  expect_finding("engine/base/bad.h:1", "no #pragma once");
}

TEST_F(CheckerTest, FindsAFileWithoutTheLicenseLine) {
  write_raw("engine/base/bad.cpp", "int main() {}\n");
  expect_finding("engine/base/bad.cpp:1", "no license line");
}

TEST_F(CheckerTest, FindsAPublicClassThatIsNotExported) {
  write("engine/include/stele/cache.h", {"#pragma once", "class Cache : public Reader {"});
  expect_finding("engine/include/stele/cache.h:3", "class Cache is not exported");
}

}  // namespace
}  // namespace stele::house
