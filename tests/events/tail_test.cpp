// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/events/stream_fixture.h"

#include <poll.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace stele::testing {
namespace {

using namespace std::chrono_literals;

class Tails : public StreamTest {
 protected:
  static bool readable(int file, std::chrono::milliseconds timeout) {
    pollfd poll{file, POLLIN, 0};
    return ::poll(&poll, 1, static_cast<int>(timeout.count())) == 1;
  }
};

TEST_F(Tails, a_tail_begins_where_it_is_told_and_waits_for_more) {
  append("a", 1);
  append("b", 2);
  Tail from_start = s.tail(0);
  EXPECT_EQ(offsets(from_start.wait(1min, 1)), "0");
  EXPECT_EQ(offsets(from_start.wait(1min)), "1");
  EXPECT_EQ(offsets(from_start.wait(0ms)), "");
  EXPECT_EQ(offsets(from_start.wait(5ms)), "");
  Tail from_end = s.tail();
  std::jthread appender([&] {
    std::this_thread::sleep_for(20ms);
    append("c", 3);
  });
  EXPECT_EQ(offsets(from_end.wait(1min)), "2");
  EXPECT_EQ(offsets(from_start.wait(1min)), "2");
  EXPECT_EQ(from_end.position(), 3u);
}

TEST_F(Tails, a_durable_tail_shows_nothing_that_a_crash_could_take_back) {
  Tail durable = s.tail(0);
  Tail visible = s.tail(0, Shows::visible);
  for (int i = 0; i < 5; ++i) {
    append("k", i);  // relaxed
    EXPECT_EQ(offsets(visible.wait(1min)), std::to_string(i));
    // Whenever it comes, everything up to it is on disk by then.
    EXPECT_EQ(offsets(durable.wait(1min)), std::to_string(i));
    const Stats stats = db.stats();
    EXPECT_EQ(stats.durable_gseq, stats.gseq);
  }
}

TEST_F(Tails, many_tailers_hear_of_every_event) {
  constexpr int tailers = 20, events = 200;
  std::atomic<int> heard{0};
  std::vector<std::jthread> threads;
  for (int t = 0; t < tailers; ++t)
    threads.emplace_back([&, shows = t % 2 ? Shows::durable : Shows::visible] {
      Tail tail = db.stream("s").tail(0, shows);
      for (std::uint64_t next = 0; next < events;)
        for (const Event& event : tail.wait(1min)) {
          EXPECT_EQ(*event.offset, next++);
          heard.fetch_add(1);
        }
    });
  for (int i = 0; i < events; ++i) append("k", i);
  threads.clear();
  EXPECT_EQ(heard, tailers * events);
}

TEST_F(Tails, the_file_is_readable_while_there_may_be_events) {
  Tail tail = s.tail(0);
  EXPECT_TRUE(tail.wait(0ms).empty());
  const int file = tail.file();
  EXPECT_FALSE(readable(file, 0ms));
  append("a", 1);
  append("a", 2);
  EXPECT_TRUE(readable(file, 60s));
  while (tail.position() < 2 && readable(file, 60s)) tail.wait(0ms, 1);
  EXPECT_TRUE(tail.wait(0ms).empty());
  EXPECT_FALSE(readable(file, 0ms));
}

TEST_F(Tails, a_tail_follows_a_stream_that_is_made_dropped_and_made_anew) {
  Tail tail = db.stream("later").tail(0);
  std::jthread maker([&] {
    std::this_thread::sleep_for(10ms);
    db.stream("later").append({.data = "1"});
  });
  EXPECT_EQ(tail.wait(1min).at(0).data, "1");
  maker.join();
  db.stream("later").drop();
  db.stream("later").append({.data = "2"});
  db.stream("later").append({.data = "3"});
  EXPECT_EQ(tail.wait(1min).at(0).data, "3") << "it goes on at its offset";
}

TEST_F(Tails, retention_that_overtakes_a_tail_is_out_of_range) {
  Tail tail = s.tail(0);
  for (int i = 0; i < 5; ++i) append("k", i);
  s.truncate(3);
  const Error error = expect_error(ErrorCode::out_of_range, [&] { tail.wait(1min); });
  EXPECT_EQ(error.detail().at("earliest"), "3");
  EXPECT_EQ(offsets(s.tail(3).wait(1min)), "3 4");
}

TEST_F(Tails, a_wait_is_cancelled_and_holds_the_database_open) {
  std::stop_source stop;
  Stream cancellable = db.stream("s", {.cancel = stop.get_token()});
  {
    Tail tail = cancellable.tail();
    std::jthread canceller([&] {
      std::this_thread::sleep_for(10ms);
      stop.request_stop();
    });
    expect_error(ErrorCode::interrupted, [&] { tail.wait(1min); });
    expect_error(ErrorCode::busy, [&] { db.close(); });
  }
  expect_error(
      ErrorCode::invalid, [&] { db.write([](Transaction& tx) { tx.stream("s").tail(); }); }, "transaction");
  expect_error(
      ErrorCode::invalid, [&] { s.tail().wait(-1ms); }, "-1");
  db.close();
}

}  // namespace
}  // namespace stele::testing
