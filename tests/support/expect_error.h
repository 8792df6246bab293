// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <stele/error.h>

#include <string>
#include <string_view>

namespace stele::testing {

/// Runs `body`, expects a stele::Error of that code whose message has all of `parts`, and returns it.
template <class Body, class... Part>
Error expect_error(ErrorCode code, Body&& body, const Part&... parts) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(name(error.code()), name(code)) << error.message();
    for (const std::string_view part : {std::string_view(parts)..., std::string_view()})
      EXPECT_NE(error.message().find(part), std::string::npos) << "\"" << part << "\" is not in: " << error.message();
    return error;
  }
  ADD_FAILURE() << "expected the error " << name(code) << ", but nothing was thrown";
  return Error(code, "");
}

}  // namespace stele::testing
