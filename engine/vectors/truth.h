// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The vectors as they are: what everything else of an index is derived from. Keyspace vectors:
//
//   (id index, id 0)                         ->  empty; there while the index is
//   (id index, id 1, _id element)            ->  dimensions float32, little-endian, as they were given
//   (id index, id 2, u64 gseq, _id element)  ->  empty: that commit changed the document's vector
//   (id index, id 3)                         ->  key of the document that the index's build goes on from
//   (id index, id 4)                         ->  u64 gseq, little-endian: changes up to it are no longer there
//
// The _id element is the end of the document's key. A vector is written like any other key, so that reading at a
// snapshot, one's own writes, conflicts and recovery are those of all data. The changes, which only commits know the
// order of, are late writes; with them a saved graph catches up, and they go when a graph is saved.
#pragma once

#include "engine/storage/vector_shape.h"
#include "engine/transaction/transaction.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stele::vectors {

using storage::Keyspace;

std::string index_prefix(std::uint64_t index);
std::string made_key(std::uint64_t index);
std::string vectors_prefix(std::uint64_t index);
std::string vector_key(std::uint64_t index, std::string_view id_element);
std::string changes_key(std::uint64_t index, std::uint64_t gseq);  // the first of that commit
std::string build_position_key(std::uint64_t index);
std::string trimmed_key(std::uint64_t index);

/// All vectors of the index.
storage::KeyRange vectors_range(std::uint64_t index);

void make(transaction::Transaction& transaction, std::uint64_t index, const storage::VectorShape& shape);
/// With all that the index has.
void drop(transaction::Transaction& transaction, std::uint64_t index);

/// The document's vector from now on. `invalid` as prepare() says. Waits while the index has too many vectors that are
/// not in its graph.
void set(transaction::Transaction& transaction, std::uint64_t index, const storage::VectorShape& shape,
         std::string_view id_element, std::span<const float> vector);
/// The transaction changes documents of the index's collection: what a filter found of them before is no longer true.
void touch(transaction::Transaction& transaction, std::uint64_t index);
/// False when it has none.
bool remove(transaction::Transaction& transaction, std::uint64_t index, std::string_view id_element);

/// As it was given; empty: none. `corrupt` when it is not `dimensions` floats.
std::optional<std::vector<float>> get(transaction::Reader& reader, std::uint64_t index, std::uint32_t dimensions,
                                      std::string_view id_element);
/// The floats of a value.
std::vector<float> floats(std::string_view value, std::uint32_t dimensions);

/// Calls `visit(id element, floats)` for each vector as the reader sees it, in the order of ids; counts as read.
void for_each(transaction::Reader& reader, std::uint64_t index, std::uint32_t dimensions,
              const std::function<void(std::string_view, std::span<const float>)>& visit,
              transaction::ScanRecord record = transaction::ScanRecord::range);
/// Calls `visit(id element, gseq)` for each change after that commit, in their order.
void for_each_change(transaction::Reader& reader, std::uint64_t index, std::uint64_t after,
                     const std::function<void(std::string_view, std::uint64_t)>& visit);

/// Whether the transaction has written vectors of the index, and which: null for one it has removed. More than
/// `count_max`, or all of them removed at once: empty.
struct OwnWrite {
  std::string_view id_element;
  std::optional<std::vector<float>> vector;
};
std::optional<std::vector<OwnWrite>> own_writes(const transaction::Transaction& transaction, std::uint64_t index,
                                                std::uint32_t dimensions, std::size_t count_max);

}  // namespace stele::vectors
