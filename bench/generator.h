// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Documents made from numbers alone, so that every subject, machine and day has the same: document i of a collection
// can be made without those before it.
#pragma once

#include <cstdint>
#include <string>

namespace stele::bench {

/// Of the first document and event, UTC.
inline constexpr std::int64_t first_moment_ms = 1'700'000'000'000;

/// sfc32, one sequence for each (stream, item). Never draw twice in one expression: C++ leaves the order open.
class Sequence {
 public:
  Sequence(std::uint32_t stream, std::uint32_t item);
  std::uint32_t next();
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>((std::uint64_t{next()} * bound) >> 32); }

 private:
  std::uint32_t a_, b_, c_, d_;
};

/// "d00000017"
std::string generated_id(std::uint32_t number);

/// Document `number` of a collection of `count`, about 480 bytes: _id, n, rev, grp (count / 10 groups), score (below
/// 1,000,000), status, user{id, name, plan, address{city, zip}}, tags[3], items[3]{sku, qty, price}, created, note.
/// Of ten users one has the plan "pro"; there are 1,000 zips.
std::string generated_document(std::uint32_t number, std::uint32_t count, std::uint32_t revision = 0);

/// Throws when this build does not make the documents it should.
void check_generator();

}  // namespace stele::bench
