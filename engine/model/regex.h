// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Regular expressions as MongoDB's $regex knows them, run by RE2: the time to match grows with the text, never
// exponentially; in exchange there is no look-around and no back-reference.
#pragma once

#include "engine/model/value.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::model {

class Regex {
 public:
  /// Options are letters: i (any case), m (^ and $ at line ends), s (. takes line ends), x (blanks and # comments are
  /// skipped), u (UTF-8, which patterns always are). `invalid` with detail "offset" for what is no pattern, `unsupported` for what RE2 does not know.
  /// `what` says where it stands ("filter, path \"a\"").
  static Regex compile(std::string_view pattern, std::string_view options, std::string_view what);

  /// Somewhere in the text.
  bool matches(std::string_view text) const;
  /// The first match that begins at `from` or later: views into the text, of the whole and then of each group, empty
  /// where a group took no part.
  using Groups = std::vector<std::optional<std::string_view>>;
  bool find(std::string_view text, std::size_t from, Groups& groups) const;

  /// What every text that matches begins with; empty: unknown.
  std::string literal_prefix() const;

  const Value& value() const;  // a Pattern, as given

 private:
  struct Compiled;
  explicit Regex(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const Compiled> compiled_;  // immutable; any thread
};

}  // namespace stele::model
