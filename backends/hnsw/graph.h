// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backends/hnsw/walk.h"

#include <memory>

namespace stele::hnsw {

/// hnswlib's graph, of which it uses storage, the choice of links and their mutual setting; label table, deletion
/// marks, updates in place, searches and files of hnswlib stay unused (each has known defects under concurrency). A
/// node's number is its row.
///
/// insert<locked> may run in many threads, with nobody reading; insert<alone> in one, beside readers that read
/// `beside`. reserve() wants nobody else.
class Graph {
 public:
  Graph(const distance::Codec& codec, std::uint32_t m, std::uint32_t ef_construction, Row capacity);
  ~Graph();

  /// The row's record joins the graph; links to rows from `limit` on are passed over. Row numbers are below capacity(),
  /// each inserted once: a failure (memory) may leave the node linked by halves, and the graph takes no more.
  template <Reading reading>
  void insert(Row row, const char* record, Row limit);

  Row capacity() const;
  void reserve(Row capacity);

  /// Links in rows below `rows` that no way along the lowest level leads to from the entry: hnswlib drops a node's last
  /// link when its neighbours have nearer ones. In the thread that inserts, or beside no insert. The number of rows.
  Row repair(Row rows);

  /// Valid until reserve().
  const GraphView& view() const { return view_; }
  int level_of(Row row) const;
  /// Only beside no insert.
  Entry entry() const;

  /// For a graph read from a file: the node's bytes are put into view() by hand, and its upper levels, all without
  /// links, are made here. Throws std::bad_alloc.
  void restore(Row row, int level);
  void restore(Entry entry);

  std::uint64_t bytes(Row rows) const;

 private:
  class Impl;
  void refresh_view();

  const distance::Codec& codec_;
  const std::size_t lowest_links_;  // at most, a node
  std::unique_ptr<Impl> impl_;
  GraphView view_;
};

}  // namespace stele::hnsw
