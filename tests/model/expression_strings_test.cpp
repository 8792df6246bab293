// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/model/expression_case.h"
#include "tests/model/random_value.h"

namespace stele::model {
namespace {

TEST(StringExpression, concatenation_and_case) {
  expect({{R"({"$concat":["$item"," - ","$description"]})", R"("ABC1 - product 1")",
           R"({"item":"ABC1","description":"product 1"})"},
          {R"({"$concat":["a",null]})", "null"},
          {R"({"$concat":["a","$missing"]})", "null"},
          {R"({"$concat":[]})", R"("")"},
          {R"({"$toLower":"PRODUCT É"})", R"("product É")"},
          {R"({"$toUpper":"$missing"})", R"("")"},
          {R"({"$toUpper":["a1"]})", R"("A1")"},
          {R"({"$toLower":12.5})", R"("12.5")"},
          {R"({"$toLower":{"$date":"2026-01-31T12:00:00.5Z"}})", R"("2026-01-31t12:00:00.500z")"},
          {R"({"$strcasecmp":["13q1","13Q4"]})", "-1"},
          {R"({"$strcasecmp":["abc","ABC"]})", "0"}});
  expect_errors(ErrorCode::invalid, {{R"({"$concat":["a",1]})", "$concat needs strings, not a value of type number"},
                                     {R"({"$toLower":{"a":1}})", "not a value of type object"},
                                     {R"({"$toUpper":true})", "not a value of type bool"}});
}

TEST(StringExpression, substrings_by_bytes_and_by_characters) {
  expect({{R"({"$substrBytes":["apple",0,3]})", R"("app")"},
          {R"({"$substrBytes":["apple",2,-1]})", R"("ple")"},
          {R"({"$substrBytes":["apple",9,3]})", R"("")"},
          {R"({"$substrBytes":["cafétéria",0,5]})", R"("café")"},
          {R"({"$substr":["$missing",0,3]})", R"("")"},
          {R"({"$substrBytes":[12345,1,2]})", R"("23")"},
          {R"({"$substrCP":["cafétéria",3,4]})", R"("étér")"},
          {R"({"$substrCP":["寿司sushi",0,3]})", R"("寿司s")"},
          {R"({"$substrCP":["abc",5,1]})", R"("")"},
          {R"({"$strLenBytes":"cafétéria"})", "11"},
          {R"({"$strLenCP":"cafétéria"})", "9"},
          {R"({"$strLenCP":""})", "0"}});
  expect_errors(ErrorCode::invalid, {{R"({"$substrBytes":["é",0,1]})", "end inside a character"},
                                     {R"({"$substrBytes":["cafétéria",4,3]})", "begin inside a character, at byte 4"},
                                     {R"({"$substrBytes":["a",-1,1]})", "not below 0"},
                                     {R"({"$substrCP":["a",0,-1]})", "not below 0"},
                                     {R"({"$substrCP":["a",0.5,1]})", "32-bit"},
                                     {R"({"$strLenCP":null})", "needs a string, not null"},
                                     {R"({"$strLenBytes":"$missing"})", "not a missing value"}});
}

TEST(StringExpression, splitting_and_trimming) {
  expect({{R"({"$split":["June-15-2013","-"]})", R"(["June","15","2013"])"},
          {R"({"$split":["banana split","a"]})", R"(["b","n","n"," split"])"},
          {R"({"$split":["-a-","-"]})", R"(["","a",""])"},
          {R"({"$split":["headphone jack",","]})", R"(["headphone jack"])"},
          {R"({"$split":[null,"a"]})", "null"},
          {R"({"$trim":{"input":"  \n good  bye \t  "}})", R"("good  bye")"},
          {R"({"$trim":{"input":" ggggoodbyeeeee","chars":"ge"}})", R"(" ggggoodby")"},
          {R"({"$trim":{"input":"ggggoodbyeeeee","chars":" ge"}})", R"("oodby")"},
          {R"({"$ltrim":{"input":" ggggoodbyeeeee","chars":" gd"}})", R"("oodbyeeeee")"},
          {R"({"$rtrim":{"input":" ggggoodbyeeeee","chars":"e "}})", R"(" ggggoodby")"},
          {R"({"$trim":{"input":"\u00a0\u2003x\u0000"}})", R"("x")"},
          {R"({"$trim":{"input":"éaé","chars":"é"}})", R"("a")"},
          {R"({"$trim":{"input":"aaa","chars":"a"}})", R"("")"},
          {R"({"$trim":{"input":null}})", "null"},
          {R"({"$trim":{"input":"a","chars":null}})", "null"}});
  expect_errors(ErrorCode::invalid, {{R"({"$split":["a",""]})", "not empty"},
                                     {R"({"$split":[1,"a"]})", "strings"},
                                     {R"({"$trim":"a"})", "object of arguments"},
                                     {R"({"$trim":{"input":"a","cars":"b"}})", "no argument \"cars\""},
                                     {R"({"$trim":{"input":5}})", "\"input\""}});
}

TEST(StringExpression, searching_and_replacing) {
  expect({{R"({"$indexOfBytes":["cafeteria","e"]})", "3"},
          {R"({"$indexOfBytes":["cafétéria","é"]})", "3"},
          {R"({"$indexOfBytes":["foo.bar.fi",".",5]})", "7"},
          {R"({"$indexOfBytes":["vanilla","ll",0,2]})", "-1"},
          {R"({"$indexOfBytes":["vanilla","ll",-1]})",
           "error: test: $indexOfBytes needs bounds that are not below 0, not -1"},
          {R"({"$indexOfBytes":["vanilla","ll",12]})", "-1"},
          {R"({"$indexOfBytes":["vanilla","ll",5,2]})", "-1"},
          {R"({"$indexOfBytes":["vanilla",""]})", "0"},
          {R"({"$indexOfBytes":[null,"foo"]})", "null"},
          {R"({"$indexOfCP":["cafétéria","t"]})", "4"},
          {R"({"$indexOfCP":["cafétéria","é",4]})", "5"},
          {R"({"$indexOfCP":["cafétéria","é",4,5]})", "-1"},
          {R"({"$replaceOne":{"input":"blue paint, blue pen","find":"blue","replacement":"red"}})",
           R"("red paint, blue pen")"},
          {R"({"$replaceAll":{"input":"blue paint, blue pen","find":"blue","replacement":"red"}})",
           R"("red paint, red pen")"},
          {R"({"$replaceAll":{"input":"aaa","find":"aa","replacement":"a"}})", R"("aa")"},
          {R"({"$replaceAll":{"input":"aé","find":"","replacement":"-"}})", R"("-a-é-")"},
          {R"({"$replaceAll":{"input":"abc","find":"x","replacement":"-"}})", R"("abc")"},
          {R"({"$replaceOne":{"input":null,"find":"x","replacement":"y"}})", "null"}});
  expect_errors(ErrorCode::invalid,
                {{R"({"$indexOfCP":["a",null]})", "string to find"},
                 {R"({"$replaceOne":{"input":"a","find":1,"replacement":"b"}})", "strings"},
                 {R"({"$replaceOne":{"input":"a","find":"b"}})", "lacks its argument \"replacement\""}});
}

TEST(StringExpression, regular_expressions) {
  expect({{R"({"$regexMatch":{"input":"Single line","regex":"line"}})", "true"},
          {R"({"$regexMatch":{"input":"Single LINE","regex":"line"}})", "false"},
          {R"({"$regexMatch":{"input":"Single LINE","regex":"line","options":"i"}})", "true"},
          {R"({"$regexMatch":{"input":"a\nb","regex":"^b"}})", "false"},
          {R"({"$regexMatch":{"input":"a\nb","regex":"^b","options":"m"}})", "true"},
          {R"({"$regexMatch":{"input":"a\nb","regex":"a.b","options":"s"}})", "true"},
          {R"({"$regexMatch":{"input":"ab","regex":"a b # both","options":"x"}})", "true"},
          {R"({"$regexMatch":{"input":"a","regex":{"$regularExpression":{"pattern":"A","options":"i"}}}})", "true"},
          {R"({"$regexMatch":{"input":"a\n","regex":"a$"}})", "true"},
          {R"({"$regexFind":{"input":"a\n","regex":"a$"}})", R"({"match":"a","idx":0,"captures":[]})"},
          {R"({"$regexMatch":{"input":"$missing","regex":"a"}})", "false"},
          {R"({"$regexFind":{"input":"café au lait","regex":"a(u)(x)?"}})",
           R"({"match":"au","idx":5,"captures":["u",null]})"},
          {R"({"$regexFind":{"input":"abc","regex":"x"}})", "null"},
          {R"({"$regexFindAll":{"input":"cafétéria","regex":"é"}})",
           R"([{"match":"é","idx":3,"captures":[]},{"match":"é","idx":5,"captures":[]}])"},
          {R"({"$size":{"$regexFindAll":{"input":"éab","regex":""}}})", "3"},
          {R"({"$size":{"$regexFindAll":{"input":"","regex":""}}})", "1"},
          {R"({"$regexFindAll":{"input":"éab","regex":{"$literal":"$"}}})", R"([{"match":"","idx":3,"captures":[]}])"},
          {R"({"$regexFindAll":{"input":"$missing","regex":"a"}})", "[]"}});
  expect_errors(ErrorCode::unsupported, {{R"x({"$regexMatch":{"input":"a","regex":"(?=a)"}})x", "look-ahead"},
                                         {R"({"$regexMatch":{"input":"a","regex":"(a)\\1"}})", "back-reference"}});
  expect_errors(ErrorCode::invalid,
                {{R"x({"$regexMatch":{"input":"a","regex":"("}})x", "not a regular expression"},
                 {R"({"$regexMatch":{"input":"a","regex":"a","options":"q"}})", "unknown regex option"},
                 {R"({"$regexMatch":{"input":"a","regex":{"$regularExpression":{"pattern":"A","options":"i"}},"options":"s"}})", "keep one"},
                 {R"({"$regexMatch":{"input":1,"regex":"a"}})", "\"input\""},
                 {R"({"$regexMatch":{"input":"a","regex":1}})", "\"regex\""}});
}

std::string random_utf8(Random& random) {
  constexpr std::string_view pieces[] = {"a", "b", "-", "é", "寿", "😀"};
  std::string out;
  for (std::uint64_t n = random() % 8; n > 0; --n) out += pieces[random() % std::size(pieces)];
  return out;
}

TEST(StringExpression, parts_make_the_whole) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE(seed);
  Random random(seed);
  for (int i = 0; i < 3000; ++i) {
    const std::string whole = random_utf8(random);
    Value document = Object{{"s", whole}, {"n", static_cast<std::int64_t>(random() % 9)}};
    const auto run = [&](std::string_view json) { return *expression(json).evaluate(document); };
    ASSERT_EQ(run(R"({"$concat":[{"$substrCP":["$s",0,"$n"]},{"$substrCP":["$s","$n",100]}]})").string(), whole);
    ASSERT_EQ(
        run(R"({"$reduce":{"input":{"$split":["$s","-"]},"initialValue":null,"in":{"$cond":[{"$eq":["$$value",null]},
        "$$this",{"$concat":["$$value","-","$$this"]}]}}})")
            .string(),
        whole);
    ASSERT_EQ(run(R"({"$replaceAll":{"input":"$s","find":"é","replacement":"é"}})").string(), whole);
    const std::int64_t at = run(R"({"$indexOfCP":["$s","寿"]})").integer();
    ASSERT_EQ(at >= 0, whole.find("寿") != std::string::npos);
    if (at < 0) continue;
    document.object().push_back({"at", at});
    ASSERT_EQ(run(R"({"$substrCP":["$s","$at",1]})").string(), "寿");
    ASSERT_EQ(run(R"({"$getField":{"field":"idx","input":{"$regexFind":{"input":"$s","regex":"寿"}}}})").integer(), at);
  }
}

TEST(Conversion, between_types) {
  expect({{R"({"$toInt":"-5"})", "-5"},
          {R"({"$toInt":2.9})", "2"},
          {R"({"$toInt":true})", "1"},
          {R"({"$toLong":{"$date":{"$numberLong":"1522127087890"}}})", "1522127087890"},
          {R"({"$toLong":"9223372036854775807"})", "9223372036854775807"},
          {R"({"$toDouble":"-1.5e3"})", "-1500.0"},
          {R"({"$toDouble":5})", "5.0"},
          {R"({"$toBool":"false"})", "true"},
          {R"({"$toBool":0})", "false"},
          {R"({"$toString":2.50})", R"("2.5")"},
          {R"({"$toString":100000.0})", R"("100000")"},
          {R"({"$toString":1e16})", R"("1e+16")"},
          {R"({"$toString":-0.00001})", R"("-1e-05")"},
          {R"({"$toString":{"$add":[0.1,0.2]}})", R"("0.3")"},
          {R"({"$toString":true})", R"("true")"},
          {R"({"$toString":{"$oid":"5ab9c3da31c2ab715d421285"}})", R"("5ab9c3da31c2ab715d421285")"},
          {R"({"$toString":{"$date":"2018-03-27T05:04:47.890Z"}})", R"("2018-03-27T05:04:47.890Z")"},
          {R"({"$toString":{"$toDate":"2018-03-20"}})", R"("2018-03-20T00:00:00.000Z")"},
          {R"({"$toString":{"$toDate":{"$oid":"5ab9c3da31c2ab715d421285"}}})", R"("2018-03-27T04:08:58.000Z")"},
          {R"({"$toDate":120000000000.5})", R"({"$date":"1973-10-20T21:20:00Z"})"},
          {R"({"$toObjectId":"5ab9cbfa31c2ab715d42129e"})", R"({"$oid":"5ab9cbfa31c2ab715d42129e"})"},
          {R"({"$toInt":"$missing"})", "null"},
          {R"({"$convert":{"input":"x","to":"int","onError":"bad"}})", R"("bad")"},
          {R"({"$convert":{"input":null,"to":"int","onNull":0}})", "0"},
          {R"({"$convert":{"input":"7","to":16}})", "7"},
          {R"({"$convert":{"input":"7","to":null}})", "null"},
          {R"({"$type":["$missing"]})", R"("missing")"},
          {R"({"$type":"$r"})", R"("regex")", R"({"r":{"$regularExpression":{"pattern":"a","options":""}}})"},
          {R"({"$map":{"input":[1,2147483648,1.0,"",[],{},null,true],"in":{"$type":"$$this"}}})",
           R"(["int","long","double","string","array","object","null","bool"])"},
          {R"({"$isNumber":1})", "true"},
          {R"({"$isNumber":"1"})", "false"}});
}

TEST(Conversion, refuses_what_would_lose_or_guess) {
  expect_errors(ErrorCode::invalid, {{R"({"$toInt":"5.5"})", "cannot make an int of the string \"5.5\""},
                                     {R"({"$toInt":2147483648})", "does not fit"},
                                     {R"({"$toInt":-2147483649.0})", "does not fit"},
                                     {R"({"$toLong":9223372036854775808.0})", "does not fit"},
                                     {R"({"$toInt":""})", "\"\""},
                                     {R"({"$toInt":" 5"})", "\" 5\""},
                                     {R"({"$toInt":{"$date":"2026-01-01T00:00:00Z"}})", "type date"},
                                     {R"({"$toDouble":"nan"})", "nan"},
                                     {R"({"$toString":[[1]]})", "type array"},
                                     {R"({"$toDate":"Friday"})", "Friday"},
                                     {R"({"$toDate":true})", "type bool"},
                                     {R"({"$toObjectId":"5ab9"})", "24 hexadecimal digits"},
                                     {R"({"$convert":{"input":1,"to":"integer"}})", "knows no type"},
                                     {R"({"$convert":{"input":[],"to":"int"}})", "type array"}});
  expect_errors(ErrorCode::unsupported, {{R"({"$convert":{"input":1,"to":"decimal"}})", "decimal"}});
}

}  // namespace
}  // namespace stele::model
