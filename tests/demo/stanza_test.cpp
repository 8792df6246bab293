// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/demo/stanza.h"

#include <gtest/gtest.h>

#include <string>

namespace stele::demo {
namespace {

std::vector<Stanza> read_all(std::string text, std::size_t stanza_bytes_max = 4096) {
  std::FILE* file = fmemopen(text.data(), text.size(), "r");
  StanzaReader reader(file, stanza_bytes_max);
  std::vector<Stanza> stanzas;
  while (auto stanza = reader.next()) stanzas.push_back(*std::move(stanza));
  std::fclose(file);
  return stanzas;
}

TEST(StanzaReader, SplitsAtBlankLinesHoweverMany) {
  const auto stanzas = read_all("\n\nPackage: a\nVersion: 1\n\n \t\n\nPackage: b\n");
  ASSERT_EQ(stanzas.size(), 2u);
  EXPECT_EQ(stanzas[0].get("package"), "a");
  EXPECT_EQ(stanzas[0].get("version"), "1");
  EXPECT_EQ(stanzas[1].get("package"), "b");
  EXPECT_EQ(stanzas[1].get("version"), std::nullopt);
}

TEST(StanzaReader, TakesTheLastStanzaWithoutALineEnd) {
  const auto stanzas = read_all("Package: a\nVersion: 1");
  ASSERT_EQ(stanzas.size(), 1u);
  EXPECT_EQ(stanzas[0].get("version"), "1");
  EXPECT_EQ(stanzas[0].bytes, 21u);
}

TEST(StanzaReader, JoinsContinuationLinesAndReadsADotAsAnEmptyOne) {
  const auto stanzas = read_all("Description: short\n first\n .\n\tsecond\nTag: x\n");
  ASSERT_EQ(stanzas.size(), 1u);
  EXPECT_EQ(stanzas[0].get("description"), "short\nfirst\n\nsecond");
  EXPECT_EQ(stanzas[0].get("tag"), "x");
}

TEST(StanzaReader, FieldNamesHaveNoCaseAndCarriageReturnsGo) {
  const auto stanzas = read_all("PACKAGE: a\r\nInstalled-Size:7\r\n\r\nPackage: b\r\n");
  ASSERT_EQ(stanzas.size(), 2u);
  EXPECT_EQ(stanzas[0].get("package"), "a");
  EXPECT_EQ(stanzas[0].get("installed-size"), "7");
}

TEST(StanzaReader, CountsWhatIsNoFieldAndDropsItsContinuation) {
  const auto stanzas = read_all("no colon\n its text\nPackage: a\nPack age: b\n: empty\n# comment\nVersion: 1\n");
  ASSERT_EQ(stanzas.size(), 1u);
  EXPECT_EQ(stanzas[0].problems, 4u);
  ASSERT_EQ(stanzas[0].fields.size(), 2u);
  EXPECT_EQ(stanzas[0].get("version"), "1");
}

TEST(StanzaReader, KeepsTheFirstOfAFieldThatComesTwice) {
  const auto stanzas = read_all("Package: a\nPackage: b\n more of b\n");
  EXPECT_EQ(stanzas[0].get("package"), "a");
  EXPECT_EQ(stanzas[0].problems, 2u);
}

TEST(StanzaReader, CutsAStanzaThatIsTooLargeAndReadsTheNext) {
  const auto stanzas = read_all("Package: a\nTag: " + std::string(300'000, 'x') + "\nVersion: 1\n\nPackage: b\n", 1000);
  ASSERT_EQ(stanzas.size(), 2u);
  EXPECT_TRUE(stanzas[0].too_large);
  EXPECT_EQ(stanzas[0].get("tag"), std::nullopt);
  EXPECT_FALSE(stanzas[1].too_large);
  EXPECT_EQ(stanzas[1].get("package"), "b");
}

TEST(StanzaReader, ReplacesBytesThatAreNotUtf8) {
  const auto stanzas = read_all("Maintainer: J\xc3\xb6rg \xff\xe2\x82\n");
  EXPECT_EQ(stanzas[0].get("maintainer"), "J\xc3\xb6rg \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(stanzas[0].problems, 3u);
}

TEST(MakeValidUtf8, RefusesOverlongSurrogatesNulAndWhatIsBeyondUnicode) {
  for (std::string bad : {std::string("\xc0\x80"), std::string("\xe0\x80\x80"), std::string("\xed\xa0\x80"),
                          std::string("\xf0\x80\x80\x80"), std::string("\xf4\x90\x80\x80"), std::string(1, '\0')}) {
    const std::size_t bytes = bad.size();
    EXPECT_EQ(make_valid_utf8(bad), bytes);
  }
  for (const std::string good : {"", "plain", "\xc2\x80", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"}) {
    std::string text = good;
    EXPECT_EQ(make_valid_utf8(text), 0u);
    EXPECT_EQ(text, good);
  }
}

}  // namespace
}  // namespace stele::demo
