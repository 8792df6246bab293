// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/demo/package.h"

#include <gtest/gtest.h>

#include <string>

namespace stele::demo {
namespace {

Stanza stanza(std::vector<Field> fields) {
  fields.insert(fields.begin(), {{"package", "ada"}, {"version", "1.0-1"}, {"architecture", "all"}});
  Stanza made;
  made.fields = std::move(fields);
  return made;
}

std::string document_of(std::vector<Field> fields) {
  std::string why;
  const auto package = read_package(stanza(std::move(fields)), why);
  return package ? package->document(3) : why;
}

constexpr const char* start = R"({"_id":"ada_1.0-1_all","package":"ada","version":"1.0-1","architecture":"all")";

TEST(ReadPackage, MakesADocumentOfWhatIsThere) {
  EXPECT_EQ(document_of({}), std::string(start) + R"(,"batch":3})");
  EXPECT_EQ(document_of({{"essential", "yes"}, {"size", "42"}, {"tag", "a::b,\n c::d"}, {"multi-arch", "no"}}),
            std::string(start) + R"(,"essential":true,"size":42,"tag":["a::b","c::d"],"multi_arch":"no","batch":3})");
}

TEST(ReadPackage, MakesListsOfAlternativesOfRelations) {
  EXPECT_EQ(document_of({{"depends", "a (>= 1) | b, c:any"}}),
            std::string(start) + R"(,"depends":[[{"name":"a","is":">=","version":"1"},{"name":"b"}],)" +
                R"([{"name":"c","architecture":"any"}]],"batch":3})");
}

TEST(ReadPackage, EscapesTextAndKeepsItsOwnFieldsApart) {
  EXPECT_EQ(
      document_of({{"description", "say \"hi\"\nand\tgo"}, {"batch", "x"}, {"_id", "y"}, {"a-b", "1"}, {"a_b", "2"}}),
      std::string(start) + R"(,"description":"say \"hi\"\nand\tgo","a_b":"1","batch":3})");
}

TEST(ReadPackage, TakesColumnsOnlyWhenTheyAreThere) {
  std::string why;
  const auto bare = read_package(stanza({{"size", "-1"}, {"installed-size", "12 kB"}}), why);
  ASSERT_TRUE(bare) << why;
  EXPECT_EQ(bare->size_bytes, std::nullopt);
  EXPECT_EQ(bare->installed_kilobytes, std::nullopt);
  EXPECT_EQ(bare->section, std::nullopt);
  EXPECT_FALSE(bare->maintainer);

  const auto full =
      read_package(stanza({{"size", "9223372036854775807"}, {"section", "libs"}, {"provides", "x (= 2), y"}}), why);
  ASSERT_TRUE(full) << why;
  EXPECT_EQ(full->size_bytes, INT64_MAX);
  EXPECT_EQ(full->section, "libs");
  ASSERT_EQ(full->provides.groups.size(), 2u);
  EXPECT_EQ(full->provides.groups[0][0], (Relation{"x", "=", "2", ""}));
}

TEST(ReadPackage, RefusesAStanzaThatNamesNoPackageAndSaysWhy) {
  for (const char* missing : {"package", "version", "architecture"}) {
    Stanza broken = stanza({});
    std::erase_if(broken.fields, [&](const Field& field) { return field.name == missing; });
    std::string why;
    EXPECT_FALSE(read_package(broken, why)) << missing;
    EXPECT_NE(why.find(missing + 1), std::string::npos) << why;
  }
  Stanza odd = stanza({});
  odd.fields[0].value = "../etc";
  std::string why;
  EXPECT_FALSE(read_package(odd, why));
}

TEST(ParseMaintainer, PartsNameAndAddress) {
  const Maintainer both = parse_maintainer("Ada Lovelace <ada@example.org>");
  EXPECT_EQ(both.name, "Ada Lovelace");
  EXPECT_EQ(both.email, "ada@example.org");
  EXPECT_EQ(parse_maintainer("nobody").name, "nobody");
  EXPECT_EQ(parse_maintainer("a < b").email, "");
}

}  // namespace
}  // namespace stele::demo
