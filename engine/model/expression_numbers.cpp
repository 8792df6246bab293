// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/expression_numbers.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace stele::model {
namespace {

constexpr auto int_least = std::numeric_limits<std::int64_t>::min(),
               int_most = std::numeric_limits<std::int64_t>::max();

// 10^exponent; empty when it leaves 64 bits.
std::optional<std::int64_t> power_of_ten(int exponent) {
  if (exponent > 18) return std::nullopt;
  std::int64_t power = 1;
  for (; exponent > 0; --exponent) power *= 10;
  return power;
}

// All the digits a double has behind its point, or as many as asked for.
std::string digits_of(double value, int precision) {
  std::string digits(1500, '\0');
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed, precision).ptr;
  digits.resize(static_cast<std::size_t>(end - digits.data()));
  return digits;
}

double number_of(std::string_view digits) {
  double value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

}  // namespace

void Sum::add(const Value& number) {
  if (number.is_integer())
    add(number.integer());
  else
    add_double(number.real().number);
}

void Sum::add(const Sum& other) {
  integers_ += other.integers_;
  if (!other.has_doubles_) return;
  add_double(other.high_);
  add_double(other.low_);
}

void Sum::subtract(const Value& number) {
  if (number.is_integer())
    subtract(number.integer());
  else
    add_double(-number.real().number);
}

void Sum::add_double(double number) {
  has_doubles_ = true;
  const double sum = high_ + number, virtual_part = sum - high_;
  low_ += (high_ - (sum - virtual_part)) + (number - virtual_part);
  high_ = sum;
}

double Sum::number() const {
  Sum all = *this;
  const double whole = static_cast<double>(integers_);
  all.add_double(whole);
  all.add_double(static_cast<double>(integers_ - static_cast<Wide>(whole)));
  return std::isfinite(all.high_) ? all.high_ + all.low_ : all.high_;
}

Value Sum::value() const {
  if (!has_doubles_ && integers_ >= int_least && integers_ <= int_most) return static_cast<std::int64_t>(integers_);
  return number();
}

Result Sum::result(const Call& call) const {
  Value sum = value();
  return sum.is_integer() ? Result(std::move(sum)) : call.finite(sum.number());
}

Value Sum::saved() const {
  return Array{static_cast<std::int64_t>(integers_ >> 64), static_cast<std::int64_t>(integers_), high_, low_,
               has_doubles_};
}

Sum Sum::restored(const Value& saved) {
  const Array& parts = saved.array();
  Sum sum;
  const auto low = static_cast<std::uint64_t>(parts[1].integer());
  sum.integers_ = static_cast<Wide>(parts[0].integer()) * (Wide{1} << 64) + static_cast<Wide>(low);
  sum.high_ = parts[2].real().number;
  sum.low_ = parts[3].real().number;
  sum.has_doubles_ = parts[4].boolean();
  return sum;
}

std::optional<std::int64_t> Sum::rounded() const {
  Wide total = integers_;
  if (has_doubles_) {
    const double fraction = std::round(high_ + low_);
    if (!(std::fabs(fraction) < 0x1p64)) return std::nullopt;
    total += static_cast<Wide>(fraction);
  }
  if (total < int_least || total > int_most) return std::nullopt;
  return static_cast<std::int64_t>(total);
}

Value percentile_of(const std::vector<double>& sorted, double part) {
  if (sorted.empty()) return nullptr;
  const auto rank = static_cast<std::size_t>(std::ceil(part * static_cast<double>(sorted.size())));
  return sorted[std::min(std::max<std::size_t>(rank, 1), sorted.size()) - 1];
}

std::optional<std::int64_t> round_half_even(std::int64_t value, int place) {
  if (place >= 0) return value;
  const auto power = power_of_ten(-place);
  if (!power)
    return place == -19 && (value > 5'000'000'000'000'000'000 || value < -5'000'000'000'000'000'000)
               ? std::nullopt  // to ±10^19
               : std::optional<std::int64_t>(0);
  const std::int64_t rest = value % *power, base = value - rest;
  const std::int64_t twice_left = *power - std::abs(rest);  // |rest| against what is left to the next
  const bool odd = (base / *power) % 2 != 0;
  if (std::abs(rest) < twice_left || (std::abs(rest) == twice_left && !odd)) return base;
  std::int64_t next;
  if (__builtin_add_overflow(base, value < 0 ? -*power : *power, &next)) return std::nullopt;
  return next;
}

double round_half_even(double value, int place) {
  if (!std::isfinite(value)) return value;
  if (place >= 0) return number_of(digits_of(value, place));
  const double power = std::pow(10.0, -place);  // exact up to 10^22
  const double rest = std::fmod(value, power), base = value - rest;
  const double to_next = power - std::fabs(rest);
  const bool odd = std::fmod(base / power, 2) != 0;
  if (std::fabs(rest) < to_next || (std::fabs(rest) == to_next && !odd)) return base;
  return base + std::copysign(power, value);
}

std::int64_t truncate(std::int64_t value, int place) {
  if (place >= 0) return value;
  const auto power = power_of_ten(-place);
  return power ? value - value % *power : 0;
}

double truncate(double value, int place) {
  if (!std::isfinite(value)) return value;
  if (place < 0) return value - std::fmod(value, std::pow(10.0, -place));
  const std::string digits = digits_of(value, 1100);
  return number_of(std::string_view(digits).substr(0, digits.find('.') + 1 + static_cast<std::size_t>(place)));
}

}  // namespace stele::model
