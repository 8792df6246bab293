// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/calendar.h"

#include <cstdio>

namespace stele::model {
namespace {

constexpr std::int64_t days_per_era = 146'097;   // 400 years
constexpr std::int64_t days_to_1970 = 719'468;   // from 0000-03-01
constexpr std::int64_t year_most = 300'000'000;  // dates of 64 bits end before

// Years from March to February: the leap day is the last, and months begin at (153 m + 2) / 5.
int day_of_march_year(int month, int day) { return (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1; }

bool is_leap(std::int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

bool within(std::int64_t value, std::int64_t least, std::int64_t most) { return value >= least && value <= most; }

}  // namespace

Civil civil_of(std::int64_t days) {
  const std::int64_t shifted = days + days_to_1970;
  const std::int64_t era = floor_div(shifted, days_per_era), day_of_era = floor_mod(shifted, days_per_era);
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int day_of_year = static_cast<int>(day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100));
  const int from_march = (5 * day_of_year + 2) / 153;
  Civil civil;
  civil.day = day_of_year - (153 * from_march + 2) / 5 + 1;
  civil.month = from_march < 10 ? from_march + 3 : from_march - 9;
  civil.year = era * 400 + year_of_era + (civil.month <= 2);
  return civil;
}

std::int64_t days_of(const Civil& civil) {
  const std::int64_t year = civil.year - (civil.month <= 2);
  const std::int64_t era = floor_div(year, 400), year_of_era = floor_mod(year, 400);
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_march_year(civil.month, civil.day);
  return era * days_per_era + day_of_era - days_to_1970;
}

int days_in_month(std::int64_t year, int month) {
  constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

int Clock::day_of_year() const { return static_cast<int>(days - days_of({civil.year, 1, 1})) + 1; }
int Clock::weekday() const { return static_cast<int>(floor_mod(days + 4, 7)); }  // 1970-01-01 was a Thursday
int Clock::iso_weekday() const { return weekday() == 0 ? 7 : weekday(); }
int Clock::week() const { return (day_of_year() - 1 + 7 - weekday()) / 7; }
int Clock::iso_week() const { return static_cast<int>((days - iso_year_begin(iso_year())) / 7) + 1; }
std::int64_t Clock::iso_year() const { return civil_of(days - (iso_weekday() - 4)).year; }  // its Thursday's year

std::int64_t iso_year_begin(std::int64_t iso_year) {
  const std::int64_t fourth = days_of({iso_year, 1, 4});  // always in the first week
  return fourth - floor_mod(fourth + 3, 7);
}

std::optional<Zone> Zone::parse(std::string_view text) {
  if (text == "UTC" || text == "GMT" || text == "Z") return Zone{};
  if (text.size() < 3 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  std::string digits;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (i == 3 && text[i] == ':' && text.size() == 6) continue;
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    digits += text[i];
  }
  if (digits.size() != 2 && digits.size() != 4) return std::nullopt;
  const int hours = (digits[0] - '0') * 10 + digits[1] - '0';
  const int minutes = digits.size() == 4 ? (digits[2] - '0') * 10 + digits[3] - '0' : 0;
  if (minutes > 59) return std::nullopt;
  return Zone{(text[0] == '-' ? -1 : 1) * (hours * 60 + minutes)};
}

Clock clock_of(Date date, Zone zone) {
  // The offset is added to what is left of the day: the sum with the whole date could leave 64 bits.
  const std::int64_t in_day = floor_mod(date.milliseconds, ms_per_day) + zone.milliseconds();
  std::int64_t rest = floor_mod(in_day, ms_per_day);
  Clock clock;
  clock.days = floor_div(date.milliseconds, ms_per_day) + floor_div(in_day, ms_per_day);
  clock.civil = civil_of(clock.days);
  clock.hour = static_cast<int>(rest / ms_per_hour);
  clock.minute = static_cast<int>(rest / ms_per_minute % 60);
  clock.second = static_cast<int>(rest / ms_per_second % 60);
  clock.millisecond = static_cast<int>(rest % 1000);
  return clock;
}

std::optional<Date> date_of(const Fields& f, Zone zone) {
  const std::int64_t most = INT64_MAX / 4;
  if (!within(f.year, -year_most, year_most) || !within(f.month, -12 * year_most, 12 * year_most)) return std::nullopt;
  for (const std::int64_t part : {f.day, f.hour, f.minute, f.second, f.millisecond})
    if (!within(part, -most, most)) return std::nullopt;
  const Civil first{f.year + floor_div(f.month - 1, 12), static_cast<int>(floor_mod(f.month - 1, 12)) + 1, 1};
  __extension__ typedef __int128 Wide;
  Wide total = Wide{days_of(first)} + f.day - 1;
  total = total * 24 + f.hour;
  total = total * 60 + f.minute - zone.offset_minutes;
  total = total * 60 + f.second;
  total = total * 1000 + f.millisecond;
  if (total < INT64_MIN || total > INT64_MAX) return std::nullopt;
  return Date{static_cast<std::int64_t>(total)};
}

Date date_of_oid(const Oid& oid) {
  std::uint32_t seconds = 0;
  for (std::size_t i = 0; i < 4; ++i) seconds = seconds << 8 | static_cast<unsigned char>(oid.bytes[i]);
  return Date{std::int64_t{seconds} * ms_per_second};
}

std::string iso_text(Date date) {
  const Clock clock = clock_of(date);
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%04lld-%02d-%02dT%02d:%02d:%02d.%03dZ",
                static_cast<long long>(clock.civil.year), clock.civil.month, clock.civil.day, clock.hour, clock.minute,
                clock.second, clock.millisecond);
  return buffer;
}

}  // namespace stele::model
