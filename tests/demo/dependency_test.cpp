// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/demo/dependency.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace stele::demo {
namespace {

using Groups = std::vector<std::vector<Relation>>;

TEST(ParseRelations, ReadsGroupsAlternativesVersionsAndArchitectures) {
  const Relations relations = parse_relations(
      "libc6 (>= 2.34), default-mta | mail-transport-agent (<< 1:2.0~rc1-3) ,python3:any,\n x:i386 (=1)");
  EXPECT_EQ(relations.malformed, 0u);
  EXPECT_EQ(relations.groups, (Groups{{{"libc6", ">=", "2.34", ""}},
                                      {{"default-mta", "", "", ""}, {"mail-transport-agent", "<<", "1:2.0~rc1-3", ""}},
                                      {{"python3", "", "", "any"}},
                                      {{"x", "=", "1", "i386"}}}));
}

TEST(ParseRelations, ReadsTheOldSpellingOfComparisons) {
  EXPECT_EQ(parse_relations("a (< 1), b (> 2)").groups, (Groups{{{"a", "<=", "1", ""}}, {{"b", ">=", "2", ""}}}));
}

TEST(ParseRelations, IsEmptyForNothing) {
  for (const char* text : {"", "  ", ",", " , ,\n"}) {
    EXPECT_TRUE(parse_relations(text).groups.empty()) << text;
    EXPECT_EQ(parse_relations(text).malformed, 0u) << text;
  }
}

TEST(ParseRelations, CountsWhatItCannotReadAndKeepsTheRest) {
  for (const char* bad :
       {"b (", "b ()", "b (>= )", "b (1.0)", "b (>= 1", "b (>= 1 2)", "b c", "-b", "b:", "b [amd64]", "(>= 1)"}) {
    const Relations relations = parse_relations(std::string("a, ") + bad + " , z");
    EXPECT_EQ(relations.malformed, 1u) << bad;
    EXPECT_EQ(relations.groups, (Groups{{{"a", "", "", ""}}, {{"z", "", "", ""}}})) << bad;
  }
}

TEST(ParseRelations, KeepsTheAlternativesBesideAMalformedOne) {
  const Relations relations = parse_relations("a | b c | d");
  EXPECT_EQ(relations.malformed, 1u);
  EXPECT_EQ(relations.groups, (Groups{{{"a", "", "", ""}, {"d", "", "", ""}}}));
}

// Each is lower than the next; the order is that of `dpkg --compare-versions`.
TEST(CompareVersions, OrdersAsDpkgDoes) {
  const std::vector<std::string> ascending = {"0~~",     "0~~a",  "0~",       "0",        "0.0.1~rc1-1", "0.0.1-1",
                                              "0.9",     "0.10",  "1.0~beta", "1.0",      "1.0-1",       "1.0-1+b1",
                                              "1.0-1.1", "1.0-2", "1.0a",     "1.0+dfsg", "1.0.0",       "1.2.3",
                                              "2",       "10",    "1:0.1",    "1:0.2",    "2:0~"};
  for (std::size_t i = 0; i < ascending.size(); ++i)
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      const int order = compare_versions(ascending[i], ascending[j]);
      EXPECT_EQ(order < 0, i < j) << ascending[i] << " and " << ascending[j];
      EXPECT_EQ(order > 0, i > j) << ascending[i] << " and " << ascending[j];
    }
}

TEST(CompareVersions, FindsDifferentSpellingsEqual) {
  EXPECT_EQ(compare_versions("1.0", "0:1.0"), 0);
  EXPECT_EQ(compare_versions("1.0", "1.0-0"), 0);
  EXPECT_EQ(compare_versions("1.01", "1.1"), 0);
  EXPECT_EQ(compare_versions("1.99999999999999999999", "1.099999999999999999999"), 0);
}

TEST(Satisfies, KnowsTheFiveComparisons) {
  EXPECT_TRUE(satisfies("1.0", "<<", "1.1"));
  EXPECT_FALSE(satisfies("1.1", "<<", "1.1"));
  EXPECT_TRUE(satisfies("1.1", "<=", "1.1"));
  EXPECT_TRUE(satisfies("1.1", "=", "1.1"));
  EXPECT_FALSE(satisfies("1.1", "=", "1.1-1"));
  EXPECT_TRUE(satisfies("1.1-1", ">=", "1.1"));
  EXPECT_TRUE(satisfies("1.1-1", ">>", "1.1"));
  EXPECT_FALSE(satisfies("1.1", ">>", "1.1"));
}

}  // namespace
}  // namespace stele::demo
