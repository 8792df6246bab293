// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/demo/similar.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace stele::demo {
namespace {

constexpr std::string_view web_server =
    R"({"_id":"a","package":"fast-httpd","description":"small web server\nlong text","section":"httpd","tag":["role::program"],"depends":[[{"name":"libc6"}],[{"name":"zlib1g"}]]})";
constexpr std::string_view other_server =
    R"({"_id":"b","package":"tiny-httpd","description":"tiny web server","section":"httpd","depends":[[{"name":"libc6"}]]})";
constexpr std::string_view game =
    R"({"_id":"c","package":"dungeon","description":"game of swords","section":"games","depends":[[{"name":"libsdl"}]]})";

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += double(a[i]) * b[i];
    aa += double(a[i]) * a[i];
    bb += double(b[i]) * b[i];
  }
  return ab / std::sqrt(aa * bb);
}

TEST(Similar, features_are_words_section_tags_and_needs) {
  const std::vector<std::string> expected = {"needs:libc6",       "needs:zlib1g", "section:httpd",
                                             "tag:role::program", "word:fast",    "word:httpd",
                                             "word:server",       "word:small",   "word:web"};
  EXPECT_EQ(features_of(web_server), expected);
}

TEST(Similar, packages_with_more_in_common_are_nearer) {
  Embedding embedding;
  for (const std::string_view document : {web_server, other_server, game}) embedding.count(document);
  const auto a = embedding.vector(web_server), b = embedding.vector(other_server), c = embedding.vector(game);
  EXPECT_EQ(a.size(), Embedding::dimensions);
  EXPECT_GT(cosine(a, b), cosine(a, c) + 0.1);
  EXPECT_EQ(a, embedding.vector(web_server));
}

TEST(Similar, a_document_without_any_feature_has_a_vector_too) {
  const auto vector = Embedding().vector(R"({"_id":"x"})");
  EXPECT_TRUE(std::ranges::any_of(vector, [](float x) { return x != 0; }));
}

}  // namespace
}  // namespace stele::demo
