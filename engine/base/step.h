// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Named steps of commit, creation and recovery, so that the crash tests can stop the process at
// each; and planted bugs, which exist only in the library that the crash harness links
// (STELE_PLANTED_BUGS) and prove that the harness would notice.
#pragma once

#include <atomic>
#include <string_view>

namespace stele {

using StepHook = void (*)(std::string_view step);
inline std::atomic<StepHook> step_hook{nullptr};

inline void step(std::string_view name) {
  if (StepHook hook = step_hook.load(std::memory_order_relaxed)) hook(name);
}

#ifdef STELE_PLANTED_BUGS
inline std::atomic<const char*> planted_bug{nullptr};
inline bool planted(std::string_view bug) {
  const char* active = planted_bug.load(std::memory_order_relaxed);
  return active != nullptr && bug == active;
}
#else
constexpr bool planted(std::string_view) { return false; }
#endif

}  // namespace stele
