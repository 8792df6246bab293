// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace stele::pipeline {

/// Bytes that stay where they are until all are given up together.
class ByteArena {
 public:
  /// Both, one behind the other.
  const char* store(std::string_view first, std::string_view second) {
    char* at = reserve(first.size() + second.size());
    first.copy(at, first.size());
    second.copy(at + first.size(), second.size());
    return at;
  }
  /// What it takes, about.
  std::size_t bytes() const { return bytes_; }
  void clear() { *this = ByteArena(); }
  /// Takes over what another holds, which stays where it is.
  void adopt(ByteArena&& other) {
    blocks_.insert(blocks_.begin(), std::make_move_iterator(other.blocks_.begin()),
                   std::make_move_iterator(other.blocks_.end()));
    bytes_ += std::exchange(other.bytes_, 0);
    other.clear();
  }

 private:
  static constexpr std::size_t block_bytes = std::size_t{256} << 10;

  char* reserve(std::size_t size) {
    if (size > block_bytes / 4) {  // one of its own, not the one in use
      bytes_ += size;
      blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
      return blocks_.back().get();
    }
    if (size > left_) {
      bytes_ += block_bytes;
      blocks_.push_back(std::make_unique_for_overwrite<char[]>(block_bytes));
      at_ = blocks_.back().get();
      left_ = block_bytes;
    }
    left_ -= size;
    return std::exchange(at_, at_ + size);
  }

  std::vector<std::unique_ptr<char[]>> blocks_;
  char* at_ = nullptr;
  std::size_t left_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace stele::pipeline
