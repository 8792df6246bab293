// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Random documents, filters, sorts and indexes as JSON text, over few paths and values, so that they meet each other.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <random>
#include <string>
#include <vector>

namespace stele::testing {

class RandomDocuments {
 public:
  explicit RandomDocuments(std::uint64_t seed) : engine_(seed) {}
  std::size_t below(std::size_t limit) { return engine_() % limit; }
  bool one_in(std::size_t n) { return below(n) == 0; }
  std::string pick(std::initializer_list<const char*> list) { return list.begin()[below(list.size())]; }

  std::string scalar() {
    switch (below(11)) {
      case 0: return "null";
      case 1: return pick({"true", "false"});
      case 2:
      case 3: return '"' + pick({"s0", "s1", "s10", "t", "", "S1"}) + '"';
      case 4: return pick({"0.5", "1.5", "1.0", "9007199254740993", "9007199254740992.0"});
      case 5: return R"({"$date":"2026-01-0)" + std::to_string(1 + below(3)) + R"(T00:00:00Z"})";
      case 6: return "-0.0";
      default: return std::to_string(below(4));
    }
  }

  std::string value(int depth = 2) {
    if (depth == 2 && one_in(20)) return R"({"$regularExpression":{"pattern":"^s1","options":""}})";
    if (depth == 0 || !one_in(3)) return scalar();
    const std::size_t size = below(4);
    std::string out;
    const bool array = !one_in(3);
    constexpr const char* names[] = {"\"x\":", "\"y\":", "\"0\":"};
    for (std::size_t i = 0; i < std::min<std::size_t>(size, array ? 3 : 2); ++i)
      out += (i ? "," : "") + (array ? "" : std::string(names[i == 1 && one_in(4) ? 2 : i])) + value(depth - 1);
    return array ? "[" + out + "]" : "{" + out + "}";
  }

  std::string document(int id) {
    std::string out = "{\"_id\":" + std::to_string(id);
    for (const char* name : {"a", "b", "c"})
      if (!one_in(5)) out += ",\"" + std::string(name) + "\":" + value();
    return out + "}";
  }

  std::string path() { return pick({"a", "a", "b", "c", "a.x", "a.y", "b.x", "a.0", "b.1.x", "b.0.y", "_id"}); }

  std::string operators(int depth = 1) {
    switch (below(depth > 0 ? 14 : 11)) {
      case 0: return R"({"$in":[)" + value(1) + "," + value(1) + "]}";
      case 1: return R"({"$exists":)" + pick({"true}", "false}"});
      case 2: return R"({"$gte":)" + scalar() + R"(,"$lte":)" + scalar() + "}";
      case 3: return R"({"$gt":)" + scalar() + R"(,"$ne":)" + scalar() + "}";
      case 4: return R"({"$type":)" + pick({"\"number\"", "\"string\"", "\"null\"", "[\"object\",\"bool\"]", "\"date\"", "\"regex\""}) + "}";
      case 5: return R"({"$regex":")" + pick({"^s1", "^s", "1$", "^s1?0", "^(s|t)"}) + "\"" + (one_in(4) ? R"(,"$options":"i"})" : "}");
      case 6: return R"({"$nin":[)" + scalar() + "," + scalar() + "]}";
      case 7: return R"({"$all":[)" + value(1) + "," + scalar() + "]}";
      case 8: return R"({"$in":[{"$regularExpression":{"pattern":"^s1","options":""}},)" + scalar() + "]}";
      case 9: return many();
      case 10: return R"({"$size":)" + std::to_string(below(3)) + "}";
      case 11: return R"({"$not":)" + operators(0) + "}";
      case 12: return R"({"$elemMatch":)" + operators(0) + "}";
      default: {
        const std::string name = pick({"x", "y", "0"});
        return R"({"$elemMatch":{")" + name + "\":" + operators(0) + (name != "x" && one_in(2) ? R"(,"x":)" + scalar() : "") + "}}";
      }
    }
  }

  std::string condition() {
    constexpr const char* comparisons[] = {"$eq", "$ne", "$gt", "$gte", "$lt", "$lte"};
    const std::string key = "\"" + path() + "\":";
    if (one_in(2)) return key + operators();
    if (one_in(3)) return key + value(1);
    return key + "{\"" + comparisons[below(std::size(comparisons))] + "\":" + value(1) + "}";
  }

  std::string filter(int depth = 1) {
    if (depth > 0 && one_in(3)) {
      std::string out = pick({R"({"$or":[)", R"({"$and":[)", R"({"$nor":[)"}) + filter(depth - 1) + "," + filter(depth - 1) + "]";
      return out + (one_in(3) ? "," + condition() : "") + "}";
    }
    std::string first = condition();
    std::string second = condition();
    if (one_in(2) || first.substr(0, first.find(':')) == second.substr(0, second.find(':'))) return "{" + first + "}";
    return "{" + first + "," + second + "}";
  }

  /// Of a sort or an index.
  std::string keys(std::size_t count) {
    std::vector<std::string> paths;
    while (paths.size() < count) {
      const std::string next = path();
      if (std::ranges::find(paths, next) == paths.end()) paths.push_back(next);
    }
    std::string out;
    for (const std::string& each : paths) out += (out.empty() ? "{\"" : ",\"") + each + "\":" + (one_in(2) ? "1" : "-1");
    return out + "}";
  }

 private:
  /// More than an index takes as separate values of a second field.
  std::string many() {
    std::string out = R"({"$in":[2)";
    for (int i = 3; i < 1200; ++i) out += "," + std::to_string(i);
    return out + "]}";
  }

  std::mt19937_64 engine_;
};

}  // namespace stele::testing
