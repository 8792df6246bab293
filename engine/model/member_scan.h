// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/model/value.h"

#include <string_view>

namespace stele::model {

/// Steps over the members of a stored object, whose text is minified and valid, without looking into values: a scan of
/// a collection asks each document for a member or two, and stops there.
class MemberScan {
 public:
  explicit MemberScan(std::string_view object);

  /// The next member; false at the end, and where the text is not what it should be.
  bool next();
  std::string_view name() const { return name_; }
  /// The text of the value.
  std::string_view value() const { return value_; }

  /// What next() stopped at is no end: the text is damaged, or a name is spelled with escapes. Parse it instead.
  bool stopped() const { return stopped_; }

 private:
  bool stop();

  const char* at_;  // a member's name, or end_
  const char* end_;
  bool stopped_ = false;
  std::string_view name_, value_;
};

/// The value that the text spells; as far as conditions can tell it is what the parser would read.
Value read_value(std::string_view text, Parser& parser);
/// The same; written back, it gives the same text.
Value read_exact(std::string_view text, Parser& parser);

}  // namespace stele::model
