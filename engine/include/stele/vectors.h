// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Nearest neighbours over a collection's vectors. A vector index belongs to a collection and a path; each document has
// at most one vector in it, of the index's dimensions. It comes from the document itself, an array of numbers at the
// path, or from set_vector(), which keeps it beside the document. Both are written, replaced and removed in
// transactions with everything else, and a search sees what its transaction or snapshot sees: an old snapshot goes on
// finding what it saw, a transaction finds what it has set, and nobody finds what is not committed.
//
//   articles.create_vector_index("embedding", {.dimensions = 384});
//   articles.set_vector("embedding", id, embedding);
//   for (const auto& hit : articles.nearest("embedding", query, {.k = 5, .filter = R"({"lang": "en"})"}).hits) …
//
// Vectors are float32 on disk. The graph that makes searching fast is derived: it follows commits in the background,
// is saved beside the database and made anew when it is missing or damaged; what it does not hold yet is searched
// exactly. The calls are those of CollectionReader and Collection (stele/documents.h).
#pragma once

#include <stele/document_id.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace stele {

/// Smaller is nearer, with every metric.
enum class Metric : std::uint8_t {
  l2,      // squared Euclidean distance
  cosine,  // 1 - cosine
  ip,      // the inner product, negated
};

/// How a component is held where searches walk; the final order always comes from the float32 vectors.
enum class Quantization : std::uint8_t {
  none,  // float32
  bf16,  // the upper half of a float32
  int8,  // 8 bits and a scale a vector
};

struct VectorIndexOptions {
  std::uint32_t dimensions = 0;  // 1 to 16,384
  Metric metric = Metric::cosine;
  Quantization quantization = Quantization::int8;  // a finer one is taken where a sample of vectors loses neighbours
  std::uint32_t m = 16;                            // links a vector and level, twice that on the lowest: 4 to 64
  std::uint32_t ef_construction = 200;             // 8 to 4,096: more makes a better graph, and takes longer

  friend bool operator==(const VectorIndexOptions&, const VectorIndexOptions&) = default;
};

struct NearestOptions {
  std::size_t k = 10;       // 1 to 10,000
  std::string filter = {};  // only documents that match; as of find(); empty: all
  std::size_t ef = 0;  // candidates held while searching: more finds better and takes longer; 0: 64, and at least k
  double recall = 0;   // instead of ef: what finds this share of the 10 nearest, by a sample of the index; 1: as exact
  bool exact = false;  // compare with every vector
};

/// What a search found.
struct Neighbours {
  struct Hit {
    DocumentId id;
    float distance;
  };

  std::vector<Hit> hits;  // nearest first
  /// There are k hits, or every document that could be one is among them. (Which ones they are is approximate, unless
  /// the search was exact.)
  bool complete = true;
  std::string strategy;       // exact, scan, graph, post_filter, in_traversal, two_hop: how it went, for measurements
  std::uint64_t visited = 0;  // vectors compared with
};

}  // namespace stele
