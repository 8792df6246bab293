// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The proleptic Gregorian calendar for any date of 64 bits, time zones with a fixed offset, and dates as text.
#pragma once

#include "engine/model/value.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stele::model {

constexpr std::int64_t ms_per_second = 1000, ms_per_minute = 60'000, ms_per_hour = 3'600'000, ms_per_day = 86'400'000;

constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && (a % b < 0) != (b < 0));
}
constexpr std::int64_t floor_mod(std::int64_t a, std::int64_t b) { return a - floor_div(a, b) * b; }

/// A day. Months and days count from 1.
struct Civil {
  std::int64_t year = 1970;
  int month = 1, day = 1;
};

Civil civil_of(std::int64_t days);  // since 1970-01-01
std::int64_t days_of(const Civil& civil);
int days_in_month(std::int64_t year, int month);

/// A moment as a clock on the wall shows it.
struct Clock {
  std::int64_t days = 0;  // since 1970-01-01
  Civil civil;
  int hour = 0, minute = 0, second = 0, millisecond = 0;

  int day_of_year() const;  // 1 to 366
  int weekday() const;      // 0 Sunday to 6
  int iso_weekday() const;  // 1 Monday to 7
  int week() const;         // 0 to 53, from the year's first Sunday
  int iso_week() const;     // 1 to 53
  std::int64_t iso_year() const;
};

/// Minutes east of UTC.
struct Zone {
  std::int64_t offset_minutes = 0;

  /// "UTC", "GMT", "Z", "+02:00", "-0530", "+03". Empty for what is none of these.
  static std::optional<Zone> parse(std::string_view text);
  std::int64_t milliseconds() const { return offset_minutes * ms_per_minute; }
};

Clock clock_of(Date date, Zone zone = {});

/// Fields may lie outside their usual range and carry over; empty when the date leaves 64 bits.
struct Fields {
  std::int64_t year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0, millisecond = 0;
};
std::optional<Date> date_of(const Fields& fields, Zone zone = {});

/// The second that the first four bytes of an object id tell.
Date date_of_oid(const Oid& oid);

/// The first day (since 1970-01-01) of an ISO year: the Monday of its first week.
std::int64_t iso_year_begin(std::int64_t iso_year);

/// "2026-01-31T12:00:00.000Z".
std::string iso_text(Date date);

}  // namespace stele::model
