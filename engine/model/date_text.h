// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Dates from and to text.
#pragma once

#include "engine/model/calendar.h"

#include <optional>
#include <string>
#include <string_view>

namespace stele::model {

/// Dates as people write them: "2026-01-31", "2026-01-31T12:00", "2026-01-31 12:00:00.5+02:00", "20260131T120000Z".
/// Without an offset the zone counts; an offset beside a given zone is refused. Empty: none of these, or no such day.
std::optional<Date> date_of_text(std::string_view text, std::optional<Zone> zone);

/// By a format of $dateToString: %Y %m %d %H %M %S %L %j %u %w %U %G %V %z %Z %b %B %%. Empty: the year is outside 0 to
/// 9999.
std::optional<std::string> formatted(Date date, std::string_view format, Zone zone);

/// The other way round, without %w and %U; a year with month and day or day of the year, or an ISO year, is needed.
std::optional<Date> date_of_formatted(std::string_view text, std::string_view format, std::optional<Zone> zone);

/// The first conversion that is not among `known`, as "%q" or "%"; empty: none.
std::string_view unknown_conversion(std::string_view format, std::string_view known);
constexpr std::string_view written_conversions = "YmdHMSLjuwUGVzZbB%", read_conversions = "YmdHMSLjuGVzZbB%";

}  // namespace stele::model
