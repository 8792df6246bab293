// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

namespace stele::testing {

/// Built with AddressSanitizer or ThreadSanitizer: everything takes several times as long, and a random test does less.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

/// How many of a random test's `usual` cases are run.
constexpr int cases(int usual) { return sanitized ? usual / 4 : usual; }

}  // namespace stele::testing
