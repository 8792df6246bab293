// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A range is halved by its keys' bytes, read as numbers, until the store estimates that a half is small enough. Keys need
// not lie evenly in it: a half that holds nothing costs one more estimate.
#include "engine/transaction/parts.h"

#include <algorithm>
#include <string>
#include <utility>

namespace stele::transaction {
namespace {

/// Eight bytes from `at` on as a number, with zeros behind the key's end.
std::uint64_t number_at(std::string_view key, std::size_t at) {
  std::uint64_t number = 0;
  for (std::size_t i = at; i < at + 8; ++i) number = number << 8 | (i < key.size() ? static_cast<unsigned char>(key[i]) : 0u);
  return number;
}

/// A short key above `low` and below `high`, about in the middle; empty when they differ too little.
std::string middle_of(const std::string& low, const std::string& high) {
  const auto common = static_cast<std::size_t>(std::ranges::mismatch(low, high).in1 - low.begin());
  const std::uint64_t from = number_at(low, common), to = number_at(high, common);
  const std::uint64_t middle = from + (to - from) / 2;
  for (unsigned bytes = 1; bytes <= 8; ++bytes) {
    const unsigned unused = 64 - 8 * bytes;
    if (middle >> unused << unused <= from) continue;
    std::string key = low.substr(0, common);
    for (unsigned i = 0; i < bytes; ++i) key += static_cast<char>(middle >> (56 - 8 * i));
    return key;
  }
  return {};
}

}  // namespace

Pieces::Pieces(Reader& reader, Keyspace keyspace, storage::KeyRange range, std::uint64_t bytes_max)
    : reader_(reader), keyspace_(keyspace), bytes_max_(bytes_max), begin_(range.begin), end_(range.end) {
  const auto up = reader.scan(keyspace, range, ScanRecord::none);
  if (!up->next()) return;
  const auto down = reader.scan(keyspace, std::move(range), ScanRecord::none, Direction::backward);
  if (down->next()) uncut_.push_back({std::string(up->key()), std::string(down->key())});
}

std::optional<Pieces::Piece> Pieces::next() {
  if (done_) return std::nullopt;
  std::uint64_t gathered = 0;
  while (!uncut_.empty()) {
    storage::KeyRange part = std::move(uncut_.back());
    uncut_.pop_back();
    const std::uint64_t bytes = part.begin < part.end ? reader_.approximate_bytes(keyspace_, part) : 0;
    std::string middle = bytes > bytes_max_ / 2 ? middle_of(part.begin, part.end) : std::string();
    if (!middle.empty()) {
      uncut_.push_back({middle, std::move(part.end)});
      uncut_.push_back({std::move(part.begin), std::move(middle)});
    } else if (gathered > 0 && gathered + bytes > bytes_max_) {
      std::string begin = std::exchange(begin_, part.begin);
      std::string end = part.begin;
      uncut_.push_back(std::move(part));
      return Piece{{std::move(begin), std::move(end)}, gathered};
    } else {
      gathered += bytes;
    }
  }
  done_ = true;
  return Piece{{std::move(begin_), end_}, gathered};
}

std::vector<storage::KeyRange> parts_of(Reader& reader, Keyspace keyspace, const storage::KeyRange& range,
                                        std::size_t count, std::uint64_t least_bytes) {
  constexpr std::uint64_t pieces_a_part = 32;
  const std::uint64_t bytes = reader.approximate_bytes(keyspace, range);
  count = static_cast<std::size_t>(std::min<std::uint64_t>(count, bytes / std::max<std::uint64_t>(least_bytes, 1)));
  if (count < 2) return {range};
  std::vector<storage::KeyRange> parts;
  std::uint64_t before = 0;
  std::string begin = range.begin;
  Pieces pieces(reader, keyspace, range, bytes / count / pieces_a_part + 1);
  while (const auto piece = pieces.next()) {
    before += piece->bytes;
    const bool last = piece->range.end == range.end;
    if (!last && (parts.size() + 1 == count || before < bytes / count * (parts.size() + 1))) continue;
    parts.push_back({std::exchange(begin, piece->range.end), piece->range.end});
  }
  return parts;
}

}  // namespace stele::transaction
