// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Consumers that are killed: every event's effect is there once.
#include "tests/cli/program.h"
#include "tests/support/seed.h"

#include <chrono>
#include <cstdlib>
#include <random>
#include <thread>

namespace stele::cli {
namespace {

class GroupsTest : public ::testing::Test {
 protected:
  TemporaryDirectory temporary;
  std::string directory = temporary.path("db");
};

/// In one transaction: polls, inserts the offset of each event as a document (a second time would be `exists`),
/// commits. Ends when nothing is left.
bool consume(Exec& exec) {
  const std::string begun = exec.ask(R"({"op":"begin"})");
  const std::string tx = ",\"tx\":" + begun.substr(begun.find("\"tx\":") + 5);  // with the closing brace
  const std::string polled = exec.ask(R"({"op":"group_poll","stream":"s","group":"g","limit":3)" + tx);
  std::string docs;
  for (std::size_t at = 0; (at = polled.find("\"offset\":", at)) != std::string::npos;) {
    at += 9;
    docs += (docs.empty() ? "" : ",") + std::string("{\"_id\":") + polled.substr(at, polled.find(',', at) - at) + "}";
  }
  if (docs.empty()) return false;
  const std::string inserted = exec.ask(R"({"op":"insert","collection":"done","docs":[)" + docs + "]" + tx);
  EXPECT_EQ(code_of(inserted), "ok") << inserted;
  const std::size_t next = polled.find("\"next\":") + 7;
  exec.ask(R"({"op":"sql","sql":"UPDATE total SET n = n + 1")" + tx);
  exec.ask(R"({"op":"group_commit","stream":"s","group":"g","offset":)" +
           polled.substr(next, polled.find(',', next) - next) + tx);
  exec.send("{\"op\":\"commit\"" + tx + "\n");
  return true;
}

TEST_F(GroupsTest, killed_consumers_process_every_event_exactly_once) {
  constexpr int events = 120;
  std::mt19937_64 random(testing::test_seed());
  {
    Exec exec(directory);
    exec.ask(R"j({"op":"sql","sql":"CREATE TABLE total(n INTEGER)"})j");
    exec.ask(R"j({"op":"sql","sql":"INSERT INTO total VALUES(0)"})j");
    std::string list = "0";
    for (int i = 1; i < events; ++i) list += "," + std::to_string(i);
    exec.ask(R"({"op":"append","stream":"s","events":[)" + list + "]}");
    exec.end();
  }
  for (bool more = true; more;) {
    Exec exec(directory);
    for (std::uint64_t left = random() % 8; more; --left) {
      more = consume(exec);
      if (!more) break;
      if (left == 0) {  // somewhere in the commit, or after it
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
        exec.kill();
        break;
      }
      exec.answer();
    }
  }
  Exec exec(directory);
  EXPECT_EQ(exec.ask(R"({"op":"count","collection":"done"})"), R"({"ok":true,"count":120})");
  EXPECT_EQ(exec.ask(R"({"op":"group_lag","stream":"s","group":"g"})"),
            R"({"ok":true,"committed":120,"end":120,"lag":0,"pending":0,"lost":0})");
  EXPECT_NE(exec.ask(R"({"op":"sql","sql":"SELECT n FROM total"})").find("[[40]]"), std::string::npos)
      << "a transaction was there twice";
  exec.end();
  EXPECT_EQ(run({"check", directory, "--deep"}).out, "sound\n");
}

TEST_F(GroupsTest, streams_groups_and_caches_answer) {
  Exec exec(directory);
  const auto ask = [&](std::string_view request) { return exec.ask(request); };
  EXPECT_EQ(ask(R"({"op":"create_stream","stream":"s","retention":{"count":100}})"), R"({"ok":true})");
  ask(R"({"op":"append","stream":"s","events":[{"$event":{"key":"a","time":5,"data":{"n":1}}},{"$event":{"key":"b","time":6,"data":{"n":2}}}]})");
  const std::string second =
      R"([{"offset":1,"time":{"$date":"1970-01-01T00:00:00.000006Z"},"key":"b","data":{"n":2}}])";
  EXPECT_EQ(ask(R"({"op":"read","stream":"s","key":"b"})"), R"({"ok":true,"events":)" + second + "}");
  EXPECT_EQ(ask(R"({"op":"read","stream":"s","from_time":6})"), R"({"ok":true,"events":)" + second + "}");
  EXPECT_EQ(ask(R"({"op":"read","stream":"s","filter":{"n":2}})"), R"({"ok":true,"events":)" + second + "}");
  EXPECT_EQ(ask(R"({"op":"read","stream":"s","backward":true,"limit":1})"), R"({"ok":true,"events":)" + second + "}");
  EXPECT_EQ(ask(R"({"op":"tail","stream":"s","from":1,"timeout_ms":1000})"),
            R"({"ok":true,"events":)" + second + R"(,"next":2})");
  EXPECT_EQ(ask(R"({"op":"tail","stream":"s","from":2,"timeout_ms":1})"), R"({"ok":true,"events":[],"next":2})");
  EXPECT_EQ(ask(R"({"op":"create_window","stream":"s","name":"w","width_ms":1000,"aggregates":{"sum":{"sum":"n"}}})"),
            R"({"ok":true,"name":"w"})");
  EXPECT_EQ(ask(R"({"op":"window","stream":"s","name":"w"})"),
            R"({"ok":true,"rows":[{"start":{"$date":"1970-01-01T00:00:00.000Z"},"key":"","values":{"sum":3}}]})");
  EXPECT_EQ(ask(R"({"op":"drop_window","stream":"s","name":"w"})"), R"({"ok":true,"dropped":true})");
  EXPECT_EQ(ask(R"({"op":"group_create","stream":"s","group":"jobs","deliveries_max":3})"), R"({"ok":true})");
  EXPECT_NE(ask(R"({"op":"group_claim","stream":"s","group":"jobs","consumer":"c"})").find(R"("deliveries":1)"),
            std::string::npos);
  EXPECT_NE(
      ask(R"({"op":"group_pending","stream":"s","group":"jobs"})").find(R"({"offset":0,"consumer":"c","deliveries":1)"),
      std::string::npos);
  EXPECT_EQ(ask(R"({"op":"group_nack","stream":"s","group":"jobs","offsets":[0]})"), R"({"ok":true,"count":1})");
  EXPECT_EQ(ask(R"({"op":"group_ack","stream":"s","group":"jobs","offsets":[0,1]})"), R"({"ok":true,"count":1})");
  EXPECT_EQ(ask(R"({"op":"group_seek","stream":"s","group":"jobs","time":6})"), R"({"ok":true,"committed":1})");
  EXPECT_EQ(code_of(ask(R"({"op":"group_commit","stream":"s","group":"jobs","offset":9})")), "out_of_range");
  EXPECT_EQ(code_of(ask(R"({"op":"group_lag","stream":"s","group":"unknown"})")), "not_found");
  EXPECT_EQ(ask(R"({"op":"truncate","stream":"s","before":1})"), R"({"ok":true,"earliest":1})");
  EXPECT_EQ(code_of(ask(R"({"op":"read","stream":"s","from":0})")), "out_of_range");

  EXPECT_EQ(ask(R"({"op":"cache_set","cache":"c","key":"k","value":"v","px":60000,"get":true})"),
            R"({"ok":true,"set":true,"value":null})");
  EXPECT_EQ(ask(R"({"op":"cache_set","cache":"c","key":"k","value":"w","nx":true,"get":true})"),
            R"({"ok":true,"set":false,"value":"v"})");
  EXPECT_EQ(ask(R"({"op":"cache_mget","cache":"c","keys":["k","x"]})"), R"({"ok":true,"values":["v",null]})");
  EXPECT_EQ(ask(R"({"op":"cache_ttl","cache":"c","key":"x"})"), R"({"ok":true,"ttl":-2,"pttl":-2})");
  EXPECT_EQ(ask(R"({"op":"cache_incr","cache":"c","key":"n","by":-4})"), R"({"ok":true,"value":-4})");
  EXPECT_EQ(ask(R"({"op":"cache_scan","cache":"c"})"), R"({"ok":true,"keys":["k","n"],"cursor":""})");
  EXPECT_EQ(code_of(ask(R"({"op":"cache_set","cache":"c","key":"k","value":"v","ex":0})")), "invalid");
  EXPECT_EQ(code_of(ask(R"({"op":"cache_incr","cache":"c","key":"k"})")), "invalid");
  EXPECT_NE(ask(R"({"op":"throttle","cache":"c","key":"t","max_burst":1,"count":1,"period_ms":3600000})")
                .find(R"("limited":false,"limit":2,"remaining":1)"),
            std::string::npos);
  EXPECT_EQ(ask(R"({"op":"cache_flush","cache":"c"})"), R"({"ok":true})");
  EXPECT_EQ(ask(R"({"op":"cache_get","cache":"c","key":"k"})"), R"({"ok":true,"value":null})");
}

}  // namespace
}  // namespace stele::cli
