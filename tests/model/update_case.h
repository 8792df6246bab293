// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// One update of one document, as text.
#pragma once

#include "engine/model/update.h"

#include <stele/error.h>

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

namespace stele::model {

/// An update's text, or {update, filter, array filters, inserting}.
struct UpdateCase {
  template <class Text>
  UpdateCase(const Text& u, std::string_view f = "{}", std::string_view a = {}, bool i = false)
      : update(u), filter(f), array_filters(a), inserting(i) {}

  std::string_view update, filter, array_filters;
  bool inserting;
  std::int64_t now = 1767225600000;  // 2026-01-01
};

inline std::optional<std::string> apply_case(std::string_view document, const UpdateCase& c) {
  const Filter filter = Filter::parse(c.filter);
  EXPECT_TRUE(c.inserting || filter.matches(parse(document))) << c.filter << " does not match " << document;
  return Update::parse(c.update, c.array_filters).apply_json(document, {&filter, Date{c.now}, c.inserting, {}});
}

/// The text after the update; "same" when nothing changes.
inline std::string updated(std::string_view document, const UpdateCase& c) {
  return apply_case(document, c).value_or("same");
}

/// Code and reason of the refusal, with the document checked to be untouched.
inline std::string refusal(const std::string& document, const UpdateCase& c) {
  Value value = parse(document);
  try {
    const Filter filter = Filter::parse(c.filter);
    const bool changed = Update::parse(c.update, c.array_filters).apply(value, {&filter, Date{c.now}, c.inserting, {}});
    return changed ? "changed: " + to_json(value) : "same";
  } catch (const Error& error) {
    EXPECT_EQ(to_json(value), document);
    return std::string(name(error.code())) + " " + error.detail().at("reason");
  }
}

/// What an upsert inserts.
inline std::string upserted(std::string_view filter, std::string_view update) {
  const Filter parsed = Filter::parse(filter);
  return to_json(Update::parse(update).upsert_document({&parsed, Date{1767225600000}, false, {}}));
}

}  // namespace stele::model
