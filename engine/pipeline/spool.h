// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/pipeline/spill_file.h"
#include "engine/pipeline/stage.h"

#include <memory>
#include <optional>
#include <string>

namespace stele::pipeline {

/// Rows that are read again, once or several times; in a spill file when they exceed the memory.
class Spool {
 public:
  Spool(Execution& execution, std::size_t memory_bytes, std::string what);

  void add(const Value& row);
  void add_all(Rows& input);
  /// After the last add(). The rows live as long as the spool.
  RowsPtr rows() const;
  std::uint64_t spilled_bytes() const { return file_ ? file_->size() : 0; }
  std::uint64_t count() const { return count_; }

 private:
  class Reading;

  Execution& execution_;
  const std::size_t memory_bytes_;
  const std::string what_;
  std::string buffer_;  // records: size, row; empty when there is a file
  std::unique_ptr<SpillFile> file_;
  std::uint64_t count_ = 0;
  std::string row_;
};

}  // namespace stele::pipeline
