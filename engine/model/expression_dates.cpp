// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Dates. Time zones are UTC and fixed offsets. An object id counts as the date it was made.
#include "engine/base/error.h"
#include "engine/model/calendar.h"
#include "engine/model/date_text.h"
#include "engine/model/expression_node.h"

#include <algorithm>

namespace stele::model {
namespace {

__extension__ typedef __int128 Wide;

Date date(const Call& call, const Result& value, std::string_view needed = "a date") {
  if (!value.missing() && value->type() == Type::date) return value->date();
  if (!value.missing() && value->type() == Type::oid) return date_of_oid(value->oid());
  call.refuse_type(needed, value);
}

Result in_range(const Call& call, std::optional<Date> date) {
  if (!date) call.refuse("leaves the range of a date", ErrorCode::out_of_range);
  return *date;
}

// The optional time zone; `null`: it is there, and null or missing.
struct ZoneArgument {
  bool null = false, given = false;
  Zone zone;

  ZoneArgument(const Call& call, std::size_t i) : given(call.given(i)) {
    if (!given) return;
    const Result value = call.arg(i);
    null = value.nullish();
    if (null) return;
    const std::string& text = call.string(value, "a string as \"timezone\"");
    const auto parsed = Zone::parse(text);
    if (parsed) {
      zone = *parsed;
    } else if (!text.empty() && !text.starts_with('+') && !text.starts_with('-')) {
      call.refuse(stele::text("knows no time zone \"", text,
                              "\": named zones are not offered; give an offset, such as \"+02:00\""),
                  ErrorCode::unsupported);
    } else {
      call.refuse(stele::text("knows no time zone \"", text, "\"; give \"UTC\" or an offset, such as \"+02:00\""));
    }
  }
  std::optional<Zone> if_given() const { return given ? std::optional(zone) : std::nullopt; }
};

// date timezone?
template <std::int64_t (*get)(const Clock&)>
Result part(const Call& call) {
  const Result value = call.arg(0);
  const ZoneArgument zone(call, 1);
  if (value.nullish() || zone.null) return nullptr;
  return get(clock_of(date(call, value), zone.zone));
}

std::int64_t year(const Clock& c) { return c.civil.year; }
std::int64_t month(const Clock& c) { return c.civil.month; }
std::int64_t day_of_month(const Clock& c) { return c.civil.day; }
std::int64_t day_of_year(const Clock& c) { return c.day_of_year(); }
std::int64_t day_of_week(const Clock& c) { return c.weekday() + 1; }
std::int64_t hour(const Clock& c) { return c.hour; }
std::int64_t minute(const Clock& c) { return c.minute; }
std::int64_t second(const Clock& c) { return c.second; }
std::int64_t millisecond(const Clock& c) { return c.millisecond; }
std::int64_t week(const Clock& c) { return c.week(); }
std::int64_t iso_week(const Clock& c) { return c.iso_week(); }
std::int64_t iso_week_year(const Clock& c) { return c.iso_year(); }
std::int64_t iso_day_of_week(const Clock& c) { return c.iso_weekday(); }

void check_format(const Call& call, const std::string& format, std::string_view known) {
  const std::string_view unknown = unknown_conversion(format, known);
  if (!unknown.empty()) call.refuse(text("knows no \"", unknown, "\" in a format; a percent sign is %%"));
}

// date format? timezone? onNull?
Result to_string(const Call& call) {
  const Result value = call.arg(0), given = call.arg(1);
  if (value.nullish()) return call.given(3) ? call.arg(3) : Result(nullptr);
  const ZoneArgument zone(call, 2);
  if (zone.null || (call.given(1) && given.nullish())) return nullptr;
  std::string format = zone.zone.offset_minutes == 0 ? "%Y-%m-%dT%H:%M:%S.%LZ" : "%Y-%m-%dT%H:%M:%S.%L";
  if (call.given(1)) format = call.string(given, "a string as \"format\"");
  check_format(call, format, written_conversions);
  auto written = formatted(date(call, value), format, zone.zone);
  if (!written) call.refuse("writes years from 0 to 9999 only", ErrorCode::out_of_range);
  return std::move(*written);
}

// dateString format? timezone? onError? onNull?
Result from_string(const Call& call) {
  const Result value = call.arg(0), given = call.arg(1);
  const ZoneArgument zone(call, 2);
  if (value.nullish()) return call.given(4) ? call.arg(4) : Result(nullptr);
  if (zone.null || (call.given(1) && given.nullish())) return nullptr;
  std::optional<Date> read;
  if (call.given(1)) {
    const std::string& format = call.string(given, "a string as \"format\"");
    check_format(call, format, read_conversions);
    if (value->is_string()) read = date_of_formatted(value->string(), format, zone.if_given());
  } else if (value->is_string()) {
    read = date_of_text(value->string(), zone.if_given());
  }
  if (read) return *read;
  if (call.given(3)) return call.arg(3);
  call.string(value, "a string as \"dateString\"");
  call.refuse(text("cannot read the date \"", value->string().substr(0, 50), "\""));
}

// date timezone? iso8601?
Result to_parts(const Call& call) {
  const Result value = call.arg(0), iso = call.arg(2);
  const ZoneArgument zone(call, 1);
  if (value.nullish() || zone.null || (call.given(2) && iso.nullish())) return nullptr;
  const Clock c = clock_of(date(call, value), zone.zone);
  Object parts;
  if (call.given(2) && call.boolean(iso, "true or false as \"iso8601\""))
    parts = {{"isoWeekYear", c.iso_year()}, {"isoWeek", c.iso_week()}, {"isoDayOfWeek", c.iso_weekday()}};
  else
    parts = {{"year", c.civil.year}, {"month", c.civil.month}, {"day", c.civil.day}};
  for (const auto& [name, number] : {std::pair("hour", c.hour), std::pair("minute", c.minute),
                                     std::pair("second", c.second), std::pair("millisecond", c.millisecond)})
    parts.push_back({name, number});
  return parts;
}

// year? month? day? isoWeekYear? isoWeek? isoDayOfWeek? hour? minute? second? millisecond? timezone?
Result from_parts(const Call& call) {
  if (call.given(0) == call.given(3)) call.refuse("needs one of \"year\" and \"isoWeekYear\"");
  const bool iso = call.given(3);
  if (iso ? call.given(1) || call.given(2) : call.given(4) || call.given(5))
    call.refuse("cannot mix parts of a calendar date with those of an ISO week");
  std::int64_t parts[10] = {1970, 1, 1, 1970, 1, 1, 0, 0, 0, 0};
  bool null = false;
  for (std::size_t i = 0; i < 10; ++i) {
    if (!call.given(i)) continue;
    const Result value = call.arg(i);
    null |= value.nullish();
    if (!value.nullish()) parts[i] = call.integer(value, "integers as parts");
  }
  const ZoneArgument zone(call, 10);
  if (null || zone.null) return nullptr;
  const std::int64_t of_year = parts[iso ? 3 : 0];
  if (of_year < 1 || of_year > 9999) call.refuse(text("needs a year from 1 to 9999, not ", of_year));
  Fields fields{of_year, parts[1], parts[2], parts[6], parts[7], parts[8], parts[9]};
  if (iso) {
    if (std::abs(parts[4]) > 1'000'000 || std::abs(parts[5]) > 1'000'000) return in_range(call, std::nullopt);
    fields.month = 1;
    fields.day = 1 + iso_year_begin(of_year) - days_of({of_year, 1, 1}) + (parts[4] - 1) * 7 + parts[5] - 1;
  }
  return in_range(call, date_of(fields, zone.zone));
}

enum class Unit { millisecond, second, minute, hour, day, week, month, quarter, year };
constexpr std::string_view unit_names[] = {"millisecond", "second", "minute",  "hour", "day",
                                           "week",        "month",  "quarter", "year"};
constexpr std::int64_t unit_lengths[] = {1, ms_per_second, ms_per_minute, ms_per_hour, ms_per_day, 7 * ms_per_day};
constexpr std::int64_t unit_months[] = {0, 0, 0, 0, 0, 0, 1, 3, 12};

Unit unit_of(const Call& call, const Result& value) {
  const std::string& name = call.string(value, "a string as \"unit\"");
  const auto at = std::ranges::find(unit_names, name);
  if (at == std::end(unit_names))
    call.refuse(
        text("knows no unit \"", name, "\"; known: millisecond second minute hour day week month quarter year"));
  return static_cast<Unit>(at - std::begin(unit_names));
}

std::int64_t length(Unit unit) { return unit_lengths[static_cast<std::size_t>(unit)]; }
std::int64_t months(Unit unit) { return unit_months[static_cast<std::size_t>(unit)]; }

// 0 Sunday to 6.
int week_start(const Call& call, const Result& value) {
  constexpr std::string_view days[] = {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
  std::string name = call.string(value, "a string as \"startOfWeek\"");
  for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  for (std::size_t i = 0; i < 7; ++i)
    if (name == days[i] || name == days[i].substr(0, 3)) return static_cast<int>(i);
  call.refuse(text("knows no day \"", name, "\" as \"startOfWeek\""));
}

std::optional<Date> narrowed(Wide milliseconds) {
  if (milliseconds < INT64_MIN || milliseconds > INT64_MAX) return std::nullopt;
  return Date{static_cast<std::int64_t>(milliseconds)};
}

// A day that the month does not have becomes its last.
std::optional<Date> plus_months(Date start, Wide count, Zone zone) {
  const Clock c = clock_of(start, zone);
  const Wide total = Wide{c.civil.year} * 12 + c.civil.month - 1 + count;
  if (total > Wide{12} * 300'000'000 || total < -Wide{12} * 300'000'000) return std::nullopt;
  const auto whole = static_cast<std::int64_t>(total);
  const std::int64_t new_year = floor_div(whole, 12);
  const int new_month = static_cast<int>(floor_mod(whole, 12)) + 1;
  return date_of({new_year, new_month, std::min(c.civil.day, days_in_month(new_year, new_month)), c.hour, c.minute,
                  c.second, c.millisecond},
                 zone);
}

// startDate unit amount timezone?
template <int sign>
Result add(const Call& call) {
  const Result start = call.arg(0), unit_name = call.arg(1), amount = call.arg(2);
  const ZoneArgument zone(call, 3);
  if (start.nullish() || unit_name.nullish() || amount.nullish() || zone.null) return nullptr;
  const Date from = date(call, start, "a date as \"startDate\"");
  const Unit unit = unit_of(call, unit_name);
  const Wide count = Wide{sign} * call.integer(amount, "an integer as \"amount\"");
  if (months(unit) != 0) return in_range(call, plus_months(from, count * months(unit), zone.zone));
  return in_range(call, narrowed(from.milliseconds + count * length(unit)));
}

std::int64_t months_of(const Clock& c) { return c.civil.year * 12 + c.civil.month - 1; }

// Milliseconds since 1970 on the wall's clock.
Wide local(const Clock& c) {
  return Wide{c.days} * ms_per_day + c.hour * ms_per_hour + c.minute * ms_per_minute + c.second * ms_per_second +
         c.millisecond;
}

Wide floor_div_wide(Wide a, Wide b) { return a / b - (a % b < 0); }  // b > 0

// startDate endDate unit timezone? startOfWeek?: how many boundaries of the unit lie between.
Result diff(const Call& call) {
  const Result start = call.arg(0), end = call.arg(1), unit_name = call.arg(2), week_day = call.arg(4);
  const ZoneArgument zone(call, 3);
  if (start.nullish() || end.nullish() || unit_name.nullish() || zone.null) return nullptr;
  const Clock from = clock_of(date(call, start, "a date as \"startDate\""), zone.zone);
  const Clock to = clock_of(date(call, end, "a date as \"endDate\""), zone.zone);
  const Unit unit = unit_of(call, unit_name);
  if (months(unit) != 0) return floor_div(months_of(to), months(unit)) - floor_div(months_of(from), months(unit));
  Wide origin = 0;
  if (unit == Unit::week) {
    if (call.given(4) && week_day.nullish()) return nullptr;
    origin = Wide{(call.given(4) ? week_start(call, week_day) : 0) - 4} * ms_per_day;  // 1970-01-01 is a Thursday
  }
  const Wide count =
      floor_div_wide(local(to) - origin, length(unit)) - floor_div_wide(local(from) - origin, length(unit));
  if (count < INT64_MIN || count > INT64_MAX) call.refuse("leaves 64 bits", ErrorCode::out_of_range);
  return static_cast<std::int64_t>(count);
}

// date unit binSize? timezone? startOfWeek?: bins are counted from 2000-01-01, weeks from the first week that begins
// then or later.
Result trunc(const Call& call) {
  const Result value = call.arg(0), unit_name = call.arg(1), size = call.arg(2), week_day = call.arg(4);
  const ZoneArgument zone(call, 3);
  if (value.nullish() || unit_name.nullish() || zone.null || (call.given(2) && size.nullish())) return nullptr;
  const Clock c = clock_of(date(call, value), zone.zone);
  const Unit unit = unit_of(call, unit_name);
  const std::int64_t bin = call.given(2) ? call.integer(size, "an integer as \"binSize\"") : 1;
  if (bin <= 0) call.refuse(text("needs a \"binSize\" above 0, not ", bin));
  if (months(unit) != 0) {
    const Wide width = Wide{bin} * months(unit), begin = 2000 * 12;
    const Wide month_number = begin + floor_div_wide(months_of(c) - begin, width) * width;
    if (month_number < -Wide{12} * 300'000'000) return in_range(call, std::nullopt);
    return in_range(call, date_of({0, static_cast<std::int64_t>(month_number) + 1, 1, 0, 0, 0, 0}, zone.zone));
  }
  std::int64_t first_day = days_of({2000, 1, 1});  // a Saturday
  if (unit == Unit::week) {
    if (call.given(4) && week_day.nullish()) return nullptr;
    first_day += floor_mod((call.given(4) ? week_start(call, week_day) : 0) - 6, 7);
  }
  const Wide origin = Wide{first_day} * ms_per_day, width = Wide{bin} * length(unit);
  return in_range(call, narrowed(origin + floor_div_wide(local(c) - origin, width) * width - zone.zone.milliseconds()));
}

constexpr Operator date_table[] = {
    {"$year", 1, 1, "date timezone?", part<year>},
    {"$month", 1, 1, "date timezone?", part<month>},
    {"$dayOfMonth", 1, 1, "date timezone?", part<day_of_month>},
    {"$dayOfYear", 1, 1, "date timezone?", part<day_of_year>},
    {"$dayOfWeek", 1, 1, "date timezone?", part<day_of_week>},
    {"$hour", 1, 1, "date timezone?", part<hour>},
    {"$minute", 1, 1, "date timezone?", part<minute>},
    {"$second", 1, 1, "date timezone?", part<second>},
    {"$millisecond", 1, 1, "date timezone?", part<millisecond>},
    {"$week", 1, 1, "date timezone?", part<week>},
    {"$isoWeek", 1, 1, "date timezone?", part<iso_week>},
    {"$isoWeekYear", 1, 1, "date timezone?", part<iso_week_year>},
    {"$isoDayOfWeek", 1, 1, "date timezone?", part<iso_day_of_week>},
    {"$dateToString", "date format? timezone? onNull?", to_string},
    {"$dateFromString", "dateString format? timezone? onError? onNull?", from_string},
    {"$dateToParts", "date timezone? iso8601?", to_parts},
    {"$dateFromParts",
     "year? month? day? isoWeekYear? isoWeek? isoDayOfWeek? hour? minute? second? millisecond? timezone?", from_parts},
    {"$dateAdd", "startDate unit amount timezone?", add<1>},
    {"$dateSubtract", "startDate unit amount timezone?", add<-1>},
    {"$dateDiff", "startDate endDate unit timezone? startOfWeek?", diff},
    {"$dateTrunc", "date unit binSize? timezone? startOfWeek?", trunc},
};

}  // namespace

std::span<const Operator> date_operators() { return date_table; }

}  // namespace stele::model
