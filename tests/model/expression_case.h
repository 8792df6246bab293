// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Expressions as texts: what one gives for a document, or why it does not.
#pragma once

#include "engine/base/json.h"
#include "engine/model/expression.h"
#include "tests/support/expect_error.h"
#include "tests/support/seed.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>

namespace stele::model {

inline Expression expression(std::string_view json) {
  return Expression::parse(parse(json::minify(json, {}, "test")), "test");
}

/// The value as JSON, "missing", or "error: …".
inline std::string evaluated(std::string_view json, std::string_view document = "{}") {
  try {
    const Value root = parse(json::minify(document, {}, "test"));
    const auto value = expression(json).evaluate(root);
    return value ? to_json(*value) : "missing";
  } catch (const Error& error) {
    return "error: " + error.message();
  }
}

/// One line of a test's table: the expression, what it gives, and for which document.
struct Case {
  std::string_view expression, value, document = "{}";
};

inline void expect(std::initializer_list<Case> cases) {
  for (const Case& c : cases)
    EXPECT_EQ(evaluated(c.expression, c.document), c.value) << c.expression << " of " << c.document;
}

/// Each is refused, at parsing or when evaluated, with a message that has the second text.
inline void expect_errors(ErrorCode code, std::initializer_list<std::pair<std::string_view, std::string_view>> cases,
                          std::string_view document = "{}") {
  for (const auto& [json, part] : cases) {
    SCOPED_TRACE(json);
    testing::expect_error(
        code, [&] { expression(json).evaluate(parse(document)); }, part);
  }
}

using testing::test_seed;

}  // namespace stele::model
