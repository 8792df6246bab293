// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/sort.h"

#include <stele/error.h>

#include <gtest/gtest.h>

namespace stele::model {
namespace {

void expect_order(std::string_view sort_json, const std::vector<std::string>& documents) {
  const Sort sort = Sort::parse(sort_json);
  for (std::size_t i = 0; i + 1 < documents.size(); ++i)
    EXPECT_LT(sort.compare(parse(documents[i]), parse(documents[i + 1])), 0) << documents[i] << ' ' << documents[i + 1];
}

TEST(Sort, arrays_count_by_their_smallest_or_greatest_element) {
  expect_order(R"({"a":1})", {R"({"a":[]})", R"({})", R"({"a":[5,1]})", R"({"a":2})", R"({"a":[3,4]})", R"({"a":[[0]]})"});
  expect_order(R"({"a":-1})", {R"({"a":[[0]]})", R"({"a":[5,1]})", R"({"a":[3,4]})", R"({"a":2})", R"({})", R"({"a":[]})"});
}

TEST(Sort, compound_and_dotted) {
  expect_order(R"({"a.b":1,"c":-1})",
               {R"({"c":1})", R"({"a":{"b":1},"c":2})", R"({"a":[{"b":9},{"b":1}],"c":1})", R"({"a":{"b":2},"c":3})"});
  expect_order(R"({"s":-1})", {R"({"s":"ab"})", R"({"s":"a\u0000"})", R"({"s":"a"})", R"({"s":""})"});
}

TEST(Sort, missing_is_null_and_equal_documents_tie) {
  const Sort sort = Sort::parse(R"({"a":1})");
  EXPECT_EQ(sort.compare(parse("{}"), parse(R"({"a":null})")), 0);
  EXPECT_EQ(sort.compare(parse(R"({"a":1})"), parse(R"({"a":1.0})")), 0);
  EXPECT_TRUE(Sort::parse("").empty());
  EXPECT_TRUE(Sort::parse("{}").empty());
}

TEST(Sort, refuses_what_is_no_order) {
  for (const char* sort : {"[]", R"({"a":0})", R"({"a":"asc"})", R"({"a":2})", R"({"a..b":1})", R"({"$a":1})", R"({"a":true})"})
    EXPECT_THROW(Sort::parse(sort), Error) << sort;
  try {
    Sort::parse(R"({"a":{"$meta":"textScore"}})");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
  }
}

}  // namespace
}  // namespace stele::model
