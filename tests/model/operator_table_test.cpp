// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The table of MongoDB's operators in engine/ARCHITECTURE.md against the parsers: what it lists is known to them, and
// what they know it lists. Candidates are all the names in the parsers' sources.
#include "engine/model/expression.h"
#include "engine/model/filter.h"
#include "engine/model/projection.h"
#include "engine/model/update.h"

#include <stele/error.h>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <regex>
#include <set>
#include <sstream>

namespace stele::model {
namespace {

using Names = std::set<std::string>;

std::string contents(const std::filesystem::path& file) {
  std::ifstream in(file);
  return (std::ostringstream() << in.rdbuf()).str();
}

Names all_of(const std::string& text, const char* pattern) {
  const std::regex regex(pattern);
  Names names;
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at) names.insert((*at)[1]);
  return names;
}

/// The names in the second cells of rows whose first cell begins so.
Names listed(const std::string& where) {
  const std::string page = contents(std::filesystem::path(STELE_SOURCE_DIR) / "engine/ARCHITECTURE.md");
  std::istringstream lines(page);
  Names names;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| " + where)) continue;
    names.merge(all_of(line.substr(line.find(" | ") + 3), "`([^`]+)`"));
  }
  EXPECT_FALSE(names.empty()) << where;
  return names;
}

/// What looks like an operator in the parsers' sources, but for types of Extended JSON.
Names candidates() {
  Names names;
  for (const auto& file : std::filesystem::directory_iterator(std::filesystem::path(STELE_SOURCE_DIR) / "engine/model"))
    if (file.path().extension() == ".cpp") names.merge(all_of(contents(file.path()), R"((\$[A-Za-z]+))"));
  std::erase_if(names, [](const std::string& name) {
    try {
      return !parse("{\"" + name + "\":1}").is_object();
    } catch (const Error&) {
      return true;
    }
  });
  EXPECT_GT(names.size(), 150u);
  return names;
}

/// Anything but "there is no such operator" means that it is known.
bool known(const std::function<void()>& parse_it) {
  try {
    parse_it();
    return true;
  } catch (const Error& error) {
    const auto reason = error.detail().find("reason");
    const std::string why = reason == error.detail().end() ? "" : reason->second;
    const bool elsewhere = error.message().find("stands above paths") != std::string::npos;
    return why != "UnknownOperator" && why != "Operator" && !elsewhere;
  }
}

void expect_listed(const std::string& where, const Names& names,
                   const std::function<void(const std::string&)>& parse_it) {
  const Names table = listed(where);
  for (const std::string& name : table)
    EXPECT_TRUE(known([&] { parse_it(name); })) << where << ": " << name << " is listed and not known";
  for (const std::string& name : names)
    if (!table.contains(name)) {
      EXPECT_FALSE(known([&] { parse_it(name); })) << where << ": " << name << " is known and not listed";
    }
}

TEST(OperatorTable, lists_the_operators_of_filters) {
  const Names names = candidates();
  expect_listed("filter, on a path", names,
                [](const std::string& name) { Filter::parse("{\"a\":{\"" + name + "\":1}}"); });
  expect_listed("filter, above paths", names, [](const std::string& name) { Filter::parse("{\"" + name + "\":1}"); });
}

TEST(OperatorTable, lists_the_operators_of_updates) {
  const Names names = candidates();
  expect_listed("update |", names, [](const std::string& name) { Update::parse("{\"" + name + "\":{\"a\":1}}"); });
  expect_listed("update, stages of a pipeline", names,
                [](const std::string& name) { Update::parse("[{\"" + name + "\":1}]"); });
}

TEST(OperatorTable, lists_the_operators_of_expressions) {
  Names variables = listed("expression, variables");
  for (const std::string& name : variables)
    EXPECT_TRUE(known([&] { Expression::parse(Value(name), "test"); })) << name << " is listed and not known";
  Names names = candidates();
  const Names table = listed("expression, ");
  const auto parse_it = [](const std::string& name) { Expression::parse(Object{{name, Value(Array())}}, "test"); };
  for (const std::string& name : table)
    if (!variables.contains(name)) {
      EXPECT_TRUE(known([&] { parse_it(name); })) << name << " is listed and not known";
    }
  for (const std::string& name : names)
    if (!table.contains(name)) {
      EXPECT_FALSE(known([&] { parse_it(name); })) << name << " is known and not listed";
    }
}

TEST(OperatorTable, lists_the_keywords_of_schemas) {
  const auto parses = [](const std::string& keyword) {
    try {
      Schema::parse(Object{{keyword, Value(Object())}}, "test");
      return true;
    } catch (const Error& error) {
      return error.message().find("unknown keyword") == std::string::npos &&
             error.message().find("not offered") == std::string::npos;
    }
  };
  const Names table = listed("`$jsonSchema`, keywords");
  const std::string source = contents(std::filesystem::path(STELE_SOURCE_DIR) / "engine/model/json_schema_parse.cpp");
  for (const std::string& name : table) EXPECT_TRUE(parses(name)) << name << " is listed and not known";
  for (const std::string& name : all_of(source, "\"([$A-Za-z]+)\""))
    EXPECT_EQ(parses(name), table.contains(name)) << name;
}

TEST(OperatorTable, lists_what_stands_inside_operators) {
  const auto works = [](const std::string& update) {
    EXPECT_NO_THROW(Update::parse(update, update.find("[x]") != std::string::npos ? R"([{"x":1}])" : "")) << update;
  };
  for (const std::string& name : listed("update, inside `$push`"))
    works(R"({"$push":{"a":{"$each":[])" + (name == "$each" ? "" : ",\"" + name + "\":1") + "}}}");
  for (const std::string& name : listed("update, inside `$addToSet`"))
    works(R"({"$addToSet":{"a":{")" + name + "\":[]}}}");
  for (const std::string& name : listed("update, inside `$bit`")) works(R"({"$bit":{"a":{")" + name + "\":1}}}");
  for (std::string step : listed("update, in paths")) {
    if (step == "$[name]") step = "$[x]";
    works(R"({"$set":{"a.)" + step + "\":1}}");
  }
  for (const std::string& name : listed("projection"))
    EXPECT_NO_THROW(Projection::parse("{\"a\":{\"" + name + "\":" + (name == "$slice" ? "1" : "{}") + "}}")) << name;
}

}  // namespace
}  // namespace stele::model
