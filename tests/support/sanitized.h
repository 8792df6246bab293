// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

namespace stele::testing {

/// Built with AddressSanitizer or ThreadSanitizer: everything takes several times as long, and a random test does less.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

}  // namespace stele::testing
