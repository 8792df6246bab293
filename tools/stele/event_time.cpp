// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/stele/event_time.h"

#include "engine/base/error.h"
#include "engine/model/value.h"

#include <cstdio>

namespace stele::tool {

namespace {

/// Of the fraction in a date's spelling, what is finer than milliseconds.
std::optional<std::int64_t> microseconds_below_millisecond(std::string_view spelling) {
  const std::size_t dot = spelling.find('.');
  std::int64_t us = 0;
  if (dot == std::string_view::npos) return us;
  std::int64_t weight = 100;
  for (std::size_t i = dot + 1; i < spelling.size() && spelling[i] >= '0' && spelling[i] <= '9'; ++i) {
    if (i - dot <= 3) continue;
    if (i - dot > 6 && spelling[i] != '0') return std::nullopt;
    us += (spelling[i] - '0') * weight;
    weight /= 10;
  }
  return us;
}

}  // namespace

std::string time_json(Timestamp time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  const int year = static_cast<int>(date.year());
  if (year < 0 || year > 9999) return std::to_string(time.time_since_epoch().count());
  const auto us = clock.subseconds().count();
  char out[64];
  std::snprintf(out, sizeof out,
                us % 1000 == 0 ? R"({"$date":"%04d-%02u-%02uT%02ld:%02ld:%02ld.%03ldZ"})"
                               : R"({"$date":"%04d-%02u-%02uT%02ld:%02ld:%02ld.%06ldZ"})",
                year, static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<long>(clock.hours().count()), static_cast<long>(clock.minutes().count()),
                static_cast<long>(clock.seconds().count()), static_cast<long>(us % 1000 == 0 ? us / 1000 : us));
  return out;
}

std::optional<Timestamp> read_time(std::string_view json) {
  const model::Value value = model::parse(json);
  if (value.is_integer()) return Timestamp(std::chrono::microseconds(value.integer()));
  if (value.type() != model::Type::date) return std::nullopt;
  const auto finer = microseconds_below_millisecond(value.spelling());
  std::int64_t us = 0;
  if (!finer || __builtin_mul_overflow(value.date().milliseconds, 1000, &us)) return std::nullopt;
  return Timestamp(std::chrono::microseconds(us + *finer));
}

std::optional<Timestamp> time_field(const Request& request, std::string_view field) {
  if (!request.has(field)) return std::nullopt;
  const auto time = read_time(request.raw(field));
  if (!time)
    request.refuse(field, "must be {\"$date\":\"2024-01-02T03:04:05.678Z\"} or an integer of microseconds since 1970");
  return time;
}

}  // namespace stele::tool
