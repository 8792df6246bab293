// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The file of a graph, all little-endian:
//
//   header   "STELEGR1" | u32 bytes of the rest of the header | u32 dimensions | u8 metric | u8 quantization | u16 m |
//            u32 ef_construction | u32 rows | u32 entry row | u32 entry level | sized tag | mean, dimensions floats
//            (none when nothing is quantized) | u64 XXH3 of all before
//   block    u32 first row | u32 bytes | payload | u64 XXH3 of all of the block before: for each 4,096 rows, in their
//   order payload  for each row: its node as it lies in memory (graph_view.h) without the last 4 bytes | u8 level |
//            its lists of links on the levels from 1 to its own
//
// Nothing follows. The bytes are the same whatever the processor. A checksum finds damage, not malice: links, counts,
// levels and twins are checked for what a walk relies on as well, so that no file makes one leave the graph or go in
// circles.
#pragma once

#include "backends/hnsw/graph.h"
#include "engine/base/files.h"
#include "engine/storage/vector_index.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::hnsw {

struct SnapshotHeader {
  storage::VectorShape shape;  // with the quantization that is used
  Row rows = 0;
  Entry entry;
  std::string tag;
  std::vector<float> mean;
};

/// Temporary name, write, sync, rename, sync of the directory.
void write_snapshot(const std::string& path, const SnapshotHeader& header, const Graph& graph);

class SnapshotReader {
 public:
  /// The header of the file, or why there is none.
  explicit SnapshotReader(const std::string& path);
  const std::optional<SnapshotHeader>& header() const { return header_; }
  const std::string& why_not() const { return why_not_; }

  /// Fills a graph without nodes and with room for header().rows. What is wrong with the file, if anything.
  std::optional<std::string> read_into(Graph& graph);

 private:
  std::optional<std::string> read_block(Graph& graph, Row first);
  bool read(std::uint64_t size, std::string& out);

  std::string path_;
  File file_;
  std::uint64_t size_ = 0;
  std::uint64_t at_ = 0;
  std::optional<SnapshotHeader> header_;
  std::string why_not_;
};

}  // namespace stele::hnsw
