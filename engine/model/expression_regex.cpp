// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/base/error.h"
#include "engine/model/expression_node.h"
#include "engine/model/expression_text.h"
#include "engine/model/regex.h"

#include <map>
#include <optional>

namespace stele::model {
namespace {

constexpr std::size_t cached_max = 16;

// Compiled once a thread: a pattern is mostly the same for every document.
Regex compiled(const Call& call, const Pattern& pattern) {
  thread_local std::map<std::string, Regex, std::less<>> cache;
  const std::string key = text(pattern.options, '/', pattern.source);
  if (const auto at = cache.find(key); at != cache.end()) return at->second;
  Regex regex = Regex::compile(pattern.source, pattern.options, call.where());
  if (cache.size() >= cached_max) cache.clear();
  return cache.emplace(key, std::move(regex)).first->second;
}

struct Search {
  Result input;
  std::optional<Regex> regex;  // empty: an argument is null or missing

  explicit Search(const Call& call) : input(call.arg(0)) {
    const Result pattern = call.arg(1), options = call.arg(2);
    if (!input.nullish()) call.string(input, "a string as \"input\"");
    const std::string none;
    const std::string& letters = options.nullish() ? none : call.string(options, "a string as \"options\"");
    if (pattern.nullish()) return;
    Regex found = compiled(call, pattern_of(call, pattern, letters));
    if (!input.nullish()) regex = std::move(found);
  }
  const std::string& subject() const { return input->string(); }

 private:
  static Pattern pattern_of(const Call& call, const Result& pattern, const std::string& letters) {
    if (pattern->type() != Type::regex) return {call.string(pattern, "a string or regular expression as \"regex\""), letters};
    if (!letters.empty() && !pattern->pattern().options.empty())
      call.refuse("has options in \"regex\" and in \"options\"; keep one of them");
    return {pattern->pattern().source, letters.empty() ? pattern->pattern().options : letters};
  }
};

std::size_t begin_of(const Search& search, const Regex::Groups& groups) {
  return static_cast<std::size_t>(groups[0]->data() - search.subject().data());
}

Value described(const Regex::Groups& groups, std::int64_t index) {
  Array captures;
  for (std::size_t i = 1; i < groups.size(); ++i) captures.push_back(groups[i] ? Value(*groups[i]) : Value());
  return Object{{"match", *groups[0]}, {"idx", index}, {"captures", std::move(captures)}};
}

Result regex_match(const Call& call) {
  const Search search(call);
  return search.regex && search.regex->matches(search.subject());
}

Result regex_find(const Call& call) {
  const Search search(call);
  Regex::Groups groups;
  if (!search.regex || !search.regex->find(search.subject(), 0, groups)) return nullptr;
  const std::string_view before = std::string_view(search.subject()).substr(0, begin_of(search, groups));
  return described(groups, static_cast<std::int64_t>(code_points(before)));
}

Result regex_find_all(const Call& call) {
  const Search search(call);
  Array out;
  if (!search.regex) return out;
  const std::string_view subject = search.subject();
  Regex::Groups groups;
  std::size_t from = 0, counted = 0, index = 0;  // `index`: characters before `counted`
  // Behind the last character nothing is looked for, not even the empty string, as MongoDB does; but in an empty one.
  while ((from < subject.size() || subject.empty()) && search.regex->find(subject, from, groups)) {
    const std::size_t begin = begin_of(search, groups), length = groups[0]->size();
    index += code_points(subject.substr(counted, begin - counted));
    counted = begin;
    out.push_back(described(groups, static_cast<std::int64_t>(index)));
    call.context.charge(out.back());
    if (length == 0 && begin == subject.size()) break;
    from = length > 0 ? begin + length : advance(subject, begin, 1);
  }
  return out;
}

constexpr Operator regex_table[] = {
    {"$regexMatch", "input regex options?", regex_match},
    {"$regexFind", "input regex options?", regex_find},
    {"$regexFindAll", "input regex options?", regex_find_all},
};

}  // namespace

std::span<const Operator> regex_operators() { return regex_table; }

}  // namespace stele::model
