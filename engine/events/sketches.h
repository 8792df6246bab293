// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Summaries that merge: how many different values, and their quantiles.
#pragma once

#include "engine/base/bytes.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace stele::events {

/// Exact up to 128 hashes, then HyperLogLog with 2^11 registers (Flajolet et al. 2007), read by the improved estimator
/// of Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017), which has no bias between few and
/// many: standard error 1.04 / sqrt(2048) = 2.3 % throughout, so one estimate in twenty is off by more than 4.6 %.
class Distinct {
 public:
  void add(std::uint64_t hash);
  void merge(const Distinct& other);
  std::uint64_t estimate() const;
  bool empty() const { return hashes_.empty() && registers_.empty(); }

  // varint number of hashes · u64 each; or varint 2^32 · 2048 bytes of registers
  void encode(std::string& out) const;
  bool decode(ByteReader& reader);

 private:
  void add_to_registers(std::uint64_t hash);
  void spill();

  std::vector<std::uint64_t> hashes_;  // ascending; while few
  std::string registers_;
};

/// DDSketch (Masson, Rim, Lee 2019): counts by powers of (1 + a)/(1 - a), so every quantile is within a = 1 % of a
/// value of that rank. At most 2,048 buckets a sign; then the least ones are one.
class Quantiles {
 public:
  void add(double value);
  void merge(const Quantiles& other);
  bool empty() const { return count_ == 0; }
  double quantile(double rank) const;  // of 0 to 1; not empty

  // varint zeros · f64 bits least · greatest · for each sign: varint buckets, each varint zigzag index · varint count
  void encode(std::string& out) const;
  bool decode(ByteReader& reader);

 private:
  using Buckets = std::map<std::int32_t, std::uint64_t>;
  static void collapse(Buckets& buckets);

  std::uint64_t count_ = 0;
  std::uint64_t zeros_ = 0;
  double least_ = 0;
  double greatest_ = 0;
  Buckets positive_;
  Buckets negative_;  // by magnitude
};

}  // namespace stele::events
