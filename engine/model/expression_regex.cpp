// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Regular expressions, by RE2: linear time whatever the pattern, without lookaround and backreferences.
#include "engine/base/error.h"
#include "engine/model/expression_node.h"
#include "engine/model/expression_text.h"

#include <re2/re2.h>

namespace stele::model {
namespace {

constexpr std::size_t cached_max = 64;

std::string flags_of(const Call& call, const std::string& options) {
  std::string flags;
  for (const char option : options) {
    if (option == 'x')
      call.refuse("has no option \"x\" (blanks in the pattern); write the pattern without them",
                  ErrorCode::unsupported);
    if (option != 'i' && option != 'm' && option != 's')
      call.refuse(text("has no option \"", option, "\"; known: i m s"));
    if (flags.find(option) == std::string::npos) flags += option;
  }
  return flags;
}

[[noreturn]] void refuse_pattern(const Call& call, const std::string& pattern, const RE2& regex) {
  const bool perl = regex.error_code() == RE2::ErrorBadPerlOp || regex.error_code() == RE2::ErrorBadEscape;
  call.refuse(text("cannot use the pattern \"", pattern, "\": ", regex.error(),
                   perl ? "; lookaround and backreferences are not offered" : ""),
              perl ? ErrorCode::unsupported : ErrorCode::invalid);
}

// Compiled once a thread: a pattern is mostly the same for every document.
std::shared_ptr<const RE2> compiled(const Call& call, const std::string& pattern, const std::string& options) {
  thread_local std::map<std::string, std::shared_ptr<const RE2>, std::less<>> cache;
  const std::string flags = flags_of(call, options);
  const std::string full = flags.empty() ? pattern : text("(?", flags, ')', pattern);
  if (const auto at = cache.find(full); at != cache.end()) return at->second;
  RE2::Options quiet;
  quiet.set_log_errors(false);
  auto regex = std::make_shared<const RE2>(full, quiet);
  if (!regex->ok()) refuse_pattern(call, pattern, *regex);
  if (cache.size() >= cached_max) cache.clear();
  return cache[full] = regex;
}

struct Search {
  Result input;
  std::shared_ptr<const RE2> regex;  // null: an argument is null or missing

  explicit Search(const Call& call) : input(call.arg(0)) {
    const Result pattern = call.arg(1), options = call.arg(2);
    if (!input.nullish()) call.string(input, "a string as \"input\"");
    const std::string none;
    const std::string& letters = options.nullish() ? none : call.string(options, "a string as \"options\"");
    if (pattern.nullish()) return;
    const std::string& source = call.string(pattern, "a string as \"regex\"");
    if (source.find('\0') != std::string::npos) call.refuse("needs a pattern without NUL characters");
    auto found = compiled(call, source, letters);
    if (!input.nullish()) regex = std::move(found);
  }
  const std::string& subject() const { return input->string(); }
};

using Groups = std::vector<re2::StringPiece>;

bool find(const Search& search, std::size_t from, Groups& groups) {
  const std::string& subject = search.subject();
  groups.assign(static_cast<std::size_t>(search.regex->NumberOfCapturingGroups()) + 1, {});
  return search.regex->Match(subject, from, subject.size(), RE2::UNANCHORED, groups.data(),
                             static_cast<int>(groups.size()));
}

std::size_t begin_of(const Search& search, const Groups& groups) {
  return static_cast<std::size_t>(groups[0].data() - search.subject().data());
}

Value described(const Groups& groups, std::int64_t index) {
  const auto value = [](const re2::StringPiece& piece) { return Value(std::string(piece.data(), piece.size())); };
  Array captures;
  for (std::size_t i = 1; i < groups.size(); ++i) captures.push_back(groups[i].data() ? value(groups[i]) : Value());
  return Object{{"match", value(groups[0])}, {"idx", index}, {"captures", std::move(captures)}};
}

Result regex_match(const Call& call) {
  const Search search(call);
  return search.regex && RE2::PartialMatch(search.subject(), *search.regex);
}

Result regex_find(const Call& call) {
  const Search search(call);
  Groups groups;
  if (!search.regex || !find(search, 0, groups)) return nullptr;
  const std::string_view before = std::string_view(search.subject()).substr(0, begin_of(search, groups));
  return described(groups, static_cast<std::int64_t>(code_points(before)));
}

Result regex_find_all(const Call& call) {
  const Search search(call);
  Array out;
  if (!search.regex) return out;
  const std::string_view subject = search.subject();
  Groups groups;
  std::size_t from = 0, counted = 0, index = 0;  // `index`: characters before `counted`
  while (from <= subject.size() && find(search, from, groups)) {
    const std::size_t begin = begin_of(search, groups), length = groups[0].size();
    index += code_points(subject.substr(counted, begin - counted));
    counted = begin;
    out.push_back(described(groups, static_cast<std::int64_t>(index)));
    call.context.charge(out.back());
    if (length == 0 && begin == subject.size()) break;
    from = length > 0 ? begin + length : advance(subject, begin, 1);
  }
  return out;
}

constexpr Operator table[] = {
    {"$regexMatch", "input regex options?", regex_match},
    {"$regexFind", "input regex options?", regex_find},
    {"$regexFindAll", "input regex options?", regex_find_all},
};

}  // namespace

std::span<const Operator> regex_operators() { return table; }

}  // namespace stele::model
