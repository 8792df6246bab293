// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/date_text.h"

#include <cstdio>
#include <cstdlib>

namespace stele::model {
namespace {

constexpr std::string_view months[] = {"January", "February", "March",     "April",   "May",      "June",
                                       "July",    "August",   "September", "October", "November", "December"};

// Takes text off its front.
struct Reader {
  std::string_view rest;

  bool take(char c) {
    if (rest.empty() || rest.front() != c) return false;
    rest.remove_prefix(1);
    return true;
  }

  std::optional<std::int64_t> digits(std::size_t least, std::size_t most) {
    std::size_t n = 0;
    std::int64_t number = 0;
    for (; n < most && n < rest.size() && rest[n] >= '0' && rest[n] <= '9'; ++n) number = number * 10 + (rest[n] - '0');
    if (n < least) return std::nullopt;
    rest.remove_prefix(n);
    return number;
  }

  // "Z", "UTC", "+02:00": up to the end, or as far as signs and digits go.
  std::optional<Zone> zone(bool to_end) {
    std::size_t n = rest.size();
    if (!to_end) {
      n = rest.empty() ? 0 : rest.find_first_not_of("0123456789:", 1);
      n = std::min(n, rest.size());
    }
    const auto zone = Zone::parse(rest.substr(0, n));
    if (zone) rest.remove_prefix(n);
    return zone;
  }

  std::optional<std::int64_t> milliseconds() {
    std::int64_t value = 0, place = 100;
    std::size_t n = 0;
    for (; n < rest.size() && rest[n] >= '0' && rest[n] <= '9'; ++n, place /= 10) value += (rest[n] - '0') * place;
    rest.remove_prefix(n);
    return n > 0 ? std::optional(value) : std::nullopt;
  }
};

bool read_day(Reader& reader, Fields& fields) {
  const auto year = reader.digits(4, 4);
  const bool dashes = reader.take('-');
  const auto month = reader.digits(2, 2);
  if (dashes && !reader.take('-')) return false;
  const auto day = reader.digits(2, 2);
  if (!year || !month || !day || *month < 1 || *month > 12 || *day < 1 ||
      *day > days_in_month(*year, static_cast<int>(*month)))
    return false;
  fields.year = *year;
  fields.month = *month;
  fields.day = *day;
  return true;
}

bool read_time(Reader& reader, Fields& fields) {
  const auto hour = reader.digits(2, 2);
  const bool colons = reader.take(':');
  const auto minute = reader.digits(2, 2);
  if (!hour || !minute) return false;
  fields.hour = *hour;
  fields.minute = *minute;
  if (colons ? reader.take(':') : !reader.rest.empty() && reader.rest[0] >= '0' && reader.rest[0] <= '9') {
    const auto second = reader.digits(2, 2);
    if (!second) return false;
    fields.second = *second;
    if (reader.take('.')) {
      const auto milliseconds = reader.milliseconds();
      if (!milliseconds) return false;
      fields.millisecond = *milliseconds;
    }
  }
  return fields.hour < 24 && fields.minute < 60 && fields.second < 60;
}

void append(std::string& out, const char* format, long long number) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, format, number);
  out += buffer;
}

// Fields of a format as they are read; those of an ISO week take the place of month and day.
struct Partial {
  Fields fields;
  std::optional<std::int64_t> year, month, day, day_of_year, iso_year, iso_week, iso_day;
  std::optional<Zone> zone;
};

bool in(const std::optional<std::int64_t>& number, std::int64_t least, std::int64_t most) {
  return number && *number >= least && *number <= most;
}

bool read_month_name(Reader& reader, bool whole, std::optional<std::int64_t>& month) {
  for (std::size_t i = 0; i < 12; ++i) {
    const std::string_view wanted = whole ? months[i] : months[i].substr(0, 3);
    if (!reader.rest.starts_with(wanted)) continue;
    reader.rest.remove_prefix(wanted.size());
    month = static_cast<std::int64_t>(i) + 1;
    return true;
  }
  return false;
}

bool read_into(std::int64_t& field, Reader& reader, std::size_t width, std::int64_t most) {
  const auto number = reader.digits(1, width);
  if (!in(number, 0, most)) return false;
  field = *number;
  return true;
}

bool read_conversion(Reader& reader, char conversion, Partial& p) {
  switch (conversion) {
    case 'Y': return (p.year = reader.digits(4, 4)).has_value();
    case 'm': return in(p.month = reader.digits(1, 2), 1, 12);
    case 'd': return in(p.day = reader.digits(1, 2), 1, 31);
    case 'j': return in(p.day_of_year = reader.digits(1, 3), 1, 366);
    case 'G': return (p.iso_year = reader.digits(4, 4)).has_value();
    case 'V': return in(p.iso_week = reader.digits(1, 2), 1, 53);
    case 'u': return in(p.iso_day = reader.digits(1, 1), 1, 7);
    case 'b': return read_month_name(reader, false, p.month);
    case 'B': return read_month_name(reader, true, p.month);
    case 'H': return read_into(p.fields.hour, reader, 2, 23);
    case 'M': return read_into(p.fields.minute, reader, 2, 59);
    case 'S': return read_into(p.fields.second, reader, 2, 59);
    case 'L': return read_into(p.fields.millisecond, reader, 3, 999);
    case 'z': return (p.zone = reader.zone(false)).has_value();
    case 'Z': {
      const bool west = reader.take('-');
      if (!west) reader.take('+');
      const auto minutes = reader.digits(1, 4);
      if (minutes) p.zone = Zone{west ? -*minutes : *minutes};
      return minutes.has_value();
    }
    default: return reader.take(conversion);
  }
}

bool set_day(Partial& p) {
  if (p.iso_year) {
    const Civil civil =
        civil_of(iso_year_begin(*p.iso_year) + (p.iso_week.value_or(1) - 1) * 7 + p.iso_day.value_or(1) - 1);
    p.fields.year = civil.year;
    p.fields.month = civil.month;
    p.fields.day = civil.day;
    return !p.year && !p.month && !p.day && !p.day_of_year;
  }
  if (!p.year || p.iso_week || p.iso_day) return false;
  p.fields.year = *p.year;
  if (p.day_of_year) {
    p.fields.day = *p.day_of_year;
    return !p.month && !p.day && *p.day_of_year <= days_of({*p.year + 1, 1, 1}) - days_of({*p.year, 1, 1});
  }
  if (!p.month || !p.day || *p.day > days_in_month(*p.year, static_cast<int>(*p.month))) return false;
  p.fields.month = *p.month;
  p.fields.day = *p.day;
  return true;
}

}  // namespace

std::optional<Date> date_of_text(std::string_view text, std::optional<Zone> zone) {
  Reader reader{text};
  Fields fields;
  if (!read_day(reader, fields)) return std::nullopt;
  const bool timed = reader.take('T') ||
                     (reader.rest.size() > 1 && reader.rest[1] >= '0' && reader.rest[1] <= '9' && reader.take(' '));
  if (timed && !read_time(reader, fields)) return std::nullopt;
  reader.take(' ');
  if (!reader.rest.empty()) {
    const auto written = reader.zone(true);
    if (!written || zone) return std::nullopt;
    zone = written;
  }
  return date_of(fields, zone.value_or(Zone{}));
}

std::optional<std::string> formatted(Date date, std::string_view format, Zone zone) {
  const Clock clock = clock_of(date, zone);
  if (clock.civil.year < 0 || clock.civil.year > 9999) return std::nullopt;
  const std::string_view month = months[clock.civil.month - 1];
  const auto offset = std::abs(zone.offset_minutes);
  const char sign = zone.offset_minutes < 0 ? '-' : '+';
  std::string out;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i];
      continue;
    }
    switch (format[++i]) {
      case 'Y': append(out, "%04lld", clock.civil.year); break;
      case 'm': append(out, "%02lld", clock.civil.month); break;
      case 'd': append(out, "%02lld", clock.civil.day); break;
      case 'H': append(out, "%02lld", clock.hour); break;
      case 'M': append(out, "%02lld", clock.minute); break;
      case 'S': append(out, "%02lld", clock.second); break;
      case 'L': append(out, "%03lld", clock.millisecond); break;
      case 'j': append(out, "%03lld", clock.day_of_year()); break;
      case 'u': append(out, "%lld", clock.iso_weekday()); break;
      case 'w': append(out, "%lld", clock.weekday() + 1); break;
      case 'U': append(out, "%02lld", clock.week()); break;
      case 'V': append(out, "%02lld", clock.iso_week()); break;
      case 'G': append(out, "%04lld", clock.iso_year()); break;
      case 'b': out += month.substr(0, 3); break;
      case 'B': out += month; break;
      case 'z': append(out += sign, "%04lld", offset / 60 * 100 + offset % 60); break;
      case 'Z': append(out, "%lld", zone.offset_minutes); break;
      default: out += format[i];
    }
  }
  return out;
}

std::optional<Date> date_of_formatted(std::string_view text, std::string_view format, std::optional<Zone> zone) {
  Reader reader{text};
  Partial partial;
  for (std::size_t i = 0; i < format.size(); ++i) {
    const bool conversion = format[i] == '%' && i + 1 < format.size();
    if (conversion ? !read_conversion(reader, format[++i], partial) : !reader.take(format[i])) return std::nullopt;
  }
  if (!reader.rest.empty() || (partial.zone && zone) || !set_day(partial)) return std::nullopt;
  return date_of(partial.fields, partial.zone ? *partial.zone : zone.value_or(Zone{}));
}

std::string_view unknown_conversion(std::string_view format, std::string_view known) {
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') continue;
    if (i + 1 == format.size() || known.find(format[i + 1]) == std::string_view::npos) return format.substr(i, 2);
    ++i;
  }
  return {};
}

}  // namespace stele::model
