// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/events/sketches.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numbers>
#include <utility>

namespace stele::events {

namespace {

constexpr std::size_t hashes_max = 128;
constexpr int precision = 11;
constexpr std::size_t registers = std::size_t{1} << precision;
constexpr std::uint64_t dense = std::uint64_t{1} << 32;

constexpr double accuracy = 0.01;
const double log_gamma = std::log((1 + accuracy) / (1 - accuracy));
constexpr std::size_t buckets_max = 2048;
constexpr double least_magnitude = 1e-300;  // less counts as zero

std::int32_t bucket_of(double magnitude) {
  return static_cast<std::int32_t>(std::ceil(std::log(magnitude) / log_gamma));
}
double value_of(std::int32_t bucket) { return 2 * std::exp(bucket * log_gamma) / (1 + std::exp(log_gamma)); }

}  // namespace

void Distinct::add(std::uint64_t hash) {
  if (!registers_.empty()) return add_to_registers(hash);
  const auto at = std::ranges::lower_bound(hashes_, hash);
  if (at != hashes_.end() && *at == hash) return;
  hashes_.insert(at, hash);
  if (hashes_.size() > hashes_max) spill();
}

void Distinct::spill() {
  registers_.assign(registers, '\0');
  for (const std::uint64_t hash : hashes_) add_to_registers(hash);
  hashes_.clear();
}

void Distinct::add_to_registers(std::uint64_t hash) {
  const std::size_t at = hash >> (64 - precision);
  const auto rank =
      static_cast<char>(std::countl_zero((hash << precision) | (std::uint64_t{1} << (precision - 1))) + 1);
  registers_[at] = std::max(registers_[at], rank);
}

void Distinct::merge(const Distinct& other) {
  if (!other.registers_.empty()) {
    if (registers_.empty()) spill();
    for (std::size_t i = 0; i < registers; ++i) registers_[i] = std::max(registers_[i], other.registers_[i]);
  }
  for (const std::uint64_t hash : other.hashes_) add(hash);
}

namespace {

// The power series of Ertl's estimator, summed until they stand still.
double sigma(double x) {  // 0 to below 1
  double sum = x;
  double before = -1;
  for (double weight = 1; sum != before; weight *= 2) {
    x *= x;
    before = std::exchange(sum, sum + x * weight);
  }
  return sum;
}

double tau(double x) {  // 0 to 1
  if (x <= 0 || x >= 1) return 0;
  double sum = 1 - x;
  double before = -1;
  for (double weight = 0.5; sum != before; weight /= 2) {
    x = std::sqrt(x);
    before = std::exchange(sum, sum - (1 - x) * (1 - x) * weight);
  }
  return sum / 3;
}

}  // namespace

std::uint64_t Distinct::estimate() const {
  if (registers_.empty()) return hashes_.size();
  constexpr std::size_t rank_max = 64 - precision + 1;
  std::array<double, rank_max + 1> with_rank{};
  for (const char rank : registers_) ++with_rank[std::min<std::size_t>(static_cast<unsigned char>(rank), rank_max)];
  constexpr double m = registers;
  if (with_rank[0] == m) return 0;
  double sum = m * tau(1 - with_rank[rank_max] / m);
  for (std::size_t rank = rank_max - 1; rank > 0; --rank) sum = (sum + with_rank[rank]) / 2;
  sum += m * sigma(with_rank[0] / m);
  return static_cast<std::uint64_t>(std::min(m * m / (2 * std::numbers::ln2 * sum), 1e18));
}

void Distinct::encode(std::string& out) const {
  if (!registers_.empty()) {
    append_varint(out, dense);
    out += registers_;
    return;
  }
  append_varint(out, hashes_.size());
  for (const std::uint64_t hash : hashes_) append_fixed(out, hash);
}

bool Distinct::decode(ByteReader& reader) {
  std::uint64_t count = 0;
  if (!reader.varint(count)) return false;
  if (count == dense) {
    std::string_view bytes;
    if (!reader.bytes(registers, bytes)) return false;
    registers_ = bytes;
    return true;
  }
  if (count > hashes_max) return false;
  hashes_.resize(count);
  for (std::uint64_t& hash : hashes_)
    if (!reader.fixed(hash)) return false;
  return std::ranges::is_sorted(hashes_);
}

void Quantiles::add(double value) {
  least_ = count_ == 0 ? value : std::min(least_, value);
  greatest_ = count_ == 0 ? value : std::max(greatest_, value);
  ++count_;
  const double magnitude = std::abs(value);
  if (magnitude < least_magnitude) {
    ++zeros_;
    return;
  }
  Buckets& buckets = value > 0 ? positive_ : negative_;
  ++buckets[bucket_of(magnitude)];
  collapse(buckets);
}

void Quantiles::collapse(Buckets& buckets) {
  while (buckets.size() > buckets_max) {
    const auto least = buckets.begin();
    std::next(least)->second += least->second;
    buckets.erase(least);
  }
}

void Quantiles::merge(const Quantiles& other) {
  if (other.empty()) return;
  least_ = empty() ? other.least_ : std::min(least_, other.least_);
  greatest_ = empty() ? other.greatest_ : std::max(greatest_, other.greatest_);
  count_ += other.count_;
  zeros_ += other.zeros_;
  for (const auto& [bucket, count] : other.positive_) positive_[bucket] += count;
  for (const auto& [bucket, count] : other.negative_) negative_[bucket] += count;
  collapse(positive_);
  collapse(negative_);
}

double Quantiles::quantile(double rank) const {
  const auto wanted = static_cast<std::uint64_t>(rank * static_cast<double>(count_ - 1));
  const auto within = [&](double value) { return std::clamp(value, least_, greatest_); };
  std::uint64_t seen = 0;
  for (auto bucket = negative_.rbegin(); bucket != negative_.rend(); ++bucket)
    if ((seen += bucket->second) > wanted) return within(-value_of(bucket->first));
  if ((seen += zeros_) > wanted) return within(0);
  for (const auto& [bucket, count] : positive_)
    if ((seen += count) > wanted) return within(value_of(bucket));
  return greatest_;
}

void Quantiles::encode(std::string& out) const {
  append_varint(out, zeros_);
  append_fixed(out, std::bit_cast<std::uint64_t>(least_));
  append_fixed(out, std::bit_cast<std::uint64_t>(greatest_));
  for (const Buckets* buckets : {&positive_, &negative_}) {
    append_varint(out, buckets->size());
    for (const auto& [bucket, count] : *buckets) {
      append_varint(out, (static_cast<std::uint32_t>(bucket) << 1) ^ static_cast<std::uint32_t>(bucket >> 31));
      append_varint(out, count);
    }
  }
}

bool Quantiles::decode(ByteReader& reader) {
  std::uint64_t least = 0;
  std::uint64_t greatest = 0;
  if (!reader.varint(zeros_) || !reader.fixed(least) || !reader.fixed(greatest)) return false;
  least_ = std::bit_cast<double>(least);
  greatest_ = std::bit_cast<double>(greatest);
  count_ = zeros_;
  for (Buckets* buckets : {&positive_, &negative_}) {
    std::uint64_t size = 0;
    if (!reader.varint(size) || size > buckets_max) return false;
    for (std::uint64_t i = 0; i < size; ++i) {
      std::uint64_t zigzag = 0;
      std::uint64_t count = 0;
      if (!reader.varint(zigzag) || !reader.varint(count) || zigzag > UINT32_MAX) return false;
      const auto index = static_cast<std::int32_t>((zigzag >> 1) ^ (~(zigzag & 1) + 1));
      buckets->emplace_hint(buckets->end(), index, count);
      count_ += count;
    }
  }
  return count_ == 0 || least_ <= greatest_;
}

}  // namespace stele::events
