// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/condition.h"

#include <string>
#include <string_view>

namespace stele::model {

/// Bytes that stand in the text of every document for which a condition holds: most documents of a scan are told apart
/// by them, and not looked at closer.
class Literal {
 public:
  Literal() = default;  // says nothing
  /// Of the equalities with strings that must all hold, the longest.
  static Literal of(const Condition& conjunction);

  /// False: the condition does not hold for this document, whose text is minified and valid.
  bool possible(std::string_view document) const;

 private:
  std::string quoted_;
};

}  // namespace stele::model
