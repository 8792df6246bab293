// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What the catalog says of a collection, stream or cache. On disk a JSON object:
//
//   {"id":17,
//    "indexes":[{"id":18,"name":"author_1","keys":{"author":1},"unique":true,"sparse":true,"partial":{…},
//                "expire_after_seconds":60,"state":"building|ready|failed","failure":"…"}],
//    "settings":{…},
//    "vector_indexes":[{"id":19,"path":"embedding","dimensions":384,"metric":"cosine","quantization":"int8","m":16,
//                       "ef_construction":200,"state":"building"}],
//    "validator":{…},"validation_action":"warn","validation_level":"moderate"}
//
// Members other than id are left out when they say nothing.
#pragma once

#include "engine/model/filter.h"
#include "engine/model/path.h"

#include <stele/documents.h>
#include <stele/vectors.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::catalog {

enum class Kind : std::uint8_t { collection = 1, stream = 2, cache = 3 };

std::string_view name(Kind kind);

struct IndexField {
  model::Path path;
  bool descending = false;
};

struct Index {
  /// Every writer keeps up the entries of one that is building or ready; only a ready one answers queries. A failed
  /// one has no entries that anybody may trust, and waits to be dropped.
  enum class State : std::uint8_t { building, ready, failed };

  std::uint64_t id = 0;
  std::string name;
  std::vector<IndexField> fields;
  bool unique = false;
  bool sparse = false;                              // documents that have none of the fields have no entry
  std::string partial;                              // a filter; documents that do not match have no entry; empty: none
  std::optional<std::int64_t> expire_after_seconds; // after the date at its field a document is gone
  State state = State::building;
  std::string failure;

  std::shared_ptr<const model::Filter> partial_filter;  // `partial`, compiled

  bool maintained() const { return state != State::failed; }
  /// {"author":1,"published":-1}
  std::string keys_json() const;
};

/// Of vectors, at most one a document (engine/vectors/truth.h).
struct VectorIndex {
  std::uint64_t id = 0;
  model::Path path;
  VectorIndexOptions options;
  bool building = false;  // documents that were there before it may have a vector that is not in it yet
};

struct Definition {
  Kind kind = Kind::collection;
  std::string name;
  std::uint64_t id = 0;
  std::vector<Index> indexes;
  std::vector<VectorIndex> vector_indexes;
  CollectionOptions options;
  std::string settings;  // of a stream or cache: a JSON object that its tier reads; empty: none

  std::shared_ptr<const model::Filter> validator;  // that of the options, compiled; null: none

  const Index* index(std::string_view index_name) const;
  const VectorIndex* vector_index(std::string_view path) const;
  bool expires() const;  // some index removes documents by age
};

std::string_view name(Index::State state);
std::string_view name(Metric metric);
std::string_view name(Quantization quantization);
std::string_view name(ValidationAction action);
std::string_view name(ValidationLevel level);

/// Gives it the options; `invalid` or `unsupported` for a validator that is no filter.
void set_options(Definition& definition, const CollectionOptions& options, const json::Limits& limits);

/// {"author":1,"published":-1} as fields; `invalid` for no fields, other directions, empty steps, a field twice.
std::vector<IndexField> parse_index_fields(std::string_view json, const json::Limits& limits = {});
/// The path of a vector index: members of objects, no array on the way; `invalid` for others.
model::Path parse_vector_path(std::string_view path);
/// The definition as a JSON object.
model::Value to_value(const VectorIndex& index);

/// MongoDB's: author_1_published_-1
std::string default_index_name(const std::vector<IndexField>& fields);

std::string to_json(const Definition& definition);
/// `corrupt` for what to_json() does not write.
Definition parse_definition(Kind kind, std::string_view name, std::string_view json);

}  // namespace stele::catalog
