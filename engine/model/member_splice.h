// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/value.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stele::model {

/// Some top-level members of a stored document, read to be changed and written back among the others, whose text is
/// copied as it stands: an update costs what it touches, not what the document holds.
class MemberSplice {
 public:
  /// Looks for the members of these names. Empty when the text has to be parsed as a whole. Refers to `minified`.
  static std::optional<MemberSplice> read(std::string_view minified, std::span<const std::string> names,
                                          Parser& parser);

  /// An object of those that are there, in document order.
  Value members;

  /// The document with `members` as they are now. Those that are left keep their order and their places; the new ones
  /// stand behind them, and have none of the names of members removed.
  std::string text() const;

 private:
  struct Place {
    std::string_view name;
    std::size_t begin, end;  // of the member's text
  };
  std::string_view minified_;
  std::vector<Place> places_;  // of the members as they were
};

}  // namespace stele::model
