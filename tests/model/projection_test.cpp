// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/projection.h"

#include "tests/model/expression_case.h"
#include "tests/model/random_value.h"

#include <algorithm>

namespace stele::model {
namespace {

std::string projected(std::string_view projection, std::string_view document) {
  return to_json(Projection::parse(projection).apply(parse(document)));
}

struct Example {
  std::string_view projection, result;
};

void expect_projected(std::string_view document, std::initializer_list<Example> examples) {
  for (const Example& e : examples) EXPECT_EQ(projected(e.projection, document), e.result) << e.projection;
}

TEST(Projection, the_positional_operator_keeps_the_element_that_the_filter_matched) {
  const Value document = parse(R"({"_id":1,"g":[70,87,90],"items":[{"k":1,"v":2},{"k":3,"v":4}],"n":5})");
  const auto kept = [&](std::string_view projection, std::string_view filter) {
    const Filter parsed = Filter::parse(filter);
    return to_json(Projection::parse(projection).apply(document, std::nullopt, &parsed.root()));
  };
  EXPECT_EQ(kept(R"({"g.$":1})", R"({"g":{"$gte":85}})"), R"({"_id":1,"g":[87]})");
  EXPECT_EQ(kept(R"({"items.$":1,"_id":0})", R"({"items.k":3})"), R"({"items":[{"k":3,"v":4}]})");
  EXPECT_EQ(kept(R"({"items.v.$":1,"_id":0})", R"({"items":{"$elemMatch":{"k":3}}})"), R"({"items":[{"v":4}]})");
  EXPECT_EQ(kept(R"({"g.$":1,"n":1})", R"({"n":5,"g":90})"), R"({"_id":1,"g":[90],"n":5})");
  testing::expect_error(ErrorCode::invalid, [&] { kept(R"({"g.$":1})", R"({"n":5})"); }, "g.$", "matched no element");
}

TEST(Projection, includes_or_excludes) {
  expect_projected(R"({"_id":1,"b":2,"a":{"x":1,"y":2},"c":1.50})",
                   {{"{}", R"({"_id":1,"b":2,"a":{"x":1,"y":2},"c":1.50})"},
                    {"", R"({"_id":1,"b":2,"a":{"x":1,"y":2},"c":1.50})"},
                    {R"({"c":1,"b":true})", R"({"_id":1,"b":2,"c":1.50})"},
                    {R"({"b":1,"_id":0})", R"({"b":2})"},
                    {R"({"_id":1})", R"({"_id":1})"},
                    {R"({"_id":0})", R"({"b":2,"a":{"x":1,"y":2},"c":1.50})"},
                    {R"({"b":0,"c":false})", R"({"_id":1,"a":{"x":1,"y":2}})"},
                    {R"({"b":0,"_id":1})", R"({"_id":1,"a":{"x":1,"y":2},"c":1.50})"},
                    {R"({"a.x":1})", R"({"_id":1,"a":{"x":1}})"},
                    {R"({"a":{"x":1}})", R"({"_id":1,"a":{"x":1}})"},
                    {R"({"a.x":0})", R"({"_id":1,"b":2,"a":{"y":2},"c":1.50})"},
                    {R"({"a.z":1})", R"({"_id":1,"a":{}})"},
                    {R"({"b.z":1})", R"({"_id":1})"},
                    {R"({"nothing":1})", R"({"_id":1})"}});
}

TEST(Projection, passes_through_arrays) {
  const std::string_view document = R"({"a":[{"b":1,"c":2},5,[{"b":3,"c":4},6],{"c":7},[]]})";
  expect_projected(document, {{R"({"a.b":1})", R"({"a":[{"b":1},[{"b":3}],{},[]]})"},
                              {R"({"a.b":0})", R"({"a":[{"c":2},5,[{"c":4},6],{"c":7},[]]})"},
                              {R"({"a.0":1})", R"({"a":[{},[{}],{},[]]})"}});
}

TEST(Projection, slices_arrays) {
  const std::string_view document =
      R"({"_id":1,"n":0,"a":[1,2,3,4,5],"d":{"a":[1,2],"x":1},"l":[{"a":[1,2]},{"a":3}]})";
  expect_projected(document, {{R"({"a":{"$slice":2},"d":0,"l":0})", R"({"_id":1,"n":0,"a":[1,2]})"},
                              {R"({"a":{"$slice":-2},"n":1})", R"({"_id":1,"n":0,"a":[4,5]})"},
                              {R"({"a":{"$slice":[1,2]},"n":1})", R"({"_id":1,"n":0,"a":[2,3]})"},
                              {R"({"a":{"$slice":[-3,2]},"n":1})", R"({"_id":1,"n":0,"a":[3,4]})"},
                              {R"({"a":{"$slice":[9,2]},"n":1})", R"({"_id":1,"n":0,"a":[]})"},
                              {R"({"a":{"$slice":0},"n":1})", R"({"_id":1,"n":0,"a":[]})"},
                              {R"({"n":{"$slice":1},"_id":1})", R"({"_id":1,"n":0})"},
                              {R"({"a":{"$slice":1},"_id":0})", R"({"n":0,"a":[1],"d":{"a":[1,2],"x":1},"l":[{"a":[1,2]},{"a":3}]})"},
                              {R"({"d.a":{"$slice":1},"n":1})", R"({"_id":1,"n":0,"d":{"a":[1]}})"},
                              {R"({"d.a":{"$slice":1},"a":0,"l":0})", R"({"_id":1,"n":0,"d":{"a":[1],"x":1}})"},
                              {R"({"l.a":{"$slice":-1},"n":1})", R"({"_id":1,"n":0,"l":[{"a":[2]},{"a":3}]})"},
                              {R"({"x":{"$slice":["$a",1,2]}})", R"({"_id":1,"x":[2,3]})"}});
}

TEST(Projection, keeps_the_first_element_that_matches) {
  const std::string_view document = R"({"_id":1,"s":[70,85,90],"t":[{"n":"a","k":1},{"n":"b","k":1}],"u":5})";
  expect_projected(document,
                   {{R"({"s":{"$elemMatch":{"$gt":80}}})", R"({"_id":1,"s":[85]})"},
                    {R"({"t":{"$elemMatch":{"k":1}},"u":1})", R"({"_id":1,"t":[{"n":"a","k":1}],"u":5})"},
                    {R"({"t":{"$elemMatch":{"$or":[{"n":"b"},{"k":7}]}}})", R"({"_id":1,"t":[{"n":"b","k":1}]})"},
                    {R"({"s":{"$elemMatch":{"$gt":95}}})", R"({"_id":1})"},
                    {R"({"s":{"$elemMatch":{"$gt":80}},"t":0})", R"({"_id":1,"s":[85],"u":5})"},
                    {R"({"s":{"$elemMatch":{"$gt":80}},"t":{"$slice":1}})", R"({"_id":1,"s":[85],"t":[{"n":"a","k":1}],"u":5})"},
                    {R"({"u":{"$elemMatch":{"$gt":1}}})", R"({"_id":1})"}});
}

TEST(Projection, computes_members) {
  const std::string_view document = R"({"_id":1,"a":2,"b":3,"o":{"x":1,"y":2},"l":[{"x":1},5]})";
  expect_projected(document, {{R"({"sum":{"$add":["$a","$b"]},"a":1})", R"({"_id":1,"a":2,"sum":5})"},
                              {R"({"a":"$b"})", R"({"_id":1,"a":3})"},
                              {R"({"text":"plain","list":["$a",1]})", R"({"_id":1,"text":"plain","list":[2,1]})"},
                              {R"({"one":{"$literal":1}})", R"({"_id":1,"one":1})"},
                              {R"({"gone":"$missing"})", R"({"_id":1})"},
                              {R"({"_id":"$a"})", R"({"_id":2})"},
                              {R"({"o.z":"$a","o.x":1})", R"({"_id":1,"o":{"x":1,"z":2}})"},
                              {R"({"l.z":"$a"})", R"({"_id":1,"l":[{"z":2}]})"},
                              {R"({"a.z":"$b"})", R"({"_id":1,"a":{"z":3}})"},
                              {R"({"n.m":"$b"})", R"({"_id":1,"n":{"m":3}})"}});
  EXPECT_EQ(to_json(Projection::parse(R"({"t":"$$NOW"})").apply(Value(Object()), Date{5})),
            R"({"t":{"$date":"1970-01-01T00:00:00.005Z"}})");
}

TEST(Projection, refuses_what_contradicts_itself) {
  const auto refused = [](ErrorCode code, std::string_view projection, std::string_view part) {
    SCOPED_TRACE(projection);
    testing::expect_error(
        code, [&] { Projection::parse(projection); }, part);
  };
  refused(ErrorCode::invalid, R"({"a":1,"b":0})", "includes or computes \"a\" and excludes \"b\"");
  refused(ErrorCode::invalid, R"({"b":0,"a":"$x"})", "excludes \"b\"");
  refused(ErrorCode::invalid, R"({"a":1,"a.b":1})", "begin the same path");
  refused(ErrorCode::invalid, R"({"a.b":1,"a":1})", "begin the same path");
  refused(ErrorCode::invalid, R"({"a.b":1,"a":{"b":1}})", "\"a.b\"");
  refused(ErrorCode::invalid, R"({"a":{}})", "empty object");
  refused(ErrorCode::invalid, R"({"a..b":1})", "empty step");
  refused(ErrorCode::invalid, R"({"$a":1})", "begins with '$'");
  refused(ErrorCode::invalid, R"([1])", "must be an object");
  refused(ErrorCode::invalid, R"({"a":{"$slice":[1,0]}})", "$slice of \"a\"");
  refused(ErrorCode::invalid, R"({"a":{"$slice":[1]}})", "$slice of \"a\"");
  refused(ErrorCode::invalid, R"({"a.b":{"$elemMatch":{"x":1}}})", "of the document itself");
  refused(ErrorCode::invalid, R"({"a":{"$elemMatch":5}})", "$elemMatch of \"a\"");
  refused(ErrorCode::invalid, R"({"a":{"$nonsense":5}})", "projection, path \"a\": unknown operator $nonsense");
  refused(ErrorCode::invalid, R"({"a.$":0})", "only with 1");
  refused(ErrorCode::invalid, R"({"a.$":1,"b.$":1})", "keep one");
  refused(ErrorCode::invalid, R"({"a.$.b":1})", "not its last step");
  refused(ErrorCode::unsupported, R"({"a":{"$meta":"textScore"}})", "$meta");
}

TEST(Projection, says_what_it_reads) {
  const auto names = [](std::string_view projection) {
    std::vector<std::string> read;
    if (!Projection::parse(projection).collect_names(read)) return std::string("all");
    std::ranges::sort(read);
    std::string joined;
    for (const std::string& name : read) joined += name + ' ';
    return joined;
  };
  EXPECT_EQ(names(R"({"a.b":1,"c":{"$slice":1},"_id":0})"), "a c ");
  EXPECT_EQ(names(R"({"a":1,"x":{"$add":["$q.r","$a"]}})"), "_id a q ");
  EXPECT_EQ(names(R"({"x":"$$ROOT"})"), "all");
  EXPECT_EQ(names(R"({"a":0})"), "all");
  EXPECT_EQ(names("{}"), "all");
  const auto simple = [](std::string_view json) {
    const Projection projection = Projection::parse(json);
    std::string joined;
    if (!projection.simple_inclusions()) return std::string("no");
    for (const Path& path : *projection.simple_inclusions()) joined += path.text() + ' ';
    return joined;
  };
  EXPECT_EQ(simple(R"({"a.b":1,"c":1})"), "_id a.b c ");
  EXPECT_EQ(simple(R"({"a.b":1,"_id":0})"), "a.b ");
  EXPECT_EQ(simple(R"({"_id":1})"), "_id ");
  for (const char* json : {R"({"a":0})", R"({"a":1,"b":"$c"})", R"({"a":1,"b":{"$slice":1}})", "{}"})
    EXPECT_EQ(simple(json), "no") << json;
}

TEST(Projection, inclusion_and_exclusion_share_a_document_between_them) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE(seed);
  Random random(seed);
  for (int i = 0; i < 2000; ++i) {
    Object object;
    for (const char* name : {"a", "b", "c"})
      if (random() % 4 != 0) object.push_back({name, random_value(random, 2)});
    const Value document = object;
    const Value with = Projection::parse(R"({"b":1,"_id":0})").apply(document),
                without = Projection::parse(R"({"b":0})").apply(document);
    ASSERT_EQ(with.object().size() + without.object().size(), object.size());
    const Value all = Projection::parse(R"({"a":1,"b":1,"c":1})").apply(document);
    ASSERT_EQ(to_json(all), to_json(document));
    // Reading only the named members is enough.
    const Projection projection = Projection::parse(R"({"a.k":1,"x":{"$eq":["$b","$a.k"]}})");
    std::vector<std::string> names;
    ASSERT_TRUE(projection.collect_names(names));
    Object part;
    for (const Member& member : object)
      if (std::ranges::find(names, member.name) != names.end()) part.push_back(member);
    ASSERT_EQ(to_json(projection.apply(part)), to_json(projection.apply(document)));
  }
}

}  // namespace
}  // namespace stele::model
