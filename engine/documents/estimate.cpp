// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/estimate.h"

#include <algorithm>

namespace stele::documents {
namespace {

constexpr std::size_t ranges_counted = 16;  // of many, so many are looked into

std::uint64_t scaled(std::uint64_t value, std::uint64_t by, std::uint64_t per) {
  if (per == 0) return value;
  const auto wide = static_cast<unsigned __int128>(value) * by / per;
  return static_cast<std::uint64_t>(std::min<unsigned __int128>(wide, ~std::uint64_t{0}));
}

std::uint64_t sum(std::uint64_t a, std::uint64_t b) { return b > ~std::uint64_t{0} - a ? ~std::uint64_t{0} : a + b; }

}  // namespace

Estimate& Estimate::operator+=(const Estimate& other) {
  entries = sum(entries, other.entries);
  bytes = sum(bytes, other.bytes);
  exact = exact && other.exact;
  return *this;
}

Estimate estimate(transaction::Reader& reader, storage::Keyspace keyspace, const std::vector<storage::KeyRange>& ranges,
                  std::uint64_t count_max) {
  const std::size_t step = ranges.size() / ranges_counted + 1;
  Estimate counted;
  std::size_t looked_into = 0;
  bool all = step == 1;
  for (std::size_t i = 0; i < ranges.size() && counted.entries < count_max; i += step, ++looked_into) {
    reader.interrupt().check();
    const auto scan = reader.scan(keyspace, ranges[i], transaction::ScanRecord::none);
    bool more = false;
    while (counted.entries < count_max && (more = scan->next())) {
      ++counted.entries;
      counted.bytes += scan->key().size() + scan->value().size();
    }
    all = all && !more;
  }
  if (all && looked_into == ranges.size()) return counted;

  Estimate out;
  out.exact = false;
  if (counted.entries < count_max) {  // all of those looked into
    out.entries = scaled(counted.entries, ranges.size(), looked_into);
    out.bytes = scaled(counted.bytes, ranges.size(), looked_into);
    return out;
  }
  for (std::size_t i = 0; i < ranges.size(); i += step) out.bytes += reader.approximate_bytes(keyspace, ranges[i]);
  out.bytes = std::max(out.bytes * step, counted.bytes);
  out.entries = std::max(scaled(counted.entries, out.bytes, counted.bytes), counted.entries + 1);
  return out;
}

}  // namespace stele::documents
