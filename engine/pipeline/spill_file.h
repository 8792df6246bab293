// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/files.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace stele::pipeline {

/// A temporary file that is written once, from its begin to its end, and then read. It has lost its name when the
/// constructor returns: nothing is left of it when it is closed or the process dies.
class SpillFile {
 public:
  /// `too_large` when there is no directory; `bytes_max`: then too_large as well. `what` names the stage.
  SpillFile(const std::string& directory, std::uint64_t bytes_max, std::string what);

  void append(std::string_view bytes);
  /// What was appended is there for readers.
  void flush();
  std::uint64_t size() const { return written_ + buffer_.size(); }

  /// Reads up to `size` bytes at `offset`; less only at the end.
  void read(std::uint64_t offset, std::size_t size, std::string& out) const;

 private:
  File file_;
  std::string directory_;
  std::uint64_t bytes_max_;
  std::string what_;
  std::string buffer_;
  std::uint64_t written_ = 0;
};

/// What a spill file leaves when the process dies between two system calls: removed when the store is opened.
void remove_spill_files(const std::string& directory);

/// Records that were appended to a file with their size in front, read one after the other.
class SpillReader {
 public:
  SpillReader(const SpillFile& file, std::uint64_t begin, std::uint64_t end, std::size_t buffer_bytes)
      : file_(&file), at_(begin), end_(end), buffer_bytes_(buffer_bytes) {}

  /// The next record, until the next call; false at the end.
  bool next(std::string_view& record);

 private:
  bool fill(std::size_t needed);

  const SpillFile* file_;
  std::uint64_t at_, end_;  // what is not in the buffer yet
  std::size_t buffer_bytes_;
  std::string buffer_, more_;
  std::size_t position_ = 0;
};

}  // namespace stele::pipeline
