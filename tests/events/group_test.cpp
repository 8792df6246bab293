// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/events/stream_fixture.h"

#include <set>
#include <thread>

namespace stele::testing {
namespace {

using namespace std::chrono_literals;

class Groups : public StreamTest {
 protected:
  Groups() : g(s.group("g")) {
    for (int i = 0; i < 10; ++i) append("k" + std::to_string(i), i);
    db.sync_now();  // groups give durable events only
  }
  TemporaryDirectory other;
  Group g;
};

TEST_F(Groups, a_poll_begins_at_the_committed_place) {
  EXPECT_EQ(offsets(g.poll(3).events), "0 1 2");
  EXPECT_EQ(offsets(g.poll(3).events), "0 1 2") << "nothing was committed";
  g.commit(g.poll(3));
  EXPECT_EQ(offsets(g.poll(100).events), "3 4 5 6 7 8 9");
  g.commit(7);
  EXPECT_EQ(offsets(g.poll(1).events), "7");
  const GroupLag lag = g.lag();
  EXPECT_EQ(lag.committed, 7u);
  EXPECT_EQ(lag.end, 10u);
  EXPECT_EQ(lag.lag, 3u);
  EXPECT_EQ(offsets(s.group("other").poll(1).events), "0") << "groups know nothing of each other";
  EXPECT_EQ(s.groups(), std::vector<std::string>{"g"});
}

TEST_F(Groups, effects_and_place_are_one_transaction) {
  {
    Transaction tx = db.begin();
    Group own = tx.stream("s").group("g");
    const Poll polled = own.poll();
    tx.collection("seen").put(R"({"_id":1})");
    own.commit(polled);
    EXPECT_TRUE(own.poll().events.empty()) << "it sees its own commit";
    tx.rollback();
  }
  EXPECT_EQ(g.poll().events.size(), 10u);
  // Of two who process the same events one commits.
  Transaction one = db.begin({.isolation = Isolation::snapshot});
  Transaction two = db.begin({.isolation = Isolation::snapshot});
  for (Transaction* tx : {&one, &two}) {
    Group own = tx->stream("s").group("g");
    own.commit(own.poll(4));
  }
  one.commit();
  expect_error(ErrorCode::conflict, [&] { two.commit(); });
  EXPECT_EQ(offsets(g.poll(1).events), "4");
}

TEST_F(Groups, seek_goes_anywhere_in_the_stream) {
  g.commit(5);
  g.seek_to_beginning();
  EXPECT_EQ(offsets(g.poll(1).events), "0");
  g.seek(at(7));
  EXPECT_EQ(offsets(g.poll(1).events), "7");
  g.seek_to_end();
  EXPECT_EQ(offsets(g.poll(1).events), "");
  g.seek(3);
  const Poll before = g.poll();
  g.seek(1);
  expect_error(
      ErrorCode::invalid, [&] { g.commit(before); }, "changed");
  expect_error(
      ErrorCode::out_of_range, [&] { g.seek(11); }, "11");
}

TEST_F(Groups, offsets_that_are_not_its_own_are_refused) {
  g.commit(5);
  EXPECT_EQ(expect_error(
                ErrorCode::out_of_range, [&] { g.commit(11); }, "ends at 10")
                .detail()
                .at("end"),
            "10");
  expect_error(
      ErrorCode::out_of_range, [&] { g.commit(4); }, "seek");
  g.commit(5);  // again is nothing
  expect_error(
      ErrorCode::not_found, [&] { s.group("unknown").lag(); }, "unknown");
  expect_error(
      ErrorCode::not_found, [&] { db.stream("none").group("g").poll(); }, "none");
  expect_error(ErrorCode::invalid, [&] { s.group("").poll(); });
  expect_error(ErrorCode::invalid, [&] { s.group(std::string(256, 'g')).commit(1); });
  EXPECT_EQ(g.lag().committed, 5u);
}

TEST_F(Groups, a_place_below_the_retained_events_is_out_of_range) {
  g.commit(2);
  s.truncate(6);
  const Error error = expect_error(
      ErrorCode::out_of_range, [&] { g.poll(); }, "seek_to_beginning");
  EXPECT_EQ(error.detail().at("earliest"), "6");
  g.seek_to_beginning();
  EXPECT_EQ(offsets(g.poll(1).events), "6");
}

TEST_F(Groups, members_share_the_keys_out_and_each_event_is_given_to_one) {
  g.create({.partitions = 8});
  g.join("a");
  g.join("b");
  std::set<std::string> keys_of_a;
  std::set<std::uint64_t> given;
  for (int round = 0; round < 4; ++round) {
    for (const char* member : {"a", "b"}) {
      const Poll polled = g.poll({.limit = 2, .member = member});
      for (const Event& event : polled.events) {
        EXPECT_TRUE(given.insert(*event.offset).second);
        if (*member == 'a') keys_of_a.insert(event.key);
        EXPECT_EQ(keys_of_a.contains(event.key), *member == 'a');
      }
      g.commit(polled);
    }
  }
  while (given.size() < 10)
    for (const char* member : {"a", "b"}) {
      const Poll polled = g.poll({.member = member});
      for (const Event& event : polled.events) EXPECT_TRUE(given.insert(*event.offset).second);
      g.commit(polled);
    }
  EXPECT_EQ(g.lag().lag, 0u);
  const auto members = g.members();
  ASSERT_EQ(members.size(), 2u);
  EXPECT_EQ(members[0].partitions, (std::vector<std::uint32_t>{0, 2, 4, 6}));
  expect_error(
      ErrorCode::invalid, [&] { g.poll(); }, "members");
  expect_error(
      ErrorCode::not_found, [&] { g.poll({.member = "c"}); }, "\"c\"");
}

TEST_F(Groups, a_member_that_leaves_or_dies_gives_its_share_up) {
  g.create({.partitions = 4});
  g.join("a");
  g.join("b", 1h);
  const Poll old = g.poll({.member = "a"});
  EXPECT_LT(old.events.size(), 10u);
  g.join("b", 1ms);
  std::this_thread::sleep_for(5ms);  // b does not poll
  const Poll all = g.poll({.member = "a"});
  EXPECT_EQ(all.events.size(), 10u);
  expect_error(
      ErrorCode::invalid, [&] { g.commit(old); }, "poll again");
  g.commit(all);
  expect_error(
      ErrorCode::not_found, [&] { g.poll({.member = "b"}); }, "join");
  EXPECT_TRUE(g.leave("a"));
  EXPECT_FALSE(g.leave("a"));
  EXPECT_TRUE(g.poll().events.empty());
}

TEST_F(Groups, jobs_are_claimed_acked_and_given_again) {
  const auto take = [&](const char* consumer, std::chrono::milliseconds min_idle, std::size_t count = 2) {
    std::string out;
    for (const Claimed& claimed : g.claim({consumer, count, min_idle}).events)
      out += std::to_string(*claimed.event.offset) + "x" + std::to_string(claimed.deliveries) + " ";
    return out;
  };
  EXPECT_EQ(take("a", 1h), "0x1 1x1 ");
  EXPECT_EQ(take("b", 1h), "2x1 3x1 ");
  const std::uint64_t done[] = {0, 3, 0, 9};
  EXPECT_EQ(g.ack(done), 2u);
  EXPECT_EQ(g.ack(done), 0u) << "twice is nothing";
  EXPECT_EQ(g.lag().pending, 2u);
  const std::uint64_t back[] = {2};
  EXPECT_EQ(g.nack(back), 1u);
  EXPECT_EQ(take("c", 1h), "2x2 4x1 ");
  std::this_thread::sleep_for(3ms);
  EXPECT_EQ(take("d", 1ms, 3), "1x2 2x3 4x2 ") << "what was not acked in time";
  const auto pending = g.pending();
  ASSERT_EQ(pending.size(), 3u);
  EXPECT_EQ(pending[0].offset, 1u);
  EXPECT_EQ(pending[0].consumer, "d");
  EXPECT_EQ(pending[0].deliveries, 2u);
  expect_error(ErrorCode::not_found, [&] { s.group("none").ack(done); });
  reopen();
  EXPECT_EQ(s.group("g").pending().size(), 3u);
}

TEST_F(Groups, data_that_has_no_room_in_a_dead_letter_stays_behind) {
  std::string deep;
  for (int i = 0; i < 128; ++i) deep.insert(0, "[").append("]");
  db.stream("q").append({.key = "k", .data = deep});
  db.stream("q").append({.key = "k", .data = "1"});
  db.sync_now();
  auto jobs = db.stream("q").group("g");
  jobs.create({.deliveries_max = 1, .dead_letters = "dead"});
  EXPECT_EQ(jobs.claim({"a", 1, 1h}).events.at(0).event.offset, 0u);
  jobs.nack(std::vector<std::uint64_t>{0});
  EXPECT_EQ(jobs.claim({"a", 1, 1h}).events.at(0).event.offset, 1u);
  EXPECT_EQ(db.stream("dead").read().at(0).data, R"({"stream":"q","group":"g","offset":0,"deliveries":1})");
}

TEST_F(Groups, a_job_that_fails_too_often_is_a_dead_letter) {
  g.create({.deliveries_max = 2, .dead_letters = "dead"});
  const std::uint64_t first[] = {0};
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(g.claim({"a", 1, 1h}).events.at(0).event.offset, 0u);
    g.nack(first);
  }
  EXPECT_EQ(g.claim({"a", 1, 1h}).events.at(0).event.offset, 1u);
  const auto dead = db.stream("dead").read();
  ASSERT_EQ(dead.size(), 1u);
  EXPECT_EQ(dead[0].key, "k0");
  EXPECT_EQ(dead[0].data, R"({"stream":"s","group":"g","offset":0,"deliveries":2,"data":null})");
  g.nack(std::vector<std::uint64_t>{1});
  g.claim({"a", 2, 1h});
  g.nack(std::vector<std::uint64_t>{1, 2});
  EXPECT_EQ(g.claim({"a", 1, 1h}).events.at(0).event.offset, 2u) << "one that is dead takes no other's place";
  expect_error(ErrorCode::invalid, [&] { s.group("h").create({.deliveries_max = 2, .dead_letters = "s"}); });
  expect_error(ErrorCode::invalid, [&] { s.group("h").create({.partitions = 0}); });
}

TEST_F(Groups, what_dead_letters_are_to_go_to_is_checked_when_the_group_is_made) {
  const auto make = [&](const GroupOptions& options) { s.group("h").create(options); };
  for (const std::string& name :
       {std::string(256, 'd'), std::string("a\0b", 3), std::string("\xff"), std::string("s"), std::string("_stele_x")})
    expect_error(ErrorCode::invalid, [&] { make({.deliveries_max = 2, .dead_letters = name}); });
  expect_error(
      ErrorCode::invalid, [&] { make({.dead_letters = "dead"}); }, "deliveries_max");
  expect_error(
      ErrorCode::invalid, [&] { make({.partitions = 2, .deliveries_max = 2, .dead_letters = "dead"}); }, "partition");
  EXPECT_TRUE(s.groups().empty());
  make({.deliveries_max = 2, .dead_letters = "dead"});
}

TEST_F(Groups, jobs_that_retention_has_removed_are_counted_and_hold_nobody_up) {
  EXPECT_EQ(g.claim({"a", 3, 1h}).lost, 0u);
  s.truncate(6);
  const auto pending = g.pending();
  ASSERT_EQ(pending.size(), 3u);
  EXPECT_TRUE(pending[0].lost);
  EXPECT_EQ(g.ack(std::vector<std::uint64_t>{1}), 1u) << "it was done before it went";
  const Claims next = g.claim({"a", 1, 0ms});
  EXPECT_EQ(next.events.at(0).event.offset, 6u);
  EXPECT_EQ(next.lost, 5u) << "0 and 2 were claimed, 3 to 5 never";
  EXPECT_EQ(g.claim({"a", 1, 1h}).lost, 0u);
  EXPECT_EQ(g.lag().lost, 5u);
  s.truncate(10);
  const Claims none = g.claim({"a", 1, 0ms});
  EXPECT_TRUE(none.events.empty());
  EXPECT_EQ(none.lost, 4u);
  EXPECT_EQ(g.claim({"a", 1, 0ms}).lost, 0u);
  reopen();
  g = s.group("g");
  EXPECT_EQ(g.lag().lost, 9u);
  EXPECT_EQ(g.lag().pending, 0u);
  db.close();
  EXPECT_TRUE(check(directory / "db", {.deep = true}).empty());
}

TEST_F(Groups, a_commit_is_only_for_who_still_has_the_events) {
  const auto reason = [&](ErrorCode code, const Poll& polled) {
    return expect_error(code, [&] { g.commit(polled); }).detail().at("reason");
  };
  g.create({.partitions = 4});
  const Poll nameless = g.poll();
  g.join("a", 1h);
  EXPECT_EQ(reason(ErrorCode::invalid, nameless), "fenced");
  Poll of_a = g.poll({.member = "a"});
  g.join("a", 1h);
  g.commit(Poll{{}, 1, of_a.generation, "a"});  // joining again while it lives changes nothing
  EXPECT_EQ(reason(ErrorCode::not_found, Poll{{}, 2, of_a.generation, "nobody"}), "unknown_member");
  g.join("b", 1h);
  EXPECT_EQ(reason(ErrorCode::invalid, of_a), "illegal_generation");
  const Poll of_b = g.poll({.member = "b"});
  g.join("b", 1ms);
  std::this_thread::sleep_for(5ms);
  EXPECT_EQ(reason(ErrorCode::not_found, of_b), "unknown_member") << "nobody has noticed yet that it is gone";
  g.join("b", 1h);
  EXPECT_EQ(reason(ErrorCode::invalid, of_b), "illegal_generation") << "a new member of the same name";
  g.commit(g.poll({.member = "b"}));
  g.leave("b");
  EXPECT_EQ(reason(ErrorCode::not_found, of_b), "unknown_member");
  EXPECT_EQ(reason(ErrorCode::invalid, of_a), "illegal_generation");
  EXPECT_EQ(g.lag().committed, 1u) << "what was refused moved nothing";
}

TEST_F(Groups, bad_input_is_refused_and_changes_nothing) {
  g.claim({"a", 2, 1h});
  const std::uint64_t beyond[] = {0, 10};
  EXPECT_EQ(expect_error(
                ErrorCode::out_of_range, [&] { g.ack(beyond); }, "offset 10")
                .detail()
                .at("end"),
            "10");
  expect_error(ErrorCode::out_of_range, [&] { g.nack(beyond); });
  expect_error(ErrorCode::invalid, [&] { g.claim({"a", 1, -1ms}); });
  expect_error(ErrorCode::invalid, [&] { g.claim({"a", 10'001, 1h}); });
  expect_error(ErrorCode::invalid, [&] { g.claim({"a", SIZE_MAX, 1h}); });
  expect_error(ErrorCode::invalid, [&] { g.claim({std::string(256, 'c'), 1, 1h}); });
  expect_error(ErrorCode::invalid, [&] { g.claim({"\xff", 1, 1h}); });
  for (const auto session : {0ms, -1ms, std::chrono::milliseconds::max(), std::chrono::milliseconds::min()})
    expect_error(ErrorCode::invalid, [&] { g.join("m", session); });
  expect_error(ErrorCode::out_of_range, [&] { g.seek(UINT64_MAX); });
  expect_error(ErrorCode::out_of_range, [&] { g.commit(UINT64_MAX); });
  EXPECT_EQ(g.pending().size(), 2u);
  EXPECT_TRUE(g.pending(0).empty());
  EXPECT_TRUE(g.members().empty());
  EXPECT_EQ(g.claim({"b", 1, std::chrono::milliseconds::max()}).events.at(0).event.offset, 2u) << "nobody is that idle";
  g.seek(Timestamp::max());
  EXPECT_EQ(g.lag().committed, 10u);
  g.seek(Timestamp::min());
  EXPECT_EQ(g.lag().committed, 0u);
}

TEST_F(Groups, concurrent_consumers_process_every_job_once) {
  constexpr int jobs = 150;
  for (int i = 10; i < jobs; ++i) append("k", i);
  db.sync_now();
  std::vector<std::jthread> consumers;
  for (int c = 0; c < 3; ++c)
    consumers.emplace_back([&] {
      for (bool more = true; more;)
        db.write([&](Transaction& tx) {
          Group own = tx.stream("s").group("g");
          const auto claimed = own.claim({"c", 7, 1h}).events;
          more = !claimed.empty();
          for (const Claimed& job : claimed) {
            tx.collection("done").insert(R"({"_id":)" + std::to_string(*job.event.offset) + "}");  // `exists` if twice
            const std::uint64_t done[] = {*job.event.offset};
            own.ack(done);
          }
        });
    });
  consumers.clear();
  EXPECT_EQ(db.collection("done").count(), static_cast<std::uint64_t>(jobs));
  EXPECT_EQ(g.lag().pending, 0u);
}

}  // namespace
}  // namespace stele::testing
