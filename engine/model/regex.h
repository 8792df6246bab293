// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Regular expressions as MongoDB's $regex knows them, run by RE2: the time to match grows with the text, never
// exponentially; in exchange there is no look-around and no back-reference.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace stele::model {

class Regex {
 public:
  /// Options are letters: i (any case), m (^ and $ at line ends), s (. takes line ends), x (blanks and # comments are
  /// skipped). `invalid` with detail "offset" for what is no pattern, `unsupported` for what RE2 does not know.
  /// `what` says where it stands ("filter, path \"a\"").
  static Regex compile(std::string_view pattern, std::string_view options, std::string_view what);

  /// Somewhere in the text.
  bool matches(std::string_view text) const;

  const std::string& pattern() const;  // as given
  const std::string& options() const;

 private:
  struct Compiled;
  explicit Regex(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const Compiled> compiled_;  // immutable; any thread
};

}  // namespace stele::model
