// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Debian's relations between packages: "libc6 (>= 2.34), default-mta | mail-transport-agent,
// python3:any". A comma parts groups, of which all are needed; a bar parts the alternatives of one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stele::demo {

struct Relation {
  std::string name;
  std::string comparison;    // "<<", "<=", "=", ">=", ">>"; empty when any version will do
  std::string version;       // empty exactly when comparison is
  std::string architecture;  // of "name:any"; empty when not given

  friend bool operator==(const Relation&, const Relation&) = default;
};

struct Relations {
  std::vector<std::vector<Relation>> groups;  // each with at least one alternative
  std::uint32_t malformed = 0;                // alternatives that could not be read and are left out
};

Relations parse_relations(std::string_view text);

bool is_package_name(std::string_view text);
bool is_version(std::string_view text);

/// dpkg's order of versions: less than, equal to or greater than 0. `~` sorts before the end.
int compare_versions(std::string_view left, std::string_view right);

/// Whether `version` stands in that relation to `wanted`: satisfies("1.2", ">=", "1.0").
bool satisfies(std::string_view version, std::string_view comparison, std::string_view wanted);

}  // namespace stele::demo
