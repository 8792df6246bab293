// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/events/stream_fixture.h"

#include <algorithm>

namespace stele::testing {
namespace {

class Reads : public StreamTest {};

TEST_F(Reads, events_come_by_offset_by_time_and_by_key_in_both_directions) {
  const char* keys[] = {"a", "b", "a", "", "a", "b"};
  const std::int64_t times[] = {10, 20, 30, 25, 5, 40};  // 3 and 4 are late
  for (int i = 0; i < 6; ++i) append(keys[i], times[i], R"({"i":)" + std::to_string(i) + "}");

  EXPECT_EQ(found({}), "0 1 2 3 4 5");
  EXPECT_EQ(found({.backward = true}), "5 4 3 2 1 0");
  EXPECT_EQ(found({.from = 2, .to = 5}), "2 3 4");
  EXPECT_EQ(found({.from = 2, .backward = true, .limit = 2}), "5 4");
  EXPECT_EQ(found({.from_time = at(20), .to_time = at(40)}), "1 2 3");
  EXPECT_EQ(found({.key = "a"}), "4 0 2") << "one key's events come in the order of their times";
  EXPECT_EQ(found({.key = "a", .backward = true}), "2 0 4");
  EXPECT_EQ(found({.from = 1, .key = "a"}), "4 2");
  EXPECT_EQ(found({.from_time = at(10), .to_time = at(30), .key = "a"}), "0");
  EXPECT_EQ(found({.key = ""}), "3");
  EXPECT_EQ(found({.key = "absent"}), "");
  EXPECT_EQ(found({.filter = R"({"i":{"$gte":4}})"}), "4 5");
  EXPECT_EQ(found({.key = "a", .filter = R"({"i":{"$ne":0}})", .limit = 1}), "4");
  EXPECT_EQ(found({.from = 99}), "");
  EXPECT_EQ(found({.limit = 0}), "");
}

TEST_F(Reads, an_event_comes_back_as_it_was_appended) {
  const std::string key("k\0\xff\x01", 4);
  s.append({.key = key, .data = R"( {"a": [1, "x"]} )", .time = Timestamp(std::chrono::microseconds(-1234567))});
  s.append({.data = "-0.5", .time = Timestamp::max()});
  s.append({.data = "1", .time = Timestamp::min()});
  reopen();
  const auto events = s.read();
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].key, key);
  EXPECT_EQ(events[0].data, R"({"a":[1,"x"]})");
  EXPECT_EQ(events[0].time.time_since_epoch().count(), -1234567);
  EXPECT_EQ(events[1].time, Timestamp::max());
  EXPECT_EQ(found({.key = key}), "0");
  EXPECT_EQ(found({.key = ""}), "2 1");
  EXPECT_EQ(found({.from_time = at(0)}), "1");
  EXPECT_EQ(found({.to_time = at(0), .backward = true}), "2 0");
}

TEST_F(Reads, own_appends_come_last_without_an_offset_and_obey_the_query) {
  append("a", 1, R"({"n":1})");
  Transaction tx = db.begin();
  Stream own = tx.stream("s");
  own.append({.key = "a", .data = R"({"n":2})", .time = at(0)});
  own.append({.key = "b", .data = R"({"n":3})", .time = at(9)});
  const auto read = [&](const EventQuery& query) { return offsets(own.find(query).all()); };
  EXPECT_EQ(read({}), "0 - -");
  EXPECT_EQ(read({.backward = true}), "- - 0");
  EXPECT_EQ(read({.key = "a"}), "0 -");
  EXPECT_EQ(read({.filter = R"({"n":{"$gt":1}})", .limit = 1}), "-");
  EXPECT_EQ(read({.from_time = at(5)}), "-");
  EXPECT_EQ(read({.to = 5}), "0");
  Events open = own.find({});
  own.append({.key = "c"});
  EXPECT_EQ(open.all().size(), 3u) << "a cursor sees what was there at its statement";
  tx.commit();
  EXPECT_EQ(found({}), "0 1 2 3");
}

TEST_F(Reads, a_cursor_stays_at_its_moment) {
  for (int i = 0; i < 100; ++i) append("k", i);
  Events all = s.find({});
  Events one = s.find({.key = "k", .backward = true});
  for (int i = 0; i < 50; ++i) ASSERT_NE(all.next(), nullptr);
  for (int i = 0; i < 100; ++i) append("k", i);
  s.truncate(120);
  EXPECT_EQ(all.all().size(), 50u);
  EXPECT_EQ(one.all().size(), 100u);
  EXPECT_EQ(s.find({}).all().size(), 80u);
}

/// Against a plain list, over several segments, with late events.
TEST_F(Reads, random_queries_find_what_a_list_has) {
  std::mt19937_64 random(testing::test_seed());
  const auto below = [&](std::int64_t n) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
  };
  std::vector<Event> list;
  while (list.size() < 90'000) {
    std::vector<NewEvent> batch;
    for (int i = 0; i < 3000; ++i) {
      const std::int64_t time =
          static_cast<std::int64_t>(list.size()) / 10 + (below(10) == 0 ? -below(20'000) : below(100));
      const NewEvent event{"k" + std::to_string(below(50)), R"({"n":)" + std::to_string(below(10)) + "}", at(time)};
      list.push_back({list.size(), *event.time, event.key, event.data});
      batch.push_back(event);
    }
    s.append(batch);
  }
  reopen();
  s.truncate(40'000);
  for (int i = 0; i < 30; ++i) {
    EventQuery query;
    if (below(2)) query.from = static_cast<std::uint64_t>(40'000 + below(50'000));
    if (below(3) == 0) query.to = query.from.value_or(0) + static_cast<std::uint64_t>(below(60'000));
    if (below(2)) query.from_time = at(below(9'000));
    if (below(2)) query.to_time = query.from_time.value_or(at(0)) + std::chrono::seconds(below(3000));
    if (below(2)) query.key = "k" + std::to_string(below(51));
    if (below(2)) query.filter = R"({"n":3})";
    query.backward = below(2);
    if (below(2)) query.limit = static_cast<std::uint64_t>(below(100));

    std::vector<Event> expected;
    for (const Event& event : list) {
      if (*event.offset < std::max<std::uint64_t>(40'000, query.from.value_or(0)) ||
          (query.to && *event.offset >= *query.to))
        continue;
      if ((query.from_time && event.time < *query.from_time) || (query.to_time && event.time >= *query.to_time))
        continue;
      if ((query.key && event.key != *query.key) || (!query.filter.empty() && event.data != R"({"n":3})")) continue;
      expected.push_back(event);
    }
    if (query.key) std::ranges::stable_sort(expected, {}, &Event::time);
    if (query.backward) std::ranges::reverse(expected);
    if (query.limit && expected.size() > *query.limit) expected.resize(*query.limit);
    ASSERT_EQ(found(query), offsets(expected)) << "query " << i;
  }
}

TEST_F(Reads, thousands_of_streams_live_side_by_side) {
  for (int round = 0; round < 2; ++round)
    db.write([&](Transaction& tx) {
      for (int i = 0; i < 3000; ++i) tx.stream("s" + std::to_string(i)).append({.data = std::to_string(i)});
    });
  reopen();
  EXPECT_EQ(db.streams().size(), 3000u);
  for (int i = 0; i < 3000; i += 97) EXPECT_EQ(offsets(db.stream("s" + std::to_string(i)).read()), "0 1");
}

TEST_F(Reads, bad_queries_are_refused) {
  append("a", 1);
  expect_error(
      ErrorCode::invalid, [&] { s.find({.from = 3, .to = 2}); }, "\"s\"", "before they begin");
  expect_error(
      ErrorCode::invalid, [&] { s.find({.from_time = at(3), .to_time = at(2)}); }, "\"s\"");
  expect_error(ErrorCode::invalid, [&] { s.find({.filter = "{"}); });
  expect_error(
      ErrorCode::invalid, [&] { s.find({.filter = R"({"a":{"$nope":1}})"}); }, "$nope");
  expect_error(
      ErrorCode::too_large, [&] { s.append({.key = std::string(4001, 'k')}); }, "4001", "4000");
  expect_error(ErrorCode::invalid, [&] { s.append({.data = "{"}); });
  EXPECT_EQ(found({.limit = 0}), "");
  EXPECT_EQ(found({.from = UINT64_MAX}), "") << "beyond the end there is nothing yet";
  EXPECT_EQ(found({.from = 1, .to = UINT64_MAX, .backward = true, .limit = UINT64_MAX}), "");
  EXPECT_TRUE(s.read(UINT64_MAX, SIZE_MAX).empty());
  EXPECT_EQ(found({.from_time = Timestamp::min(), .to_time = Timestamp::max()}), "0");
  EXPECT_EQ(s.end_offset(), 1u);
}

}  // namespace
}  // namespace stele::testing
