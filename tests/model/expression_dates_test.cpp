// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/calendar.h"
#include "engine/model/date_text.h"
#include "tests/model/expression_case.h"
#include "tests/model/random_value.h"
#include "tests/support/sanitized.h"

#include <chrono>

namespace stele::model {
namespace {

constexpr std::string_view d = R"({"d":{"$date":"2014-01-01T08:15:39.736Z"},"e":{"$date":"2019-01-01T02:30:00Z"}})";

TEST(DateExpression, parts) {
  expect({{R"({"$year":"$d"})", "2014", d},
          {R"({"$month":"$d"})", "1", d},
          {R"({"$dayOfMonth":["$d"]})", "1", d},
          {R"({"$hour":{"date":"$d"}})", "8", d},
          {R"({"$hour":{"date":"$d","timezone":"-05:30"}})", "2", d},
          {R"({"$minute":"$d"})", "15", d},
          {R"({"$second":"$d"})", "39", d},
          {R"({"$millisecond":"$d"})", "736", d},
          {R"({"$dayOfYear":"$d"})", "1", d},
          {R"({"$dayOfWeek":"$d"})", "4", d},
          {R"({"$week":"$d"})", "0", d},
          {R"({"$isoWeek":{"$toDate":"2016-01-01"}})", "53"},
          {R"({"$isoWeekYear":{"$toDate":"2016-01-01"}})", "2015"},
          {R"({"$isoDayOfWeek":{"$toDate":"2016-01-03"}})", "7"},
          {R"({"$year":{"date":"$d","timezone":"-12"}})", "2013", d},
          {R"({"$year":{"$oid":"5ab9c3da31c2ab715d421285"}})", "2018"},
          {R"({"$year":"$missing"})", "null"},
          {R"({"$year":{"date":"$d","timezone":null}})", "null", d},
          {R"({"$dateToParts":{"date":"$d"}})",
           R"({"year":2014,"month":1,"day":1,"hour":8,"minute":15,"second":39,"millisecond":736})", d},
          {R"({"$dateToParts":{"date":"$d","iso8601":true,"timezone":"+0200"}})",
           R"({"isoWeekYear":2014,"isoWeek":1,"isoDayOfWeek":3,"hour":10,"minute":15,"second":39,"millisecond":736})",
           d}});
  expect_errors(ErrorCode::invalid,
                {{R"({"$year":"2014"})", "$year needs a date, not a value of type string"},
                 {R"({"$year":{"date":"$d","timezone":"+99x"}})", "knows no time zone"},
                 {R"({"$year":{"timezone":"UTC"}})", "lacks its argument \"date\""}},
                d);
  expect_errors(ErrorCode::unsupported, {{R"({"$hour":{"date":"$d","timezone":"Europe/Berlin"}})", "Europe/Berlin"}},
                d);
}

TEST(DateExpression, to_and_from_text) {
  expect(
      {{R"({"$dateToString":{"date":"$d"}})", R"("2014-01-01T08:15:39.736Z")", d},
       {R"({"$dateToString":{"date":"$d","format":"%G-W%V-%u %j %U %w %%"}})", R"("2014-W01-3 001 00 4 %")", d},
       {R"({"$dateToString":{"date":"$d","format":"%z %Z"}})", R"("+0000 0")", d},
       {R"({"$dateToString":{"date":"$d","format":"%z %Z","timezone":"+0545"}})", R"("+0545 345")", d},
       {R"({"$dateToString":{"date":"$d","format":"%H:%M:%S:%L%z %Z","timezone":"-0430"}})",
        R"("03:45:39:736-0430 -270")", d},
       {R"({"$dateToString":{"date":"$d","format":"%d %b %Y, %B","timezone":"+08"}})", R"("01 Jan 2014, January")", d},
       {R"({"$dateToString":{"date":"$missing","onNull":"none"}})", R"("none")"},
       {R"({"$dateToString":{"date":null}})", "null"},
       {R"({"$toString":{"$dateFromString":{"dateString":"2017-02-08T12:10:40.787"}}})",
        R"("2017-02-08T12:10:40.787Z")"},
       {R"({"$toString":{"$dateFromString":{"dateString":"2017-02-08T12:10:40","timezone":"-05:00"}}})",
        R"("2017-02-08T17:10:40.000Z")"},
       {R"({"$toString":{"$dateFromString":{"dateString":"2017-02-08 12:10 +02:00"}}})",
        R"("2017-02-08T10:10:00.000Z")"},
       {R"({"$toString":{"$dateFromString":{"dateString":"20170208T121040Z"}}})", R"("2017-02-08T12:10:40.000Z")"},
       {R"({"$toString":{"$dateFromString":{"dateString":"06-15-2018","format":"%m-%d-%Y"}}})",
        R"("2018-06-15T00:00:00.000Z")"},
       {R"({"$toString":{"$dateFromString":{"dateString":"2017-W05-3","format":"%G-W%V-%u"}}})",
        R"("2017-02-01T00:00:00.000Z")"},
       {R"({"$toString":{"$dateFromString":{"dateString":"5 Mar 2018 13:05 +0100","format":"%d %b %Y %H:%M %z"}}})",
        R"("2018-03-05T12:05:00.000Z")"},
       {R"({"$toString":{"$dateFromString":{"dateString":"2020 366","format":"%Y %j"}}})",
        R"("2020-12-31T00:00:00.000Z")"},
       {R"({"$dateFromString":{"dateString":"soon","onError":"$dateString"}})", "missing"},
       {R"({"$dateFromString":{"dateString":5,"onError":"no"}})", R"("no")"},
       {R"({"$dateFromString":{"dateString":null,"onNull":"none"}})", R"("none")"}});
  expect_errors(ErrorCode::invalid,
                {{R"({"$dateToString":{"date":{"$toDate":1},"format":"%Q"}})", "\"%Q\""},
                 {R"({"$dateToString":{"date":{"$toDate":1},"format":"%"}})", "\"%\""},
                 {R"({"$dateToString":{"date":5}})", "a date"},
                 {R"({"$dateFromString":{"dateString":"2017-02-30"}})", "2017-02-30"},
                 {R"({"$dateFromString":{"dateString":"2017-02-08T12:10:40Z","timezone":"+01:00"}})", "cannot read"},
                 {R"({"$dateFromString":{"dateString":"2018-06","format":"%Y-%m"}})", "2018-06"},
                 {R"({"$dateFromString":{"dateString":"x","format":"%w"}})", "\"%w\""},
                 {R"({"$dateFromString":{"dateString":5}})", "\"dateString\""}});
  expect_errors(ErrorCode::out_of_range, {{R"({"$dateToString":{"date":{"$toDate":253402300800000}}})", "0 to 9999"}});
}

TEST(DateExpression, from_parts) {
  expect(
      {{R"({"$toString":{"$dateFromParts":{"year":2017,"month":2,"day":8,"hour":12}}})",
        R"("2017-02-08T12:00:00.000Z")"},
       {R"({"$toString":{"$dateFromParts":{"isoWeekYear":2017,"isoWeek":6,"isoDayOfWeek":3,"hour":12}}})",
        R"("2017-02-08T12:00:00.000Z")"},
       {R"({"$toString":{"$dateFromParts":{"year":2016,"month":12,"day":31,"hour":23,"minute":46,"second":12,"timezone":"-05:00"}}})",
        R"("2017-01-01T04:46:12.000Z")"},
       {R"({"$toString":{"$dateFromParts":{"year":2017,"month":14,"day":1,"hour":12}}})",
        R"("2018-02-01T12:00:00.000Z")"},
       {R"({"$toString":{"$dateFromParts":{"year":2017,"month":0,"day":1,"hour":12}}})",
        R"("2016-12-01T12:00:00.000Z")"},
       {R"({"$dateFromParts":{"year":2017,"month":null}})", "null"}});
  expect_errors(ErrorCode::invalid, {{R"({"$dateFromParts":{"year":10000}})", "1 to 9999"},
                                     {R"({"$dateFromParts":{"month":1}})", "one of"},
                                     {R"({"$dateFromParts":{"year":2017,"isoWeek":1}})", "mix"},
                                     {R"({"$dateFromParts":{"year":"2017"}})", "integers"}});
}

std::string dated(std::string_view json) { return evaluated("{\"$toString\":" + std::string(json) + "}", d); }

TEST(DateExpression, adding_and_truncating) {
  EXPECT_EQ(dated(R"({"$dateAdd":{"startDate":"$d","unit":"day","amount":3}})"), R"("2014-01-04T08:15:39.736Z")");
  EXPECT_EQ(dated(R"({"$dateAdd":{"startDate":{"$toDate":"2020-12-31"},"unit":"month","amount":2}})"),
            R"("2021-02-28T00:00:00.000Z")");
  EXPECT_EQ(dated(R"({"$dateAdd":{"startDate":{"$toDate":"2020-02-29"},"unit":"year","amount":-1}})"),
            R"("2019-02-28T00:00:00.000Z")");
  EXPECT_EQ(dated(R"({"$dateAdd":{"startDate":"$e","unit":"month","amount":1,"timezone":"-05:00"}})"),
            R"("2019-02-01T02:30:00.000Z")");
  EXPECT_EQ(dated(R"({"$dateSubtract":{"startDate":"$e","unit":"quarter","amount":1}})"),
            R"("2018-10-01T02:30:00.000Z")");
  EXPECT_EQ(dated(R"({"$dateSubtract":{"startDate":"$e","unit":"hour","amount":3.0}})"),
            R"("2018-12-31T23:30:00.000Z")");
  EXPECT_EQ(dated(R"({"$dateTrunc":{"date":"$d","unit":"hour"}})"), R"("2014-01-01T08:00:00.000Z")");
  EXPECT_EQ(dated(R"({"$dateTrunc":{"date":{"$toDate":"2021-03-20T11:30:05Z"},"unit":"month","binSize":2}})"),
            R"("2021-03-01T00:00:00.000Z")");
  EXPECT_EQ(
      dated(
          R"({"$dateTrunc":{"date":{"$toDate":"2021-03-20T11:30:05Z"},"unit":"week","binSize":2,"startOfWeek":"monday"}})"),
      R"("2021-03-15T00:00:00.000Z")");
  EXPECT_EQ(dated(R"({"$dateTrunc":{"date":{"$toDate":"2021-03-20T11:30:05Z"},"unit":"week"}})"),
            R"("2021-03-14T00:00:00.000Z")");
  EXPECT_EQ(dated(R"({"$dateTrunc":{"date":{"$toDate":"1999-12-31T23:00:00Z"},"unit":"year","binSize":5}})"),
            R"("1995-01-01T00:00:00.000Z")");
  EXPECT_EQ(dated(R"({"$dateTrunc":{"date":"$d","unit":"day","timezone":"+09:00"}})"), R"("2013-12-31T15:00:00.000Z")");
  EXPECT_EQ(dated(R"({"$dateAdd":{"startDate":null,"unit":"day","amount":3}})"), "null");
  expect_errors(ErrorCode::invalid,
                {{R"({"$dateAdd":{"startDate":"$d","unit":"days","amount":3}})", "knows no unit \"days\""},
                 {R"({"$dateAdd":{"startDate":"$d","unit":"day","amount":1.5}})", "amount"},
                 {R"({"$dateTrunc":{"date":"$d","unit":"day","binSize":0}})", "binSize"},
                 {R"({"$dateTrunc":{"date":"$d","unit":"week","startOfWeek":"noday"}})", "noday"}},
                d);
  expect_errors(ErrorCode::out_of_range,
                {{R"({"$dateAdd":{"startDate":"$d","unit":"year","amount":9223372036854775807}})", "range of a date"},
                 {R"({"$dateAdd":{"startDate":"$d","unit":"week","amount":9223372036854775807}})", "range of a date"}},
                d);
}

TEST(DateExpression, differences_count_boundaries) {
  const std::string_view pair = R"({"a":{"$date":"2010-12-31T23:59:59.999Z"},"b":{"$date":"2011-01-01T00:00:00Z"}})";
  for (const char* unit : {"year", "quarter", "month", "day", "hour", "minute", "second", "millisecond"}) {
    const std::string json = R"({"$dateDiff":{"startDate":"$a","endDate":"$b","unit":")" + std::string(unit) + "\"}}";
    EXPECT_EQ(evaluated(json, pair), "1") << unit;
  }
  expect(
      {{R"({"$dateDiff":{"startDate":"$b","endDate":"$a","unit":"year"}})", "-1", pair},
       {R"({"$dateDiff":{"startDate":"$a","endDate":"$b","unit":"day","timezone":"+01:00"}})", "0", pair},
       {R"({"$dateDiff":{"startDate":{"$toDate":"2021-01-24"},"endDate":{"$toDate":"2021-01-25"},"unit":"week"}})",
        "0"},
       {R"({"$dateDiff":{"startDate":{"$toDate":"2021-01-24"},"endDate":{"$toDate":"2021-01-25"},"unit":"week","startOfWeek":"Mon"}})",
        "1"},
       {R"({"$dateDiff":{"startDate":null,"endDate":"$b","unit":"week"}})", "null", pair}});
}

TEST(Calendar, agrees_with_chrono) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE(seed);
  Random random(seed);
  using namespace std::chrono;
  for (int i = 0; i < testing::cases(200'000); ++i) {
    const auto day = static_cast<std::int64_t>(random() % 20'000'000) - 10'000'000;  // years -25,000 to 29,000
    const year_month_day expected{sys_days(days(day))};
    const Civil civil = civil_of(day);
    ASSERT_EQ(civil.year, int(expected.year())) << day;
    ASSERT_EQ(civil.month, static_cast<int>(unsigned(expected.month()))) << day;
    ASSERT_EQ(civil.day, static_cast<int>(unsigned(expected.day()))) << day;
    ASSERT_EQ(days_of(civil), day);
    const Clock clock = clock_of(Date{day * ms_per_day + static_cast<std::int64_t>(random() % ms_per_day)});
    ASSERT_EQ(clock.weekday(), static_cast<int>(weekday(sys_days(days(day))).c_encoding()));
    ASSERT_EQ(iso_year_begin(clock.iso_year()) + (clock.iso_week() - 1) * 7 + clock.iso_weekday() - 1, day);
    ASSERT_EQ(days_in_month(civil.year, civil.month),
              static_cast<int>(unsigned((expected.year() / expected.month() / last).day())));
  }
}

TEST(Calendar, every_date_comes_back_from_its_fields_and_its_text) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE(seed);
  Random random(seed);
  for (int i = 0; i < testing::cases(20'000); ++i) {
    const Date date{static_cast<std::int64_t>(random()) >> (random() % 64)};
    const Zone zone{static_cast<std::int64_t>(random() % 2879) - 1439};
    const Clock c = clock_of(date, zone);
    const auto back =
        date_of({c.civil.year, c.civil.month, c.civil.day, c.hour, c.minute, c.second, c.millisecond}, zone);
    ASSERT_TRUE(back) << date.milliseconds;
    ASSERT_EQ(back->milliseconds, date.milliseconds);
    const auto written = formatted(date, "%Y-%m-%dT%H:%M:%S.%L%z", zone);
    ASSERT_EQ(written.has_value(), c.civil.year >= 0 && c.civil.year <= 9999);
    if (!written) continue;
    ASSERT_EQ(date_of_text(*written, std::nullopt)->milliseconds, date.milliseconds) << *written;
    const auto by_week = formatted(date, "%G %V %u %H %M %S %L %Z", zone);
    if (c.iso_year() < 0 || c.iso_year() > 9999) continue;
    ASSERT_EQ(date_of_formatted(*by_week, "%G %V %u %H %M %S %L %Z", std::nullopt)->milliseconds, date.milliseconds)
        << *by_week;
  }
}

TEST(DateExpression, truncated_dates_are_the_bins_that_differences_count) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE(seed);
  Random random(seed);
  for (int i = 0; i < 2000; ++i) {
    const std::string unit =
        std::vector<std::string>{"second", "minute", "hour", "day", "week", "month", "quarter", "year"}[random() % 8];
    const auto moment = [&] {
      return Date{static_cast<std::int64_t>(random() % 8'000'000'000'000) - 4'000'000'000'000};
    };
    const Value document = Object{{"a", moment()}, {"b", moment()}, {"unit", unit}};
    const auto run = [&](std::string_view json) { return *expression(json).evaluate(document); };
    const Value steps = run(R"({"$dateDiff":{"startDate":"$a","endDate":"$b","unit":"$unit"}})");
    const Value walked = run(R"({"$eq":[{"$dateTrunc":{"date":"$b","unit":"$unit"}},
        {"$dateAdd":{"startDate":{"$dateTrunc":{"date":"$a","unit":"$unit"}},"unit":"$unit",
                     "amount":{"$dateDiff":{"startDate":"$a","endDate":"$b","unit":"$unit"}}}}]})");
    ASSERT_TRUE(walked.boolean()) << to_json(document) << ' ' << to_json(steps);
  }
}

}  // namespace
}  // namespace stele::model
