// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Requests that `stele exec` refuses: each with its code and what the message names; nothing has changed
// then, and the next request is answered.
#include "tests/cli/program.h"

namespace stele::cli {
namespace {

struct Bad {
  std::string request;
  std::string code;
  std::string names;  // stands in the message
};

class BadRequest : public ::testing::Test {
 protected:
  BadRequest() {
    exec.ask(R"({"op":"sql","sql":"CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT NOT NULL) STRICT"})");
    exec.ask(R"j({"op":"sql","sql":"INSERT INTO t VALUES(1, 'one')"})j");
    exec.ask(R"({"op":"insert","collection":"c","docs":[{"_id":1,"a":1}]})");
    exec.ask(R"({"op":"append","stream":"s","events":[{"$event":{"time":0,"data":1}}]})");
  }

  std::string state() {
    std::string all;
    for (const char* look :
         {R"({"op":"sql","sql":"SELECT * FROM t"})", R"({"op":"sql","sql":"SELECT name FROM sqlite_schema"})",
          R"({"op":"find","collection":"c"})", R"({"op":"read","stream":"s"})", R"({"op":"collections"})",
          R"({"op":"streams"})"})
      all += exec.ask(look) + "\n";
    return all;
  }

  void expect_refused(const Bad& bad) {
    const std::string before = state();
    const std::string answer = exec.ask(bad.request);
    const std::string shown = bad.request.substr(0, 200);
    EXPECT_EQ(code_of(answer), bad.code) << shown << "\n" << answer.substr(0, 400);
    EXPECT_NE(message_of(answer).find(bad.names), std::string::npos) << shown << "\n" << answer.substr(0, 400);
    for (const char* of_the_library : {"Database", "Options", "commit()", "savepoint()", "thread", "create_if_missing"})
      EXPECT_EQ(message_of(answer).find(of_the_library), std::string::npos) << answer.substr(0, 400);
    EXPECT_FALSE(message_of(answer).starts_with(bad.code + ":")) << "the code stands beside it: " << answer;
    EXPECT_EQ(state(), before) << shown;
  }

  static std::string insert(const std::string& document) {
    return R"({"op":"insert","collection":"c","docs":[)" + document + "]}";
  }
  static std::string sql(const std::string& statement) { return R"({"op":"sql","sql":")" + statement + R"("})"; }
  static std::string repeated(std::string_view text, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += text;
    return out;
  }

  TemporaryDirectory temporary;
  Exec exec{temporary.path("db")};
};

TEST_F(BadRequest, lines_that_are_no_request) {
  for (const Bad& bad : std::vector<Bad>{
           {"", "invalid", "byte 0"},
           {"   ", "invalid", "byte"},
           {"nonsense", "invalid", "byte 0"},
           {"[1]", "invalid", "an array, not an object"},
           {"\xEF\xBB\xBF{}", "invalid", "byte order mark"},
           {R"({"op":"collections"} x)", "invalid", "byte 21"},
           {R"({})", "invalid", "\"op\" is missing"},
           {R"({"op":1})", "invalid", "\"op\" is a number"},
           {R"({"op":"nope"})", "unknown_op", "nope"},
           {R"({"op":"aggregate","collection":"c","pipeline":[{"$redact":{}}]})", "unsupported", "stage 1: the stage $redact"},
           {R"({"op":"aggregate","collection":"c","pipeline":{}})", "invalid", "pipeline"},
           {R"({"op":"aggregate","pipeline":[]})", "invalid", "collection"},
           {R"({"op":"aggregate","source":{"table":"t"},"pipeline":[]})", "invalid", "source"},
           {R"({"op":"create_window","stream":"x"})", "invalid", "name"},
           {R"({"op":"repair"})", "unsupported", "repair"},
           {R"({"op":"collections","a":)" + repeated("[", 200) + repeated("]", 200) + "}", "too_large", "130"},
       })
    expect_refused(bad);
}

TEST_F(BadRequest, fields_that_are_missing_unknown_or_of_the_wrong_type) {
  for (const Bad& bad : std::vector<Bad>{
           {R"({"op":"find"})", "invalid", "\"collection\" is missing"},
           {R"({"op":"find","collection":"c","filters":{}})", "invalid", "unknown field \"filters\""},
           {R"({"op":"find","collection":7})", "invalid", "must be a string, not a number"},
           {R"({"op":"find","collection":"c","filter":[]})", "invalid", "must be an object, not an array"},
           {R"({"op":"find","collection":"c","limit":-1})", "invalid", "\"limit\" must be an integer from 0"},
           {R"({"op":"find","collection":"c","limit":1.5})", "invalid", "not 1.5"},
           {R"({"op":"find","collection":"c","limit":null})", "invalid", "not null"},
           {R"({"op":"find","collection":"c","projection":{"a":1,"b":0}})", "invalid", "projection"},
           {R"({"op":"find","collection":"c","hint":"nope"})", "invalid", "nope"},
           {R"({"op":"create_index","collection":"c","keys":{"n":3}})", "invalid", "direction 3"},
           {R"({"op":"create_index","collection":"c"})", "invalid", "\"keys\" is missing"},
           {R"({"op":"find","collection":"c","filter":{"a":{"$near":1}}})", "unsupported", "$near"},
           {R"({"op":"insert","collection":"c"})", "invalid", "\"docs\" is missing"},
           {R"({"op":"insert","collection":"c","docs":{}})", "invalid", "must be an array, not an object"},
           {R"({"op":"insert","collection":"c","docs":[],"ordered":"yes"})", "invalid", "must be true or false"},
           {R"({"op":"delete","collection":"c"})", "invalid", "\"filter\" is missing"},
           {R"({"op":"update","collection":"c","filter":{},"update":[{"$match":{}}]})", "invalid", "$match"},
           {R"({"op":"update","collection":"c","filter":{},"update":{"a":2}})", "invalid", ""},
           {R"({"op":"update","collection":"c","filter":{"_id":1},"update":{"$set":{"_id":2}}})", "invalid", "_id"},
           {R"({"op":"replace","collection":"c","filter":{"_id":1},"replacement":{"_id":2}})", "invalid", "_id"},
           {R"({"op":"replace","collection":"c","filter":{"_id":5},"replacement":{"$a":2}})", "invalid", "$a"},
           {R"({"op":"sql","sql":"SELECT 1","durability":"maybe"})", "invalid", "durability"},
           {R"({"op":"find","collection":"c","durability":"sync"})", "invalid", "unknown field \"durability\""},
           {R"({"op":"find","collection":"c","deadline_ms":"soon"})", "invalid", "deadline_ms"},
           {R"({"op":"begin","isolation":"chaos"})", "invalid", "serializable"},
           {R"({"op":"begin","tx":1})", "invalid", "unknown field \"tx\""},
           {R"({"op":"commit"})", "invalid", "\"tx\" is missing"},
           {R"({"op":"append","stream":"s","events":[{"$event":{"data":1,"when":2}}]})", "invalid", "when"},
           {R"({"op":"append","stream":"s","events":[{"$event":{"data":1},"more":2}]})", "invalid", "$event"},
           {R"({"op":"append","stream":"s","events":[{"$event":{"time":"noon"}}]})", "invalid", "time"},
           {R"({"op":"append","stream":"s","events":[{"$event":{"key":7}}]})", "invalid", "key"},
           {R"({"op":"read","stream":"s","from_time":"x"})", "invalid", "from_time"},
       })
    expect_refused(bad);
}

TEST_F(BadRequest, documents_that_are_not_what_may_be_stored) {
  for (const char* literal : {"NaN", "Infinity", "01", "+1", "1.", ".5", "0x1", "'a'", "tru", "1 /* one */", "1e400",
                              "9223372036854775808", "\"\\ud800\"", "\"a\xFF\"", "\"\xC0\xAF\"", "\"\tx\""})
    expect_refused({insert("{\"a\":" + std::string(literal) + "}"), "invalid", "byte"});
  for (const Bad& bad : std::vector<Bad>{
           {insert(R"({"a":1,"a":2})"), "invalid", "\"a\" stands twice"},
           {insert("[1]"), "invalid", "object"},
           {insert("7"), "invalid", "object"},
           {insert(R"({"_id":[1]})"), "invalid", "_id"},
           {insert(R"({"_id":{"a":1}})"), "invalid", "_id"},
           {insert(R"({"_id":")" + repeated("k", 9000) + "\"}"), "too_large", "8192"},
           {insert(R"({"$a":1})"), "invalid", "$a"},
           {insert(R"({"a":{"b.c":1}})"), "invalid", "b.c"},
           {insert(R"({"a\u0000b":1})"), "invalid", "NUL"},
           {insert(R"({"a":{"$date":"yesterday"}})"), "invalid", "$date"},
           {insert("{\"a\":" + repeated("[", 128) + repeated("]", 128) + "}"), "too_large", "130"},
           {insert("{\"a\":\"" + repeated("0123456789abcdef", 1u << 20) + "\"}"), "too_large", "16777216"},
           {insert(R"({"_id":1})"), "exists", "_id 1"},
       })
    expect_refused(bad);
}

TEST_F(BadRequest, names_and_keys) {
  for (const Bad& bad : std::vector<Bad>{
           {R"({"op":"insert","collection":"","docs":[{}]})", "invalid", "empty"},
           {R"({"op":"insert","collection":"a\u0000b","docs":[{}]})", "invalid", "NUL"},
           {R"({"op":"insert","collection":"_stele_x","docs":[{}]})", "invalid", "reserved"},
           {R"({"op":"insert","collection":")" + repeated("n", 300) + R"(","docs":[{}]})", "invalid", "300 bytes"},
           {R"({"op":"append","stream":"_stele","events":[1]})", "invalid", "reserved"},
           {R"({"op":"append","stream":"s","events":[1,{"$event":{"key":")" + repeated("k", 70000) + R"("}}]})",
            "too_large", "70000"},
       })
    expect_refused(bad);
  EXPECT_EQ(
      code_of(exec.ask(
          R"({"op":"append","stream":"odd","events":[{"$event":{"key":{"$binary":{"base64":"AP8=","subType":"00"}}}}]})")),
      "ok");
  EXPECT_NE(exec.ask(R"({"op":"read","stream":"odd"})").find(R"("key":{"$binary":{"base64":"AP8=","subType":"00"}})"),
            std::string::npos);
}

TEST_F(BadRequest, sql_that_is_refused) {
  for (
      const Bad& bad : std::vector<Bad>{
          {sql("SELEC 1"), "invalid", "SELEC"},
          {sql(""), "invalid", ""},
          {sql("SELECT 1; SELECT 2"), "invalid", "one"},
          {sql("INSERT INTO t VALUES(2,'x'); DELETE FROM t"), "invalid", "one"},
          {sql("SELECT * FROM nowhere"), "invalid", "nowhere"},
          {sql("BEGIN"), "unsupported", "transaction"},
          {sql("COMMIT"), "unsupported", "send the requests begin, commit and rollback"},
          {sql("SAVEPOINT p"), "unsupported", "send the requests savepoint, rollback_to and release"},
          {sql("VACUUM"), "unsupported", "no request compacts"},
          {sql("ATTACH 'x.db' AS x"), "unsupported", "ATTACH"},
          {sql("VACUUM INTO 'copy.db'"), "unsupported", "VACUUM"},
          {sql("CREATE TEMP TABLE x(a)"), "unsupported", "TEMP"},
          {sql("PRAGMA journal_mode=DELETE"), "unsupported", "journal_mode"},
          {sql("PRAGMA writable_schema=1"), "unsupported", "writable_schema"},
          {sql("SELECT load_extension('x')"), "unsupported", "load_extension"},
          {sql("SELECT * FROM _stele_outbox"), "invalid", "_stele_outbox"},
          {sql("DELETE FROM _stele_meta"), "invalid", "_stele_meta"},
          {sql("SELECT ?"), "invalid", "1"},
          {R"({"op":"sql","sql":"SELECT 1","params":[1]})", "invalid", "1"},
          {R"({"op":"sql","sql":"SELECT :a","params":{"b":1}})", "invalid", "a"},
          {R"({"op":"sql","sql":"SELECT ?","params":[{"a":1}]})", "invalid", "object as parameter 1"},
          {R"({"op":"sql","sql":"SELECT ?","params":[{"$date":"2024-01-02T03:04:05.678Z"}]})", "invalid",
           "date as parameter 1"},
          {R"({"op":"sql","sql":"SELECT ?","params":"x"})", "invalid", "must be an array"},
          {sql("SELECT 1 \\u0000"), "invalid", "NUL"},
          {sql("INSERT INTO t VALUES(1,'again')"), "constraint", "t.a"},
          {sql("INSERT INTO t VALUES(5,NULL)"), "constraint", "t.b"},
          {sql("INSERT INTO t VALUES('text','x')"), "invalid", "datatype mismatch"},
          {sql("SELECT zeroblob(1000000000)"), "too_large", ""},
          {sql("SELECT " + repeated("(", 1u << 20) + "1" + repeated(")", 1u << 20)), "too_large", ""},
          {R"({"op":"sql","deadline_ms":100,"sql":"WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i+1 FROM n) INSERT INTO t SELECT i, 'x' FROM n"})",
           "interrupted", "deadline"},
      })
    expect_refused(bad);
  EXPECT_EQ(code_of(exec.ask(sql("INSERT INTO t VALUES(2,'two')"))), "ok");  // the writer lock is free
}

TEST_F(BadRequest, transactions_that_have_ended_or_never_were) {
  expect_refused({R"({"op":"commit","tx":1})", "not_found", "transaction 1"});
  exec.ask(R"({"op":"begin"})");
  EXPECT_EQ(code_of(exec.ask(R"({"op":"rollback","tx":1})")), "ok");
  for (const char* op : {R"("commit")", R"("rollback")", R"("collections")", R"("savepoint","name":"p")"})
    expect_refused({std::string(R"({"tx":1,"op":)") + op + "}", "invalid", "has ended"});
  exec.ask(R"({"op":"begin"})");
  expect_refused({R"({"op":"rollback_to","tx":2,"name":"absent"})", "not_found", "absent"});
  expect_refused({R"({"op":"savepoint","tx":2,"name":""})", "invalid", "empty"});
  expect_refused({R"({"op":"drop","tx":2,"collection":"c","durability":"sync"})", "invalid", "begin"});
  EXPECT_EQ(code_of(exec.ask(R"({"op":"commit","tx":2})")), "ok");
}

TEST_F(BadRequest, a_transaction_that_sqlite_ended_is_dead) {
  exec.ask(R"({"op":"begin"})");
  exec.ask(R"({"op":"insert","tx":1,"collection":"c","docs":[{"_id":2}]})");
  EXPECT_EQ(code_of(exec.ask(R"j({"op":"sql","tx":1,"sql":"INSERT OR ROLLBACK INTO t VALUES(1,'again')"})j")),
            "constraint");
  expect_refused({R"j({"op":"sql","tx":1,"sql":"INSERT INTO t VALUES(9,'alone')"})j", "aborted", "begin a new one"});
  expect_refused({R"({"op":"commit","tx":1})", "aborted", "dead"});
}

TEST_F(BadRequest, writes_that_an_open_transaction_does_not_allow) {
  exec.ask(R"({"op":"begin","read_only":true})");
  expect_refused({R"({"op":"insert","tx":1,"collection":"c","docs":[{}]})", "readonly", "without \"read_only\""});
  expect_refused({R"({"op":"sql","tx":1,"sql":"DELETE FROM t"})", "readonly", "without \"read_only\""});
  expect_refused({R"({"op":"savepoint","tx":1,"name":"p"})", "readonly", "savepoints"});
  exec.ask(R"({"op":"begin"})");
  exec.ask(R"({"op":"begin"})");
  exec.ask(R"j({"op":"sql","tx":2,"sql":"INSERT INTO t VALUES(5, 'five')"})j");
  expect_refused({R"({"op":"sql","tx":3,"sql":"DELETE FROM t"})", "busy", "commit or roll it back first"});
  expect_refused({sql("DELETE FROM t"), "busy", "commit or roll it back first"});
}

TEST_F(BadRequest, a_line_of_more_than_32_megabytes_is_skipped) {
  const std::string before = state();
  exec.send(R"({"op":"insert","collection":"c","docs":[{"a":")");
  const std::string piece(1u << 20, 'x');
  for (int i = 0; i < 40; ++i) exec.send(piece);
  exec.send("\"}]}\n");
  EXPECT_EQ(code_of(exec.answer()), "too_large");
  EXPECT_EQ(state(), before);
}

}  // namespace
}  // namespace stele::cli
