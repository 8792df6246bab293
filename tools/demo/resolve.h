// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Finds for each dependency the package that satisfies it: the highest version of that name that
// fits, else a package that provides the name. What nothing satisfies stays NULL, and is counted.
#pragma once

#include <stele/stele.h>

#include <cstdint>
#include <functional>

namespace stele::demo {

struct Resolved {
  std::int64_t direct = 0;
  std::int64_t by_provider = 0;
  std::int64_t unresolved = 0;
};

/// For the first import. `progress` is called after each commit with what is done so far.
Resolved resolve_dependencies(Database& db, const std::function<void(const Resolved&)>& progress);

}  // namespace stele::demo
