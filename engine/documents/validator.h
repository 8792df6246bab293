// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/catalog/definition.h"
#include "engine/model/filter.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stele::documents {

/// A collection's validator, for one call of a verb. One thread.
class Validator {
 public:
  Validator(const catalog::Definition& collection, std::int64_t time_us);

  /// True when check() needs to know what was there before.
  bool needs_before() const { return filter_ && moderate_ && refuses_; }
  /// `constraint` when the document breaks the validator, and that is no matter of a warning.
  void check(std::optional<std::string_view> before, std::string_view after);
  /// True without a validator.
  bool holds(std::string_view document) { return !filter_ || filter_->matches_json(document, scratch_); }

 private:
  [[noreturn]] void refuse(std::string_view document) const;

  const catalog::Definition& collection_;
  const bool refuses_;
  const bool moderate_;
  std::optional<model::Filter> filter_;  // of its own: it knows the time
  model::Scratch scratch_;
};

}  // namespace stele::documents
