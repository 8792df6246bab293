// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/transaction/parts.h"

#include <algorithm>
#include <optional>
#include <string>

namespace stele::transaction {
namespace {

struct Ends {
  std::string first, last;
};

/// The least and the greatest key in the range.
std::optional<Ends> ends_of(Reader& reader, Keyspace keyspace, const storage::KeyRange& range) {
  const auto up = reader.scan(keyspace, range, ScanRecord::none);
  if (!up->next()) return std::nullopt;
  const auto down = reader.scan(keyspace, range, ScanRecord::none, Direction::backward);
  if (!down->next()) return std::nullopt;
  return Ends{std::string(up->key()), std::string(down->key())};
}

/// A key below which the range holds about `target` bytes: byte by byte, each the greatest that stays below.
std::string key_at(Reader& reader, Keyspace keyspace, const Ends& ends, std::uint64_t target, std::uint64_t exact) {
  constexpr std::size_t bytes_more_max = 12;
  const auto below = [&](const std::string& key) {
    return key <= ends.first ? 0 : reader.approximate_bytes(keyspace, {ends.first, key});
  };
  const auto common = std::ranges::mismatch(ends.first, ends.last).in1 - ends.first.begin();
  std::string key = ends.first.substr(0, static_cast<std::size_t>(common));
  for (std::size_t i = 0; i < bytes_more_max; ++i) {
    unsigned low = 0, high = 256;
    key.push_back('\0');
    while (high - low > 1) {
      const unsigned middle = (low + high) / 2;
      key.back() = static_cast<char>(middle);
      (key <= ends.last && below(key) <= target ? low : high) = middle;
    }
    key.back() = static_cast<char>(low);
    if (target - std::min(target, below(key)) <= exact) break;
  }
  return key;
}

}  // namespace

std::vector<storage::KeyRange> parts_of(Reader& reader, Keyspace keyspace, const storage::KeyRange& range,
                                        std::size_t count, std::uint64_t least_bytes) {
  const std::uint64_t bytes = reader.approximate_bytes(keyspace, range);
  count = static_cast<std::size_t>(std::min<std::uint64_t>(count, bytes / std::max<std::uint64_t>(least_bytes, 1)));
  std::vector<storage::KeyRange> parts = {range};
  const auto ends = count > 1 ? ends_of(reader, keyspace, range) : std::nullopt;
  if (!ends) return parts;
  for (std::size_t i = 1; i < count; ++i) {
    std::string key = key_at(reader, keyspace, *ends, bytes / count * i, bytes / count / 50);
    if (key <= parts.back().begin || key <= ends->first || key > ends->last) continue;
    parts.back().end = key;
    parts.push_back({std::move(key), range.end});
  }
  return parts;
}

}  // namespace stele::transaction
