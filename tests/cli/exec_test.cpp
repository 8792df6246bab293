// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What `stele exec` answers to good requests.
#include "tests/cli/program.h"

namespace stele::cli {
namespace {

class ExecTest : public ::testing::Test {
 protected:
  std::string ask(std::string_view request) { return exec.ask(request); }

  TemporaryDirectory temporary;
  std::string directory = temporary.path("db");
  Exec exec{directory};
};

TEST_F(ExecTest, one_transaction_too_many_is_busy_at_once_and_the_others_go_on) {
  for (int i = 0; i < 60; ++i) ASSERT_EQ(code_of(ask(R"({"op":"begin"})")), "ok");
  const std::string refused = ask(R"({"op":"begin"})");
  EXPECT_EQ(code_of(refused), "busy");
  EXPECT_NE(refused.find("commit or roll back one"), std::string::npos) << refused;
  for (int tx = 1; tx <= 60; ++tx)
    ASSERT_EQ(code_of(ask(R"({"op":"sql","sql":"SELECT 1","tx":)" + std::to_string(tx) + "}")), "ok") << tx;
  EXPECT_EQ(code_of(ask(R"({"op":"sql","sql":"SELECT 1"})")), "ok");
  EXPECT_EQ(code_of(ask(R"({"op":"rollback","tx":7})")), "ok");
  EXPECT_EQ(code_of(ask(R"({"op":"begin"})")), "ok");
}

TEST_F(ExecTest, documents_come_back_as_they_went_in) {
  EXPECT_EQ(
      ask(R"({"op":"insert","collection":"c","docs":[{"_id":1,"big":9007199254740993,"zero":-0.0,"huge":1e+308,"d":{"$date":"2024-01-02T03:04:05.678Z"},"nul":"a\u0000b"}]})"),
      R"({"ok":true,"inserted":1,"ids":[1]})");
  EXPECT_EQ(
      ask(R"({"op":"find","collection":"c","filter":{"nul":"a\u0000b"}})"),
      R"({"ok":true,"docs":[{"_id":1,"big":9007199254740993,"zero":-0.0,"huge":1e+308,"d":{"$date":"2024-01-02T03:04:05.678Z"},"nul":"a\u0000b"}]})");
  EXPECT_EQ(ask(R"({"op":"count","collection":"c","filter":{"big":9007199254740992}})"), R"({"ok":true,"count":0})");
}

TEST_F(ExecTest, finds_sorted_and_limited) {
  ask(R"({"op":"insert","collection":"c","docs":[{"_id":1,"n":3},{"_id":2,"n":1},{"_id":3,"n":2}]})");
  EXPECT_EQ(ask(R"({"op":"find","collection":"c","sort":{"n":-1},"skip":1,"limit":1})"),
            R"({"ok":true,"docs":[{"_id":3,"n":2}]})");
  EXPECT_EQ(ask(R"({"op":"count","collection":"c","skip":1,"limit":5})"), R"({"ok":true,"count":2})");
  EXPECT_EQ(ask(R"({"op":"find","collection":"absent"})"), R"({"ok":true,"docs":[]})");
}

TEST_F(ExecTest, updates_replaces_and_deletes_by_filter) {
  ask(R"({"op":"insert","collection":"c","docs":[{"_id":1,"n":1},{"_id":2,"n":1}]})");
  EXPECT_EQ(ask(R"({"op":"update","collection":"c","filter":{"n":1},"update":{"$inc":{"n":1}},"multi":true})"),
            R"({"ok":true,"matched":2,"modified":2})");
  EXPECT_EQ(ask(R"({"op":"update","collection":"c","filter":{"_id":9},"update":{"$set":{"n":9}},"upsert":true})"),
            R"({"ok":true,"matched":0,"modified":0,"upserted_id":9})");
  EXPECT_EQ(ask(R"({"op":"replace","collection":"c","filter":{"_id":1},"replacement":{"m":5}})"),
            R"({"ok":true,"matched":1,"modified":1})");
  EXPECT_EQ(ask(R"({"op":"replace","collection":"c","filter":{"_id":7},"replacement":{"m":7},"upsert":true})"),
            R"({"ok":true,"matched":0,"modified":0,"upserted_id":7})");
  EXPECT_EQ(ask(R"({"op":"delete","collection":"c","filter":{"n":{"$gt":0}},"multi":true})"),
            R"({"ok":true,"deleted":2})");
  EXPECT_EQ(ask(R"({"op":"find","collection":"c"})"), R"({"ok":true,"docs":[{"_id":1,"m":5},{"_id":7,"m":7}]})");
  EXPECT_EQ(ask(R"({"op":"drop","collection":"c"})"), R"({"ok":true,"dropped":true})");
  EXPECT_EQ(ask(R"({"op":"collections"})"), R"({"ok":true,"collections":[]})");
}

TEST_F(ExecTest, makes_and_uses_indexes_projections_and_pipelines) {
  ask(R"({"op":"insert","collection":"c","docs":[{"_id":1,"tags":["a","b"],"n":5},{"_id":2,"tags":["b"],"n":7}]})");
  EXPECT_EQ(ask(R"({"op":"create_index","collection":"c","keys":{"n":-1}})"), R"({"ok":true,"name":"n_-1"})");
  EXPECT_NE(ask(R"({"op":"indexes","collection":"c"})").find(R"("keys":{"n":-1},"state":"ready")"), std::string::npos);
  EXPECT_EQ(ask(R"({"op":"find","collection":"c","filter":{"n":{"$gt":5}},"projection":{"n":1,"_id":0},"hint":"n_-1"})"),
            R"({"ok":true,"docs":[{"n":7}]})");
  EXPECT_EQ(ask(R"({"op":"distinct","collection":"c","field":"tags"})"), R"({"ok":true,"values":["a","b"]})");
  ask(R"({"op":"update","collection":"c","filter":{"_id":1},"update":[{"$set":{"twice":{"$multiply":["$n",2]}}}]})");
  ask(R"({"op":"update","collection":"c","filter":{"_id":1},"update":{"$set":{"tags.$[t]":"z"}},"arrayFilters":[{"t":"a"}]})");
  EXPECT_EQ(ask(R"({"op":"find","collection":"c","filter":{"$expr":{"$gt":["$twice",9]}}})"),
            R"({"ok":true,"docs":[{"_id":1,"tags":["z","b"],"n":5,"twice":10}]})");
  EXPECT_EQ(ask(R"({"op":"drop_index","collection":"c","name":"n_-1"})"), R"({"ok":true,"dropped":true})");
}

TEST_F(ExecTest, insert_says_what_was_inserted_beside_a_refused_document) {
  const std::string ordered = ask(R"({"op":"insert","collection":"c","docs":[{"_id":1},{"_id":1},{"_id":2}]})");
  EXPECT_EQ(code_of(ordered), "exists");
  EXPECT_TRUE(message_of(ordered).starts_with("docs[1]: ")) << ordered;
  EXPECT_NE(ordered.find(R"("inserted":1,"ids":[1])"), std::string::npos) << ordered;
  const std::string unordered = ask(R"({"op":"insert","collection":"c","ordered":false,"docs":[{"_id":1},{"_id":2}]})");
  EXPECT_NE(unordered.find(R"("inserted":1,"ids":[2])"), std::string::npos) << unordered;
  EXPECT_EQ(ask(R"({"op":"count","collection":"c"})"), R"({"ok":true,"count":2})");
}

TEST_F(ExecTest, sql_values_of_every_type_round_trip) {
  ask(R"j({"op":"sql","sql":"CREATE TABLE t(a, b, c, d, e, f)"})j");
  EXPECT_EQ(
      ask(R"j({"op":"sql","sql":"INSERT INTO t VALUES(?,?,?,?,?,?)","params":[9223372036854775807,-0.0,{"$numberDouble":"-Infinity"},"a\u0000b",{"$binary":{"base64":"AP8=","subType":"00"}},null]})j"),
      R"({"ok":true,"columns":[],"rows":[],"changes":1,"last_insert_rowid":1})");
  const std::string answer = ask(
      R"({"op":"sql","sql":"SELECT *, 1.0 AS one, CAST(x'ff' AS TEXT) AS odd FROM t WHERE a = :a","params":{"a":9223372036854775807}})");
  EXPECT_NE(answer.find(R"("columns":["a","b","c","d","e","f","one","odd"])"), std::string::npos) << answer;
  EXPECT_NE(
      answer.find(
          R"("rows":[[9223372036854775807,-0.0,{"$numberDouble":"-Infinity"},"a\u0000b",{"$binary":{"base64":"AP8=","subType":"00"}},null,1.0,{"$binary":{"base64":"/w==","subType":"00"}}]])"),
      std::string::npos)
      << answer;
}

TEST_F(ExecTest, events_keep_key_time_and_order) {
  EXPECT_EQ(
      ask(R"({"op":"append","stream":"s","events":[{"$event":{"key":"k","time":{"$date":"2024-01-02T03:04:05.678901Z"},"data":{"a":1}}},{"$event":{"time":1000000}}]})"),
      R"({"ok":true,"first_offset":0,"count":2})");
  EXPECT_EQ(ask(R"({"op":"append","stream":"s","events":[[1,2]]})"), R"({"ok":true,"first_offset":2,"count":1})");
  EXPECT_EQ(
      ask(R"({"op":"read","stream":"s","limit":2})"),
      R"({"ok":true,"events":[{"offset":0,"time":{"$date":"2024-01-02T03:04:05.678901Z"},"key":"k","data":{"a":1}},{"offset":1,"time":{"$date":"1970-01-01T00:00:01.000Z"},"key":"","data":null}]})");
  EXPECT_NE(ask(R"({"op":"read","stream":"s","from":2})").find(R"("key":"","data":[1,2]}]})"), std::string::npos);
  EXPECT_EQ(ask(R"({"op":"read","stream":"absent"})"), R"({"ok":true,"events":[]})");
  EXPECT_EQ(ask(R"({"op":"streams"})"), R"({"ok":true,"streams":["s"]})");
}

TEST_F(ExecTest, a_long_stream_is_read_whole) {
  std::string events;
  for (int i = 0; i < 2500; ++i) events += (i ? "," : "") + std::to_string(i);
  ask(R"({"op":"append","stream":"s","events":[)" + events + "]}");
  ask(R"({"op":"begin"})");
  ask(R"({"op":"append","stream":"s","tx":1,"events":[)" + events + "]}");
  const std::string answer = ask(R"({"op":"read","stream":"s","tx":1})");
  std::size_t count = 0;
  for (std::size_t at = 0; (at = answer.find("\"offset\":", at)) != std::string::npos; ++at) ++count;
  EXPECT_EQ(count, 5000u);
  EXPECT_NE(answer.find("\"offset\":null"), std::string::npos);
  EXPECT_NE(answer.find("\"offset\":2499"), std::string::npos);
}

TEST_F(ExecTest, a_transaction_covers_all_tiers_and_is_seen_when_committed) {
  ask(R"j({"op":"sql","sql":"CREATE TABLE t(a)"})j");
  EXPECT_EQ(ask(R"({"op":"begin"})"), R"({"ok":true,"tx":1})");
  ask(R"j({"op":"sql","tx":1,"sql":"INSERT INTO t VALUES(1)"})j");
  ask(R"({"op":"insert","tx":1,"collection":"c","docs":[{"_id":1}]})");
  EXPECT_EQ(ask(R"({"op":"append","tx":1,"stream":"s","events":[1]})"), R"({"ok":true,"first_offset":null,"count":1})");
  EXPECT_EQ(ask(R"({"op":"count","collection":"c"})"), R"({"ok":true,"count":0})");
  EXPECT_EQ(ask(R"({"op":"count","tx":1,"collection":"c"})"), R"({"ok":true,"count":1})");
  EXPECT_EQ(code_of(ask(R"({"op":"commit","tx":1})")), "ok");
  EXPECT_EQ(ask(R"({"op":"count","collection":"c"})"), R"({"ok":true,"count":1})");
  EXPECT_NE(ask(R"({"op":"sql","sql":"SELECT count(*) FROM t"})").find("[[1]]"), std::string::npos);
  EXPECT_NE(ask(R"({"op":"read","stream":"s"})").find("\"offset\":0"), std::string::npos);
}

TEST_F(ExecTest, savepoints_undo_rows_and_documents_together) {
  ask(R"j({"op":"sql","sql":"CREATE TABLE t(a)"})j");
  ask(R"({"op":"begin"})");
  ask(R"j({"op":"sql","tx":1,"sql":"INSERT INTO t VALUES(1)"})j");
  EXPECT_EQ(ask(R"({"op":"savepoint","tx":1,"name":"p"})"), R"({"ok":true})");
  ask(R"j({"op":"sql","tx":1,"sql":"INSERT INTO t VALUES(2)"})j");
  ask(R"({"op":"insert","tx":1,"collection":"c","docs":[{"_id":1}]})");
  EXPECT_EQ(ask(R"({"op":"rollback_to","tx":1,"name":"p"})"), R"({"ok":true})");
  EXPECT_EQ(ask(R"({"op":"release","tx":1,"name":"p"})"), R"({"ok":true})");
  EXPECT_EQ(code_of(ask(R"({"op":"release","tx":1,"name":"p"})")), "not_found");
  EXPECT_EQ(code_of(ask(R"({"op":"commit","tx":1})")), "ok");
  EXPECT_NE(ask(R"({"op":"sql","sql":"SELECT * FROM t"})").find("[[1]]"), std::string::npos);
  EXPECT_EQ(ask(R"({"op":"count","collection":"c"})"), R"({"ok":true,"count":0})");
}

TEST_F(ExecTest, of_two_transactions_that_write_one_document_the_first_to_commit_wins) {
  ask(R"({"op":"insert","collection":"c","docs":[{"_id":1,"n":0}]})");
  ask(R"({"op":"begin"})");
  ask(R"({"op":"begin"})");
  for (const char* tx : {"1", "2"})
    EXPECT_EQ(code_of(ask(
                  std::string(R"({"op":"update","collection":"c","filter":{"_id":1},"update":{"$inc":{"n":1}},"tx":)") +
                  tx + "}")),
              "ok");
  EXPECT_EQ(code_of(ask(R"({"op":"commit","tx":2})")), "ok");
  EXPECT_EQ(code_of(ask(R"({"op":"commit","tx":1})")), "conflict");
  EXPECT_EQ(ask(R"({"op":"find","collection":"c"})"), R"({"ok":true,"docs":[{"_id":1,"n":1}]})");
}

TEST_F(ExecTest, a_second_sql_writer_is_busy_at_once) {
  ask(R"j({"op":"sql","sql":"CREATE TABLE t(a)"})j");
  ask(R"({"op":"begin"})");
  ask(R"j({"op":"sql","tx":1,"sql":"INSERT INTO t VALUES(1)"})j");
  EXPECT_EQ(code_of(ask(R"j({"op":"sql","sql":"INSERT INTO t VALUES(2)"})j")), "busy");
  EXPECT_EQ(code_of(ask(R"({"op":"insert","collection":"c","docs":[{}]})")), "ok");
  EXPECT_EQ(code_of(ask(R"({"op":"commit","tx":1})")), "ok");
}

TEST_F(ExecTest, a_read_only_transaction_stays_at_its_moment) {
  ask(R"({"op":"insert","collection":"c","docs":[{"_id":1}]})");
  ask(R"({"op":"begin","read_only":true})");
  ask(R"({"op":"insert","collection":"c","docs":[{"_id":2}]})");
  EXPECT_EQ(ask(R"({"op":"count","collection":"c","tx":1})"), R"({"ok":true,"count":1})");
  EXPECT_EQ(code_of(ask(R"({"op":"insert","collection":"c","docs":[{}],"tx":1})")), "readonly");
  EXPECT_EQ(code_of(ask(R"({"op":"commit","tx":1})")), "ok");
}

TEST_F(ExecTest, a_deadline_of_one_request_leaves_its_transaction_usable) {
  ask(R"({"op":"begin"})");
  EXPECT_EQ(
      code_of(ask(
          R"({"op":"sql","tx":1,"deadline_ms":50,"sql":"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n"})")),
      "interrupted");
  EXPECT_EQ(code_of(ask(R"({"op":"insert","tx":1,"collection":"c","docs":[{"_id":1}]})")), "ok");
  EXPECT_EQ(code_of(ask(R"({"op":"commit","tx":1})")), "ok");
}

TEST_F(ExecTest, echoes_any_id) {
  EXPECT_EQ(ask(R"({"op":"collections","id":{"a":[1,null]}})"), R"({"ok":true,"id":{"a":[1,null]},"collections":[]})");
  EXPECT_NE(ask(R"({"op":"insert","id":12,"docs":[{"a":1,"a":2}]})").find(R"("id":12)"), std::string::npos);
}

TEST_F(ExecTest, the_end_of_input_rolls_open_transactions_back) {
  ask(R"({"op":"begin"})");
  ask(R"({"op":"insert","tx":1,"collection":"c","docs":[{"_id":1}]})");
  ask(R"({"op":"insert","collection":"d","docs":[{"_id":1}],"durability":"relaxed"})");
  const Ended ended = exec.end();
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ended.out + ended.err, "");
  Exec again(directory, {"--no-create"});
  EXPECT_EQ(again.ask(R"({"op":"collections"})"), R"({"ok":true,"collections":["d"]})");
}

TEST_F(ExecTest, what_was_answered_is_there_after_a_kill) {
  ask(R"j({"op":"sql","sql":"CREATE TABLE t(a)"})j");
  ask(R"j({"op":"sql","sql":"INSERT INTO t VALUES(1)"})j");
  ask(R"({"op":"insert","collection":"c","docs":[{"_id":1}]})");
  exec.kill();
  Exec again(directory);
  EXPECT_EQ(again.ask(R"({"op":"count","collection":"c"})"), R"({"ok":true,"count":1})");
  EXPECT_NE(again.ask(R"({"op":"sql","sql":"SELECT a FROM t"})").find("[[1]]"), std::string::npos);
}

TEST_F(ExecTest, answers_without_waiting_for_more_input_and_takes_a_last_line_without_end) {
  exec.send("{\"op\":\"collections\"}\r\n{\"op\":\"streams\"}\n{\"op\":\"sta");
  EXPECT_EQ(exec.answer(), R"({"ok":true,"collections":[]})");
  EXPECT_EQ(exec.answer(), R"({"ok":true,"streams":[]})");
  exec.send("ts\"}");
  const Ended ended = exec.end();
  EXPECT_TRUE(ended.out.starts_with(R"({"ok":true,"commits":)")) << ended.out;
}

TEST_F(ExecTest, an_answer_does_not_wait_for_the_slow_request_behind_it) {
  ask(R"({"op":"collections"})");
  const auto begin = std::chrono::steady_clock::now();
  exec.send(
      "{\"op\":\"streams\"}\n"
      R"({"op":"sql","deadline_ms":3000,"sql":"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n"})"
      "\n{\"op\":\"streams\"}\n");
  EXPECT_EQ(exec.answer(), R"({"ok":true,"streams":[]})");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(1500));
  EXPECT_EQ(code_of(exec.answer()), "interrupted");
  EXPECT_EQ(exec.answer(), R"({"ok":true,"streams":[]})");
}

TEST_F(ExecTest, requests_sent_ahead_are_answered_in_their_order) {
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += "{\"op\":\"streams\",\"id\":" + std::to_string(i) + "}\n";
  exec.send(requests);
  for (int i = 0; i < 1000; ++i)
    EXPECT_EQ(exec.answer(), R"({"ok":true,"id":)" + std::to_string(i) + R"(,"streams":[]})");
}

TEST_F(ExecTest, check_finds_nothing_and_stats_count) {
  ask(R"({"op":"insert","collection":"c","docs":[{"_id":1}]})");
  ask(R"({"op":"append","stream":"s","events":[1,2,3]})");
  EXPECT_EQ(ask(R"({"op":"check","deep":true})"), R"({"ok":true,"findings":[]})");
  EXPECT_NE(ask(R"({"op":"stats"})").find(R"("commits":2)"), std::string::npos);
}

}  // namespace
}  // namespace stele::cli
