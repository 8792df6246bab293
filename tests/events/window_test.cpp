// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/events/sketches.h"
#include "tests/events/stream_fixture.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <thread>

namespace stele::testing {
namespace {

using namespace std::chrono_literals;

class Windows : public StreamTest {
 protected:
  static constexpr const char* all =
      R"({"n":"count","sum":{"sum":"v"},"min":{"min":"v"},"max":{"max":"v"},"avg":{"avg":"v"}})";

  std::string rows(const WindowQuery& query = {}, const std::string& window = "w") {
    std::string out;
    for (const WindowRow& row : s.window(window, query))
      out += std::to_string(row.start.time_since_epoch().count() / 1'000'000) + row.key + row.values + " ";
    return out;
  }
};

TEST_F(Windows, rows_are_kept_up_with_each_append_late_events_included) {
  s.create_window("w", {.width = 10s, .by_key = true, .aggregates = all});
  append("a", 1, R"({"v":3})");
  append("a", 9, R"({"v":5.5})");
  append("b", 12, R"({"v":"none"})");
  append("a", 25, R"({"v":-1})");
  append("a", 2, R"({"v":1})");  // late
  EXPECT_EQ(rows(),
            R"(0a{"n":3,"sum":9.5,"min":1,"max":5.5,"avg":3.1666666666666665} )"
            R"(10b{"n":1,"sum":0,"min":null,"max":null,"avg":null} 20a{"n":1,"sum":-1,"min":-1,"max":-1,"avg":-1} )");
  EXPECT_EQ(rows({.key = "b"}), R"(10b{"n":1,"sum":0,"min":null,"max":null,"avg":null} )");
  EXPECT_EQ(rows({.from = at(20)}), R"(20a{"n":1,"sum":-1,"min":-1,"max":-1,"avg":-1} )");
  EXPECT_EQ(rows({.to = at(10)}).substr(0, 10), R"(0a{"n":3,")");
  EXPECT_EQ(rows({.key = "a", .width = 60s}), R"(0a{"n":4,"sum":8.5,"min":-1,"max":5.5,"avg":2.125} )");
  append("a", -1, R"({"v":7})");
  EXPECT_EQ(rows({.to = at(0)}), R"(-10a{"n":1,"sum":7,"min":7,"max":7,"avg":7} )");
  reopen();
  EXPECT_EQ(s.window("w", {}).size(), 4u);
}

TEST_F(Windows, one_key_among_many_is_found_in_each_stretch) {
  s.create_window("w", {.width = 10s, .by_key = true, .aggregates = R"({"n":"count"})"});
  std::vector<NewEvent> batch;
  for (int second : {5, 15, 35})
    for (int key = 100; key < 300; ++key)
      if (second != 15 || key != 200) batch.push_back({.key = std::to_string(key), .time = at(second)});
  batch.push_back({.key = std::string("2\0", 2) + "x", .time = at(15)});
  s.append(batch);
  EXPECT_EQ(rows({.key = "200"}), R"(0200{"n":1} 30200{"n":1} )");
  EXPECT_EQ(rows({.key = "100", .from = at(10)}), R"(10100{"n":1} 30100{"n":1} )");
  EXPECT_EQ(rows({.key = "299", .to = at(30)}), R"(0299{"n":1} 10299{"n":1} )");
  EXPECT_EQ(s.window("w", {.key = std::string("2\0", 2) + "x"}).size(), 1u);
  EXPECT_EQ(rows({.key = "300"}), "");
  EXPECT_EQ(rows({.key = "200", .width = 60s}), R"(0200{"n":2} )");
}

TEST_F(Windows, integers_are_exact_to_the_last_of_64_bits) {
  s.create_window("w", {.width = 1h, .aggregates = R"({"s":{"sum":"v"},"a":{"min":"v"},"z":{"max":"v"}})"});
  append("k", 1, R"({"v":9007199254740993})");
  append("k", 2, R"({"v":9007199254740992})");
  append("k", 3, R"({"v":9007199254740992.0})");
  EXPECT_EQ(rows(), R"(0{"s":27021597764222976.0,"a":9007199254740992,"z":9007199254740993} )")
      << "a double is among them";
  append("k", 7200, R"({"v":-9223372036854775808})");
  append("k", 7201, R"({"v":9223372036854775807})");
  EXPECT_EQ(rows({.from = at(7200)}), R"(7200{"s":-1,"a":-9223372036854775808,"z":9223372036854775807} )");
  append("k", 7202, R"({"v":9223372036854775807})");
  EXPECT_EQ(rows({.from = at(7200)}).substr(0, 31), R"(7200{"s":9223372036854775806,"a)") << "the whole sum counts";
  append("k", 7203, R"({"v":2})");
  EXPECT_NE(rows({.from = at(7200)}).find(R"("s":9223372036854775808.0)"), std::string::npos)
      << rows({.from = at(7200)});
  EXPECT_NE(rows({.width = 24h}).find(R"("a":-9223372036854775808,"z":9223372036854775807)"), std::string::npos);
  db.close();
  EXPECT_TRUE(check(directory / "db", {.deep = true}).empty());
}

TEST_F(Windows, different_values_are_told_apart_as_filters_do) {
  s.create_window("w", {.width = 1h, .aggregates = R"({"d":{"distinct":"v"}})"});
  for (const char* value : {"2", "2.0", "20e-1", "\"2\"", "\"\\u0032\"", "[2]", "[2.0]", "null", "-0.0", "0",
                            R"({"$numberLong":"2"})", R"({"a":1,"b":2})", R"({"b":2,"a":1})"})
    append("k", 1, std::string(R"({"v":)") + value + "}");
  EXPECT_EQ(rows(), R"(0{"d":7} )") << "2, \"2\", [2], null, 0 and two objects";
}

TEST_F(Windows, of_no_values_the_sum_is_0_and_the_rest_null) {
  s.create_window("w", {.width = 1h, .aggregates = all});
  s.create_window("sketches", {.width = 1h, .aggregates = R"({"d":{"distinct":"v"},"q":{"quantiles":"v"}})"});
  append("k", 1, R"({"other":1})");
  append("k", 2);
  EXPECT_EQ(rows(), R"(0{"n":2,"sum":0,"min":null,"max":null,"avg":null} )");
  EXPECT_EQ(rows({}, "sketches"), R"(0{"d":0,"q":null} )");
}

TEST_F(Windows, a_rolled_back_append_counts_nothing) {
  s.create_window("w", {.width = 10s, .aggregates = R"({"n":"count"})"});
  Transaction tx = db.begin();
  tx.stream("s").append({.time = at(1)});
  tx.rollback();
  append("k", 2);
  EXPECT_EQ(rows(), R"(0{"n":1} )");
}

TEST_F(Windows, one_over_existing_events_is_filled_while_others_append) {
  std::vector<NewEvent> batch;
  for (int i = 0; i < 12'000; ++i) batch.push_back({.key = "k", .data = R"({"v":1})", .time = at(i)});
  s.append(batch);
  {
    std::jthread appender([&](std::stop_token stop) {
      while (!stop.stop_requested()) append("k", 5, R"({"v":1})");
    });
    s.create_window("w", {.width = 1h, .aggregates = R"({"n":"count","sum":{"sum":"v"}})"});
  }
  const std::uint64_t events = s.end_offset();
  EXPECT_EQ(rows({.width = 24h}), "0{\"n\":" + std::to_string(events) + ",\"sum\":" + std::to_string(events) + "} ");
  const auto info = s.windows();
  ASSERT_EQ(info.size(), 1u);
  EXPECT_GE(info[0].fill_to, 12'000u);
  EXPECT_EQ(info[0].filled, info[0].fill_to);
}

TEST_F(Windows, one_that_was_not_filled_is_filled_after_reopening) {
  for (int i = 0; i < 10; ++i) append("k", i);
  db.write([](Transaction& tx) { tx.stream("s").create_window("w", {.width = 1h, .aggregates = R"({"n":"count"})"}); });
  reopen();
  for (int i = 0; i < 6000 && s.windows().at(0).filled < 10; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(rows(), R"(0{"n":10} )");
}

TEST_F(Windows, one_over_a_truncated_stream_is_complete) {
  append("k", 1);
  append("k", 2);
  s.truncate(2);
  s.create_window("w", {.width = 1h, .aggregates = R"({"n":"count"})"});
  EXPECT_EQ(s.windows().at(0).fill_to, 2u);
  EXPECT_EQ(s.windows().at(0).filled, 2u);
}

TEST_F(Windows, none_is_declared_in_a_transaction_that_has_appended) {
  const WindowOptions options{.width = 1h, .aggregates = R"({"n":"count"})"};
  db.write([&](Transaction& tx) {
    tx.stream("s").append({.key = "k", .data = "1"});
    expect_error(ErrorCode::invalid, [&] { tx.stream("s").create_window("w", options); }, "has appended");
  });
  s.create_window("w", options);
  EXPECT_EQ(s.window("w", {}).size(), 1u) << "the transaction was usable";
}

TEST_F(Windows, a_check_agrees_with_fractions) {
  s.create_window("w", {.width = 1h, .aggregates = all});
  s.create_window("q", {.width = 1h, .aggregates = R"({"q":{"quantiles":"v"},"d":{"distinct":"v"}})"});
  for (int i = 0; i < 50; ++i) append("k", i, R"({"v":)" + std::to_string(i) + ".25}");
  db.close();
  EXPECT_TRUE(check(directory / "db", {.deep = true}).empty());
}

TEST_F(Windows, concurrent_appends_are_all_counted) {
  s.create_window("w", {.width = 1h, .by_key = true, .aggregates = R"({"n":"count"})"});
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i < 200; ++i) db.stream("s").append({.key = std::to_string(i % 2), .time = at(t)});
      });
  }
  EXPECT_EQ(rows(), R"(00{"n":400} 01{"n":400} )");
}

TEST_F(Windows, retention_lets_old_stretches_go) {
  append("k", 3);
  s.append(NewEvent{});  // now
  s.create_window("w", {.width = 2s, .aggregates = R"({"n":"count"})", .retention = 1h});
  for (int i = 0; i < 6000 && s.window("w", {}).size() > 1; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(s.window("w", {}).size(), 1u);
  append("k", 2);
  EXPECT_EQ(rows({.to = at(10)}), R"(2{"n":1} )") << "a late event does not bring back what went";
  EXPECT_TRUE(s.drop_window("w"));
  EXPECT_FALSE(s.drop_window("w"));
  expect_error(
      ErrorCode::not_found, [&] { s.window("w", {}); }, "\"w\"");
}

TEST_F(Windows, bad_declarations_are_refused) {
  const auto declare = [&](const WindowOptions& options) { s.create_window("w", options); };
  for (const char* bad : {"", "{}", "[]", R"({"n":"sum"})", R"({"n":{"sum":""}})", R"({"n":{"median":"v"}})",
                          R"({"n":{"sum":"v","min":"v"}})"})
    expect_error(ErrorCode::invalid, [&] { declare({.width = 1s, .aggregates = bad}); });
  expect_error(
      ErrorCode::invalid, [&] { declare({.width = 0s, .aggregates = all}); }, "width");
  declare({.width = 10s, .aggregates = all});
  expect_error(ErrorCode::exists, [&] { declare({.width = 10s, .aggregates = all}); });
  expect_error(
      ErrorCode::invalid, [&] { s.window("w", {.width = 15s}); }, "multiple");
  expect_error(
      ErrorCode::invalid, [&] { s.window("w", {.key = "a"}); }, "by key");
  for (const auto width : {0ms, -10'000ms, std::chrono::milliseconds::max(), std::chrono::milliseconds::min()}) {
    expect_error(ErrorCode::invalid, [&] { s.window("w", {.width = width}); });
    expect_error(ErrorCode::invalid, [&] { s.create_window("v", {.width = width, .aggregates = all}); });
    expect_error(ErrorCode::invalid,
                 [&] { s.create_window("v", {.width = 1s, .aggregates = all, .retention = width}); });
  }
  expect_error(
      ErrorCode::invalid, [&] { s.window("w", {.from = at(2), .to = at(1)}); }, "before they begin");
  EXPECT_TRUE(s.window("w", {.from = Timestamp::min(), .to = Timestamp::max()}).empty());
  s.append({.data = R"({"v":1})", .time = Timestamp::min()});
  s.append({.data = R"({"v":2})", .time = Timestamp::max()});
  EXPECT_EQ(s.window("w", {}).size(), 2u);
  EXPECT_EQ(s.window("w", {.width = 20s}).size(), 2u);
  EXPECT_EQ(s.windows().size(), 1u);
}

/// Against exact quantiles, on data that mislead sketches.
TEST_F(Windows, quantiles_are_within_one_percent_of_exact_ones) {
  std::mt19937_64 random(testing::test_seed());
  const auto uniform = [&] { return std::generate_canonical<double, 53>(random); };
  std::map<std::string, std::vector<double>> shapes;
  for (int i = 0; i < 20'000; ++i) {
    shapes["sorted"].push_back(i);
    shapes["falling"].push_back(20'000 - i);
    shapes["skewed"].push_back(std::pow(uniform() + 1e-12, -1.5));
    shapes["signed"].push_back(std::exp(20 * uniform()) * (uniform() < 0.5 ? -1 : 1));
    shapes["constant"].push_back(7);
  }
  for (const auto& [name, values] : shapes) {
    SCOPED_TRACE(name);
    events::Quantiles parts[3];
    for (std::size_t i = 0; i < values.size(); ++i) parts[i % 3].add(values[i]);
    std::string bytes;
    parts[1].encode(bytes);
    events::Quantiles all_of_them;
    ByteReader reader(bytes);
    ASSERT_TRUE(all_of_them.decode(reader));
    all_of_them.merge(parts[0]);
    all_of_them.merge(parts[2]);
    std::vector<double> sorted = values;
    std::ranges::sort(sorted);
    for (const double rank : {0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
      const double exact = sorted[static_cast<std::size_t>(rank * static_cast<double>(sorted.size() - 1))];
      EXPECT_NEAR(all_of_them.quantile(rank), exact, std::abs(exact) * 0.0101 + 1e-9) << rank;
    }
  }
}

/// At the sizes where plain HyperLogLog goes from one formula to the other, too.
TEST_F(Windows, distinct_counts_have_the_standard_error_that_is_stated) {
  std::mt19937_64 random(testing::test_seed());
  constexpr int sets = 60;
  for (const int values : {200, 1'000, 5'000, 8'000, 20'000}) {
    double squares = 0;
    double sum = 0;
    for (int set = 0; set < sets; ++set) {
      events::Distinct distinct;
      for (int i = 0; i < values; ++i) distinct.add(random());
      const double error = static_cast<double>(distinct.estimate()) / values - 1;
      squares += error * error;
      sum += error;
    }
    EXPECT_LT(std::sqrt(squares / sets), 0.023 * 1.4) << values;
    EXPECT_LT(std::abs(sum / sets), 0.023 * 4 / std::sqrt(sets)) << values << ": it is biased";
  }
}

TEST_F(Windows, distinct_counts_are_exact_when_few_and_near_when_many) {
  s.create_window("w", {.width = 1h, .aggregates = R"({"d":{"distinct":"u"},"q":{"quantiles":"u"}})"});
  std::vector<NewEvent> batch;
  for (int i = 0; i < 200; ++i) batch.push_back({.data = R"({"u":)" + std::to_string(i % 100) + "}", .time = at(1)});
  s.append(batch);
  EXPECT_EQ(rows().substr(0, 9), R"(0{"d":100)");
  for (int round = 0; round < 5; ++round) {
    batch.clear();
    for (int i = 0; i < 4000; ++i)
      batch.push_back({.data = R"({"u":)" + std::to_string(round * 4000 + i) + "}", .time = at(1)});
    s.append(batch);
  }
  const double estimate = std::stod(rows().substr(6));
  EXPECT_NEAR(estimate, 20'000, 20'000 * 0.023 * 4) << "within four standard errors";
}

}  // namespace
}  // namespace stele::testing
