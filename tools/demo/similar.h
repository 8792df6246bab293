// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Packages that are like each other: each document gets a vector, and a vector index finds the nearest. The embedding
// is a simple one, made here: words of name and synopsis, section, tags and dependencies, weighted by how rare they are
// (TF-IDF, hashed) and projected at random to 256 dimensions (Achlioptas' sparse signs). It knows words, no meanings.
#pragma once

#include <stele/stele.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stele::demo {

class Embedding {
 public:
  static constexpr std::size_t dimensions = 256;

  Embedding() : documents_with_(features) {}

  /// First all documents are counted, then each has a vector.
  void count(std::string_view document);
  std::vector<float> vector(std::string_view document) const;

 private:
  static constexpr std::size_t features = 1u << 18;

  std::vector<std::uint32_t> documents_with_;  // by hashed feature
  std::uint32_t documents_ = 0;
};

/// What of a stanza's document counts: "word:fast", "section:web", "tag:role::program", "needs:libc6".
std::vector<std::string> features_of(std::string_view document);

/// Gives every document its vector, in transactions of some hundreds.
void embed_everything(Database& db);

/// Asks, in one snapshot over vectors, documents and rows, which packages are like some well-known ones, are not
/// installed on this machine, and come from maintainers of many. False when an exact search finds others.
bool ask_for_similar(Database& db);

}  // namespace stele::demo
