// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/events/sketches.h"
#include "engine/model/value.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::events {

/// One result of a window.
struct Aggregate {
  enum class Of : std::uint8_t { count, sum, min, max, avg, distinct, quantiles };
  std::string name;
  Of of = Of::count;
  std::string path;
  std::string label = {};  // the name as it stands in JSON, with its colon
};

/// {"n":"count","total":{"sum":"amount"}}; `invalid` for what is no such object.
std::vector<Aggregate> parse_aggregates(std::string_view json);

/// A number as it came; both kinds compare exactly.
struct Number {
  bool is_whole = true;
  std::int64_t whole = 0;
  double real = 0;  // when it is not whole
};

/// What the events of one stretch and key come to, so far. Merging is commutative.
class Totals {
 public:
  explicit Totals(const std::vector<Aggregate>& aggregates) : parts_(aggregates.size()) {}

  /// `data`: the event's, or null when no aggregate needs it.
  void add(const std::vector<Aggregate>& aggregates, const model::Value* data);
  void merge(const std::vector<Aggregate>& aggregates, const Totals& other);
  /// The same, but for what the order of additions does to a sum of doubles.
  bool agrees(const std::vector<Aggregate>& aggregates, const Totals& other) const;
  /// {"n":12,"total":30}
  std::string values(const std::vector<Aggregate>& aggregates) const;

  // Of each aggregate: u64 count · sum, avg: i128 sum of integers · f64 sum of others · u8 any others · min, max: f64,
  // or of an integer beyond 2^53 the NaN 0x7FF8000000000001 · i64 · or its sketch
  void encode(const std::vector<Aggregate>& aggregates, std::string& out) const;
  /// In the place of what it was.
  bool decode(const std::vector<Aggregate>& aggregates, std::string_view bytes);

 private:
  struct Part {
    std::uint64_t count = 0;
    __int128 integers = 0;
    double reals = 0;
    bool any_reals = false;
    Number extreme;
    Distinct distinct;
    Quantiles quantiles;
  };
  std::vector<Part> parts_;
};

}  // namespace stele::events
