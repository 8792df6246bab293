// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/pipeline/byte_arena.h"
#include "engine/pipeline/spill_file.h"
#include "engine/pipeline/stage.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace stele::pipeline {

/// Runs: sorted (key, content) pairs in spill files, and their merging. Equal keys come in the order of the runs.
class Runs {
 public:
  Runs(const Execution& execution, std::string what);
  ~Runs();
  Runs(Runs&&) noexcept;

  /// Begins a run; its pairs follow in order.
  void begin();
  void append(std::string_view key, std::string_view content);
  void end();
  bool empty() const { return runs_.empty(); }
  std::uint64_t bytes() const { return bytes_; }
  /// Takes another's runs behind its own.
  void adopt(Runs&& later);

  /// After the last run. `memory_bytes` is for the buffers; more runs than fit are merged to fewer first.
  void begin_merge(Execution& execution, std::size_t memory_bytes);
  bool next(std::string_view& key, std::string_view& content);

 private:
  struct Run {
    std::shared_ptr<SpillFile> file;
    std::uint64_t begin = 0, end = 0;
  };
  struct Head;
  struct Later;

  void merge_some(Execution& execution, std::size_t fan_in, std::size_t buffer_bytes);
  void open_heads(std::size_t from, std::size_t count, std::size_t buffer_bytes);

  std::string directory_;
  std::uint64_t bytes_max_;
  std::string what_;
  std::shared_ptr<SpillFile> file_;  // that runs are being written to
  std::vector<Run> runs_;
  std::uint64_t bytes_ = 0;
  std::string record_;
  std::vector<Head> heads_;           // of the merge
  std::vector<std::uint32_t> order_;  // a heap of heads, the least first
  std::uint32_t taken_ = UINT32_MAX;  // the head that next() returned last
};

/// Sorts (key, content) pairs by the bytes of their keys, equal keys in the order they came; spills beyond its memory.
class Sorter {
 public:
  Sorter(Execution& execution, std::size_t memory_bytes, std::string what);

  void add(std::string_view key, std::string_view content);
  std::uint64_t count() const { return count_; }
  std::uint64_t spilled_bytes() const { return runs_.bytes(); }

  /// After the last add().
  void finish();
  /// The next pair, until the next call; false at the end.
  bool next(std::string_view& key, std::string_view& content);
  /// The same where the content is a row (row_codec.h).
  bool next_row(Value& row);

 private:
  struct Entry {
    std::uint64_t prefix;  // the key's first bytes, as a number
    const char* at;        // the key, then the content
    std::uint32_t key_size, content_size;
    std::uint32_t number;  // in the order they came
    std::string_view key() const { return {at, key_size}; }
    std::string_view content() const { return {at + key_size, content_size}; }
  };
  void sort_entries();
  void spill();

  Execution& execution_;
  const std::size_t memory_bytes_;
  Runs runs_;
  ByteArena arena_;
  std::vector<Entry> entries_;
  std::size_t position_ = 0;
  std::uint64_t count_ = 0;
};

}  // namespace stele::pipeline
