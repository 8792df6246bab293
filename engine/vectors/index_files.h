// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What is saved of an index, so that opening does not make it anew. In DIR/vectors, all derived:
//
//   <id>.rows           says which of the others belong together; replaced as a whole
//   <id>-<uuid>.f32     the rows' float32 vectors, of unit length for cosine; one file a generation, appended to
//   <id>-<uuid>.graph   the backend's own (for hnsw: backends/hnsw/snapshot.h); one file a save
//
// <id>.rows, little-endian:
//   "STELEVR1" | sized store identity | u64 index | u32 dimensions | u8 metric | u64 gseq | u32 rows
//   sized name of the .f32 | sized name of the .graph, empty: none
//   u64 XXH3 of each 4,096 rows of the .f32, in their order
//   of each row: u8 live at gseq | sized _id element (empty when not live)
//   u64 XXH3 of all before
//
// A file is used when it is of this store and index, whole, not of a commit that the store does not have, and not older
// than the changes that are kept (truth.h): then those bring it up to date. The graph is bound to it by a tag, the rest
// by checksums. Whatever is doubtful is made anew from the store.
#pragma once

#include "engine/transaction/store.h"
#include "engine/vectors/generation.h"

#include <memory>
#include <string>
#include <vector>

namespace stele::vectors {

class IndexFiles {
 public:
  IndexFiles(transaction::Store& store, std::uint64_t index, const storage::VectorShape& shape,
             const storage::VectorIndexBackend& backend);

  /// False: the store is in memory, and so is all of this.
  bool kept() const { return !directory_.empty(); }
  /// For a new generation; empty when nothing is kept.
  std::string new_floats_path() const;

  struct Loaded {
    std::shared_ptr<Generation> generation;  // as of the reader's moment; null: it is to be read from the store
    std::string why_not;                     // empty: there was no file
  };
  Loaded load(transaction::Reader& reader);

  /// The rows and the graph as of that commit, which is durable; then removes what they replace. By the upkeep's
  /// thread.
  void save(Generation& generation, storage::Sequence gseq);

  void remove_all() const noexcept;
  /// Removes the files of indexes that are not there.
  static void remove_others(transaction::Store& store, const std::vector<std::uint64_t>& indexes);

 private:
  struct Header;
  std::string rows_path() const { return directory_ + "/" + std::to_string(index_) + ".rows"; }
  std::string prefix() const { return std::to_string(index_) + "-"; }
  std::string tag(const std::string& graph_name, storage::Sequence gseq) const;
  Loaded read(transaction::Reader& reader, std::string_view bytes);
  void catch_up(Generation& generation, transaction::Reader& reader, storage::Sequence gseq) const;
  void remove_replaced(const std::string& floats, const std::string& graph) const;

  const std::uint64_t index_;
  const storage::VectorShape shape_;
  const storage::VectorIndexBackend& backend_;
  const std::string identity_;
  std::string directory_;
};

}  // namespace stele::vectors
