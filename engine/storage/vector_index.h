// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The contract of a vector index: rows 0, 1, 2, … of float32 vectors, of which it finds the nearest. The caller keeps
// the vectors (ExactVectors) and says when each row is seen (RowVersions); an index only holds what makes searching
// fast, can be thrown away and made again, and is never asked whether a row exists. A backend knows this header, its
// neighbours here, engine/base, engine/distance and its own library. tests/vectors checks every promise over every
// backend.
//
// Who calls what:
//   search, figures   any thread, at any time, also beside add
//   add, repair       one thread at a time
//   build             before anybody else may call
//   save              one thread at a time, and not beside add or repair; beside searches
//
// Vectors are finite, of the shape's dimensions and, for cosine, of unit length: prepare() sees to that, for stored
// ones and for queries. All failures are stele::Error; nothing of the library below throws through. After a failed add
// or build an index answers searches over the rows() it has, and takes no more.
#pragma once

#include "engine/base/interrupt.h"
#include "engine/distance/codec.h"
#include "engine/storage/exact_vectors.h"
#include "engine/storage/row_set.h"
#include "engine/storage/row_versions.h"
#include "engine/storage/vector_shape.h"

#include <stele/error.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stele::storage {

/// How a search went.
enum class Strategy : std::uint8_t {
  exact,         // every allowed row by its float32 components
  scan,          // every allowed row by its record, the best of them by float32
  graph,         // along the graph
  post_filter,   // along the graph, with some more rows, of which the allowed are kept
  in_traversal,  // along the graph; only allowed rows count
  two_hop,       // along the graph over allowed rows only, and over those that a disallowed one links
};
std::string_view name(Strategy strategy);

struct VectorQuery {
  std::span<const float> vector = {};  // prepared
  std::size_t k = 10;                  // at least 1
  std::size_t ef = 0;  // rows held while walking: more finds better and takes longer; 0: 64; at least k is used
  Sequence at = newest;
  const RowSet* allowed = nullptr;  // null: every row
  bool exact = false;
  std::optional<Strategy> strategy = std::nullopt;  // for tests and measurements: not the planner's choice
};

struct VectorHit {
  Row row;
  float distance;
  friend bool operator==(const VectorHit&, const VectorHit&) = default;
};

struct VectorHits {
  std::vector<VectorHit> hits;  // nearest first, equal distances by row
  Strategy strategy = Strategy::exact;
  std::uint64_t visited = 0;  // rows whose distance was computed
  /// There are k hits, or every row that is allowed and seen is among them.
  bool complete = true;
};

struct VectorFigures {
  std::uint64_t rows = 0;
  std::uint64_t memory_bytes = 0;  // what the index itself takes for them
  Quantization quantization = Quantization::none;
};

class VectorIndex {
 public:
  virtual ~VectorIndex() = default;

  /// Adds rows() up to `until`, whose vectors and versions are there. Searches see a row from then on; a row that was
  /// not added is not found.
  virtual void add(Row until) = 0;
  /// The same with many threads, while nobody else calls.
  virtual void build(Row until, unsigned threads) = 0;
  virtual Row rows() const = 0;
  /// Makes rows reachable that adding others cut off, and tells how many. build() ends with it; after many added
  /// rows, and before check(), the caller asks for it.
  virtual Row repair() = 0;

  virtual VectorHits search(const VectorQuery& query) const = 0;

  /// Writes what took long to make into a file, from which LoadVectorIndex makes this index again: the file is the old
  /// or the new one, and durable, when it returns. `tag` is what the reader must ask for: whose index it is, of what
  /// moment. False: there is nothing worth a file. Throws `io` and `full`.
  virtual bool save(const std::string& path, std::string_view tag) const = 0;

  virtual VectorFigures figures() const = 0;
  /// What is wrong with the index itself, if anything: links that lead nowhere, rows that cannot be reached.
  virtual std::optional<std::string> check() const = 0;
};

/// What an index is made over; both outlive it.
struct VectorRows {
  const ExactVectors& vectors;
  const RowVersions& versions;
};

/// For backends: what the sample says. Without one nothing is known of the vectors, and they stay float32.
distance::Codec trained_codec(const VectorShape& shape, const ExactVectors& vectors, std::span<const Row> sample);

/// Makes an index without rows. `sample` (a few thousand rows of `vectors`, or none yet) decides on quantization and
/// what it is centred on.
using MakeVectorIndex =
    std::function<std::unique_ptr<VectorIndex>(const VectorShape&, VectorRows, std::span<const Row> sample)>;

/// What became of a file that save() wrote.
struct LoadedVectorIndex {
  std::unique_ptr<VectorIndex> index;  // null: the file cannot be used, and the index is to be built
  std::string why_not;                 // absent, of another tag or shape, damaged where
};

/// The index as it was saved, over the same vectors; rows that came later are added as ever. The file is not trusted:
/// nothing in it makes this fail, or lets a search leave the index. Throws `io` only.
using LoadVectorIndex =
    std::function<LoadedVectorIndex(const VectorShape&, VectorRows, const std::string& path, std::string_view tag)>;

}  // namespace stele::storage
