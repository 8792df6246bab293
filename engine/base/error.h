// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stele/error.h>

#include <concepts>
#include <string>
#include <string_view>

namespace stele {

/// Joins texts and numbers into one string: message text without a format language.
template <class... Part>
std::string text(const Part&... parts) {
  std::string out;
  auto add = [&out](const auto& part) {
    using T = std::remove_cvref_t<decltype(part)>;
    if constexpr (std::same_as<T, char>) {
      out += part;
    } else if constexpr (std::is_arithmetic_v<T>) {
      out += std::to_string(part);
    } else {
      out += std::string_view(part);
    }
  };
  (add(parts), ...);
  return out;
}

[[noreturn]] inline void fail(ErrorCode code, const std::string& message, Error::Detail detail = {}) {
  throw Error(code, message, std::move(detail));
}

/// An io (or, for ENOSPC and EDQUOT, full) error that names file, operation and errno.
[[noreturn]] void fail_errno(std::string_view operation, std::string_view file, int error_number);

}  // namespace stele
