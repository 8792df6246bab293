// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The tables of one import. The demonstration has two in one database: the first with no prefix,
// the one that is killed with the prefix "second_".
#pragma once

#include <stele/stele.h>

#include <string>

namespace stele::demo {

struct Names {
  explicit Names(const std::string& prefix)
      : packages(prefix + "packages"),
        maintainers(prefix + "maintainers"),
        dependencies(prefix + "dependencies"),
        provides(prefix + "provides"),
        collection(prefix + "stanzas"),
        stream(prefix + "import") {}

  std::string packages, maintainers, dependencies, provides;  // tables
  std::string collection;
  std::string stream;
};

/// Makes the tables when they are absent. Collection and stream come into being by themselves.
void create_tables(Database& db, const Names& names);

}  // namespace stele::demo
