// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/events/stream_fixture.h"

#include <chrono>
#include <thread>

namespace stele::testing {
namespace {

using namespace std::chrono_literals;

class Retained : public StreamTest {
 protected:
  /// Until the background has done it; a minute is beyond every machine.
  void wait_for_earliest(std::uint64_t offset) {
    for (int i = 0; i < 6000 && s.stats().earliest != offset; ++i) std::this_thread::sleep_for(10ms);
    EXPECT_EQ(s.stats().earliest, offset);
  }
};

TEST_F(Retained, what_was_truncated_is_out_of_range_and_names_the_earliest) {
  for (int i = 0; i < 10; ++i) append("k", i);
  s.truncate(4);
  EXPECT_EQ(offsets(s.read()), "4 5 6 7 8 9") << "no offset given: from the earliest";
  const Error error = expect_error(
      ErrorCode::out_of_range, [&] { s.read(3); }, "\"s\"", "4", "3");
  EXPECT_EQ(error.detail().at("earliest"), "4");
  EXPECT_EQ(error.detail().at("end"), "10");
  expect_error(ErrorCode::out_of_range, [&] { s.find({.from = 0, .key = "k"}); });
  EXPECT_EQ(found({.key = "k"}), "4 5 6 7 8 9") << "also where their data is still there";
  EXPECT_EQ(found({.to_time = at(6)}), "4 5");
  s.truncate(2);  // back: nothing
  EXPECT_EQ(s.stats().earliest, 4u);
  expect_error(
      ErrorCode::out_of_range, [&] { s.truncate(11); }, "beyond its end");
  s.truncate(10);
  EXPECT_EQ(offsets(s.read()), "");
  append("k", 1);
  EXPECT_EQ(offsets(s.read()), "10");
  reopen();
  EXPECT_EQ(offsets(s.read()), "10");
  db.close();
  EXPECT_TRUE(check(directory / "db", {.deep = true}).empty());
}

TEST_F(Retained, whole_segments_go_from_the_disk) {
  std::vector<NewEvent> batch(1000, NewEvent{.key = "k", .data = "\"" + std::string(1000, 'x') + "\""});
  for (int i = 0; i < 50; ++i) s.append(batch);
  const std::uint64_t before = s.stats().bytes;
  EXPECT_GE(before, 50'000'000u);
  s.truncate(45'000);
  EXPECT_LE(s.stats().bytes, before / 2);
  EXPECT_EQ(s.find({.key = "k"}).all().size(), 5000u);
  db.close();
  EXPECT_TRUE(check(directory / "db", {.deep = true}).empty());
}

TEST_F(Retained, count_age_and_bytes_let_the_oldest_go) {
  s.create({.retention = {.count = 5}});
  for (int i = 0; i < 12; ++i) append("k", i);
  s.modify({.retention = {.count = 5}});  // the background looks at once
  wait_for_earliest(7);

  const auto now = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  s.append({.time = now});
  append("late", 3);
  s.modify({.retention = {.age = 1h}});
  wait_for_earliest(12);
  EXPECT_EQ(offsets(s.read()), "12 13") << "a late event stays as long as the one before it";

  for (int i = 0; i < 10; ++i) s.append({.key = "k", .data = "\"" + std::string(97, 'x') + "\""});  // 100 bytes each
  s.modify({.retention = {.bytes = 250}});
  wait_for_earliest(21);
  reopen();
  EXPECT_EQ(s.options().retention.bytes, 250u);
}

TEST_F(Retained, rules_that_cannot_be_are_refused) {
  expect_error(
      ErrorCode::invalid, [&] { s.create({.retention = {.age = 0ms}}); }, "age");
  expect_error(
      ErrorCode::invalid, [&] { s.create({.retention = {.count = 0}}); }, "count");
  for (const Retention& bad : {Retention{.age = std::chrono::milliseconds::min()}, Retention{.bytes = 0},
                               Retention{.bytes = UINT64_MAX}, Retention{.count = UINT64_MAX}})
    expect_error(ErrorCode::invalid, [&] { s.create({.retention = bad}); });
  expect_error(
      ErrorCode::not_found, [&] { s.modify({}); }, "\"s\"");
  expect_error(
      ErrorCode::not_found, [&] { s.truncate(0); }, "\"s\"");
  s.create();
  expect_error(ErrorCode::exists, [&] { s.create(); });
}

TEST_F(Retained, a_dropped_stream_is_gone_and_begins_anew) {
  append("k", 1);
  EXPECT_TRUE(s.drop());
  EXPECT_FALSE(s.drop());
  EXPECT_TRUE(db.streams().empty());
  append("k", 2);
  EXPECT_EQ(offsets(s.read()), "0");
  expect_error(
      ErrorCode::invalid,
      [&] {
        db.write([&](Transaction& tx) {
          tx.stream("s").append(NewEvent{});
          tx.stream("s").drop();
        });
      },
      "appended");
  EXPECT_EQ(s.end_offset(), 1u);
  // Who has appended to it meanwhile has to do so again.
  Transaction late = db.begin();
  late.stream("s").append(NewEvent{});
  s.drop();
  expect_error(ErrorCode::conflict, [&] { late.commit(); });
  db.close();
  EXPECT_TRUE(check(directory / "db", {.deep = true}).empty());
}

TEST_F(Retained, retention_and_appends_go_on_side_by_side) {
  s.create({.retention = {.count = 100}});
  std::jthread appender([&](std::stop_token stop) {
    while (!stop.stop_requested()) append("k", 1);
  });
  for (int i = 0; i < 30; ++i) {
    s.truncate(s.end_offset());
    std::uint64_t last = 0;
    for (const Event& event : s.read()) {
      EXPECT_TRUE(last == 0 || *event.offset == last + 1);
      last = *event.offset;
    }
  }
  appender.request_stop();
  appender.join();
  db.close();
  EXPECT_TRUE(check(directory / "db", {.deep = true}).empty());
}

}  // namespace
}  // namespace stele::testing
