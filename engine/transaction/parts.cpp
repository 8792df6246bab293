// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A range is halved by its keys, read as numbers, until the store estimates that a half is small enough. Keys need not
// lie evenly in it: a half that holds nothing costs one more estimate. Its least and its greatest key say which bytes
// are digits (0 to 9 in numbered names); a guess, for a middle that does not lie between its ends is not used.
#include "engine/transaction/parts.h"

#include <algorithm>
#include <string>
#include <utility>

namespace stele::transaction {
namespace {
constexpr std::size_t digits_max = 8;

std::size_t common_bytes(std::string_view a, std::string_view b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}
}  // namespace

Pieces::Pieces(Reader& reader, Keyspace keyspace, storage::KeyRange range, std::uint64_t bytes_max)
    : reader_(reader), keyspace_(keyspace), bytes_max_(bytes_max), begin_(range.begin), end_(range.end) {
  const auto up = reader.scan(keyspace, range, ScanRecord::none);
  if (!up->next()) return;
  const auto down = reader.scan(keyspace, std::move(range), ScanRecord::none, Direction::backward);
  if (!down->next() || up->key() >= down->key()) return;
  learn_digits(up->key(), down->key());
  storage::KeyRange all{std::string(up->key()), std::string(down->key())};
  const std::uint64_t bytes = reader.approximate_bytes(keyspace, all);
  uncut_.push_back({std::move(all), bytes});
}

/// What ends a key (key_codec.h) is no digit.
void Pieces::learn_digits(std::string_view least, std::string_view greatest) {
  constexpr std::size_t end_bytes = 2;
  const std::size_t common = common_bytes(least, greatest);
  unsigned char min = 255, max = 0;
  for (const std::string_view key : {least, greatest})
    for (std::size_t i = common; i + end_bytes < key.size(); ++i) {
      min = std::min(min, static_cast<unsigned char>(key[i]));
      max = std::max(max, static_cast<unsigned char>(key[i]));
    }
  if (min > max) return;
  digit_min_ = min;
  radix_ = max - min + 1u;
}

/// The digits from `at` on, with the least behind the key's end.
std::uint64_t Pieces::number_at(std::string_view key, std::size_t at) const {
  std::uint64_t number = 0;
  for (std::size_t i = at; i < at + digits_max; ++i) {
    const unsigned byte = i < key.size() ? static_cast<unsigned char>(key[i]) : digit_min_;
    number = number * radix_ + std::min(byte - std::min<unsigned>(byte, digit_min_), radix_ - 1);
  }
  return number;
}

/// A short key between the two, about in the middle; empty when none is found.
std::string Pieces::middle_of(const std::string& low, const std::string& high) const {
  const std::size_t common = common_bytes(low, high);
  const std::uint64_t from = number_at(low, common), to = number_at(high, common);
  if (from >= to) return {};
  const std::uint64_t middle = from + (to - from) / 2;
  std::uint64_t unit = 1;  // of a digit
  for (std::size_t i = 1; i < digits_max; ++i) unit *= radix_;
  std::string key = low.substr(0, common);
  for (std::size_t i = 0; i < digits_max; ++i, unit /= radix_) {
    key += static_cast<char>(digit_min_ + middle / unit % radix_);
    if (middle / unit * unit > from) break;  // the digits behind it may be left out
  }
  return low < key && key < high ? key : std::string();
}

std::optional<Pieces::Piece> Pieces::next() {
  if (done_) return std::nullopt;
  std::uint64_t gathered = 0;
  while (!uncut_.empty()) {
    auto [part, bytes] = std::move(uncut_.back());
    uncut_.pop_back();
    if (std::string middle; bytes > bytes_max_ / 2 && !(middle = middle_of(part.begin, part.end)).empty()) {
      storage::KeyRange first{std::move(part.begin), middle};
      const std::uint64_t before = std::min(bytes, reader_.approximate_bytes(keyspace_, first));
      uncut_.push_back({{std::move(middle), std::move(part.end)}, bytes - before});
      uncut_.push_back({std::move(first), before});
    } else if (gathered > 0 && gathered + bytes > bytes_max_) {
      storage::KeyRange piece{std::exchange(begin_, part.begin), part.begin};
      uncut_.push_back({std::move(part), bytes});
      return Piece{std::move(piece), gathered};
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
