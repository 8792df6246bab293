// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/model/regex.h"

#include "engine/base/error.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include <re2/re2.h>

namespace stele::model {

struct Regex::Compiled {
  Value value;
  RE2 re2;
};

namespace {

constexpr std::size_t pattern_bytes_max = 32764;  // MongoDB's

// One past the class "[…]" or the escape that begins at `i`.
std::size_t end_of_escape(std::string_view pattern, std::size_t i) {
  if (i + 1 == pattern.size()) return pattern.size();
  if (pattern[i + 1] != 'Q') return i + 2;
  const std::size_t end = pattern.find("\\E", i);
  return end == std::string_view::npos ? pattern.size() : end + 2;
}

std::size_t end_of_class(std::string_view pattern, std::size_t i) {
  ++i;
  if (i < pattern.size() && pattern[i] == '^') ++i;
  if (i < pattern.size() && pattern[i] == ']') ++i;
  while (i < pattern.size() && pattern[i] != ']') {
    if (pattern.substr(i).starts_with("[:")) {
      const std::size_t end = pattern.find(":]", i);
      i = end == std::string_view::npos ? i + 1 : end + 2;
    } else {
      i = pattern[i] == '\\' ? end_of_escape(pattern, i) : i + 1;
    }
  }
  return std::min(i + 1, pattern.size());
}

// Steps over the pattern; escapes, classes and single characters are one token each. `visit` says where to go on.
template <class Visit>
void tokens(std::string_view pattern, Visit visit) {
  for (std::size_t i = 0; i < pattern.size();) {
    const std::size_t end = pattern[i] == '\\'  ? end_of_escape(pattern, i)
                            : pattern[i] == '[' ? end_of_class(pattern, i)
                                                : i + 1;
    i = visit(i, end);
  }
}

bool sets_multiline(std::string_view group) {  // "(?im)", "(?m:"
  if (!group.starts_with("(?")) return false;
  const std::size_t end = group.find_first_of("):-P<");
  return group.substr(0, end).find('m') != std::string_view::npos;
}

// RE2 has no option x, and its $ holds at the very end only, MongoDB's also before a last line end.
std::string translated(std::string_view pattern, std::string_view options) {
  const bool extended = options.find('x') != std::string_view::npos;
  bool multiline = options.find('m') != std::string_view::npos;
  std::string out = multiline ? "(?m)" : "";
  tokens(pattern, [&](std::size_t begin, std::size_t end) {
    const std::string_view token = pattern.substr(begin, end - begin);
    multiline = multiline || sets_multiline(pattern.substr(begin));
    if (extended && token == "#") return std::min(pattern.find('\n', begin), pattern.size());
    const bool blank = token.find_first_not_of(" \t\n\v\f\r") == std::string_view::npos;
    if (!extended || !blank) out += token == "$" && !multiline ? "(?:\\n?\\z)" : token;
    return end;
  });
  return out;
}

struct Refused {
  std::size_t offset;
  std::string_view construct;
};

// What PCRE knows and RE2 does not.
std::optional<std::string_view> beyond_re2(std::string_view rest, std::string_view token) {
  constexpr std::pair<std::string_view, std::string_view> groups[] = {
      {"(?=", "the look-ahead (?=…)"},
      {"(?!", "the look-ahead (?!…)"},
      {"(?<=", "the look-behind (?<=…)"},
      {"(?<!", "the look-behind (?<!…)"},
      {"(?>", "the atomic group (?>…)"},
      {"(?|", "the branch reset (?|…)"},
      {"(?(", "the condition (?(…)…)"},
      {"(?P=", "the back-reference (?P=…)"},
      {"(?P>", "the recursion (?P>…)"},
      {"(?R", "the recursion (?R)"},
      {"(?&", "the recursion (?&…)"},
      {"(?#", "the comment (?#…)"},
      {"(?<", "the name (?<…>…), which is written (?P<…>…),"},
      {"(*", "the verb (*…)"}};
  for (const auto& [begin, name] : groups)
    if (rest.starts_with(begin)) return name;
  if (token.size() != 2 || token[0] != '\\') return std::nullopt;
  if ((token[1] >= '1' && token[1] <= '9') || token[1] == 'k' || token[1] == 'g') return "a back-reference";
  if (std::string_view("KGRXNhHZ").find(token[1]) != std::string_view::npos) return token;
  return std::nullopt;
}

std::optional<Refused> find_beyond_re2(std::string_view pattern) {
  std::optional<Refused> found;
  std::string_view before;
  tokens(pattern, [&](std::size_t begin, std::size_t end) {
    const std::string_view token = pattern.substr(begin, end - begin);
    if (const auto name = beyond_re2(pattern.substr(begin), token)) found = Refused{begin, *name};
    const bool possessive = token == "+" && (before == "+" || before == "*" || before == "?" || before == "}");
    if (possessive) found = Refused{begin, "a possessive repetition"};
    before = token;
    return found ? pattern.size() : end;
  });
  return found;
}

[[noreturn]] void refuse_pattern(std::string_view pattern, const RE2& re2, std::string_view what) {
  const std::string where = text(what, ": the pattern \"", pattern, "\"");
  if (const auto beyond = find_beyond_re2(pattern))
    fail(ErrorCode::unsupported,
         text(where, ", offset ", beyond->offset, ": ", beyond->construct,
              " is not offered: patterns are run by RE2, which takes linear time and has no look-around and no "
              "back-references"),
         {{"reason", "Regex"}, {"pattern", std::string(pattern)}, {"offset", std::to_string(beyond->offset)}});
  const std::size_t at = re2.error_arg().empty() ? std::string_view::npos : pattern.find(re2.error_arg());
  const std::size_t offset = at == std::string_view::npos ? 0 : at;
  const bool large = re2.error_code() == RE2::ErrorPatternTooLarge || re2.error_code() == RE2::ErrorRepeatSize;
  fail(
      large ? ErrorCode::too_large : ErrorCode::invalid,
      text(where, ", offset ", offset, ": ", large ? "too large for RE2: " : "not a regular expression: ", re2.error()),
      {{"reason", "InvalidRegex"}, {"pattern", std::string(pattern)}, {"offset", std::to_string(offset)}});
}

std::string in_order(std::string_view options) {
  std::string out(options);
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace

Regex Regex::compile(std::string_view pattern, std::string_view options, std::string_view what) {
  if (pattern.size() > pattern_bytes_max)
    fail(ErrorCode::too_large,
         text(what, ": the pattern has ", pattern.size(), " bytes, the limit is ", pattern_bytes_max),
         {{"reason", "InvalidRegex"},
          {"size", std::to_string(pattern.size())},
          {"limit", std::to_string(pattern_bytes_max)}});
  const std::size_t unknown = options.find_first_not_of("imsux");
  if (unknown != std::string_view::npos)
    fail(ErrorCode::invalid, text(what, ": unknown regex option '", options.substr(unknown, 1), "'; known: i m s u x"),
         {{"reason", "InvalidRegex"}});
  if (const std::size_t nul = pattern.find('\0'); nul != std::string_view::npos)
    fail(ErrorCode::invalid, text(what, ": the pattern holds a NUL at offset ", nul, "; write \\x00"),
         {{"reason", "InvalidRegex"}, {"offset", std::to_string(nul)}});
  RE2::Options how(RE2::Quiet);
  how.set_case_sensitive(options.find('i') == std::string_view::npos);
  how.set_dot_nl(options.find('s') != std::string_view::npos);
  auto compiled = std::shared_ptr<const Compiled>(
      new Compiled{Pattern{std::string(pattern), in_order(options)}, RE2(translated(pattern, options), how)});
  if (!compiled->re2.ok()) refuse_pattern(pattern, compiled->re2, what);
  return Regex(std::move(compiled));
}

bool Regex::matches(std::string_view text) const {
  return compiled_->re2.Match({text.data(), text.size()}, 0, text.size(), RE2::UNANCHORED, nullptr, 0);
}

bool Regex::find(std::string_view text, std::size_t from, Groups& groups) const {
  std::vector<re2::StringPiece> pieces(static_cast<std::size_t>(compiled_->re2.NumberOfCapturingGroups()) + 1);
  const auto match = [&](std::size_t end) {
    return compiled_->re2.Match({text.data(), end}, from, end, RE2::UNANCHORED, pieces.data(), static_cast<int>(pieces.size()));
  };
  if (!match(text.size())) return false;
  // Where $ stands for the place before a last line end, that is no part of the match.
  const re2::StringPiece whole = pieces[0];
  const bool takes_line_end = text.ends_with('\n') && whole.data() + whole.size() == text.data() + text.size() && !whole.empty();
  if (takes_line_end && (!match(text.size() - 1) || pieces[0].data() != whole.data())) match(text.size());
  groups.clear();
  for (const re2::StringPiece& piece : pieces)
    groups.push_back(piece.data() ? std::optional(std::string_view(piece.data(), piece.size())) : std::nullopt);
  return true;
}

std::string Regex::literal_prefix() const {
  const Pattern& pattern = value().pattern();
  const std::string_view source = pattern.source;
  std::string prefix;
  if (!source.starts_with('^') || source.find('|') != std::string_view::npos ||
      pattern.options.find_first_of("imx") != std::string::npos)
    return prefix;
  std::size_t last = 0;  // where the last character of the prefix begins
  std::size_t i = 1;
  for (; i < source.size() && std::string_view("^$.?*+()[{").find(source[i]) == std::string_view::npos; ++i) {
    if (source[i] == '\\') {
      if (i + 1 == source.size() || !std::ispunct(static_cast<unsigned char>(source[i + 1]))) break;
      ++i;
    }
    const bool continues = (static_cast<unsigned char>(source[i]) & 0xC0) == 0x80;  // a character of several bytes
    if (!continues) last = prefix.size();
    prefix += source[i];
  }
  const bool may_be_absent = i < source.size() && (source[i] == '?' || source[i] == '*' || source[i] == '{');
  if (may_be_absent) prefix.resize(last);
  return prefix;
}

const Value& Regex::value() const { return compiled_->value; }

}  // namespace stele::model
