// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/transaction/reader.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace stele::transaction {

/// Cuts a range from front to back into pieces of half to all of `bytes_max` bytes, as the store estimates them. What
/// is in them is not read: a piece may be empty. The reader outlives this.
class Pieces {
 public:
  Pieces(Reader& reader, Keyspace keyspace, storage::KeyRange range, std::uint64_t bytes_max);

  struct Piece {
    storage::KeyRange range;
    std::uint64_t bytes;
  };
  /// Empty when all is cut.
  std::optional<Piece> next();

 private:
  void learn_digits(std::string_view least, std::string_view greatest);
  std::uint64_t number_at(std::string_view key, std::size_t at) const;
  std::string middle_of(const std::string& low, const std::string& high) const;

  Reader& reader_;
  const Keyspace keyspace_;
  const std::uint64_t bytes_max_;
  std::string begin_;  // of the next piece
  const std::string end_;
  std::vector<Piece> uncut_;     // between the range's least and greatest key, the last comes first
  unsigned char digit_min_ = 0;  // keys are read as numbers of these digits
  unsigned radix_ = 256;
  bool done_ = false;
};

/// Cuts a range into at most `count` parts of about the same size, one behind the other; fewer when it holds less than
/// `least_bytes` for each.
std::vector<storage::KeyRange> parts_of(Reader& reader, Keyspace keyspace, const storage::KeyRange& range,
                                        std::size_t count, std::uint64_t least_bytes);

}  // namespace stele::transaction
