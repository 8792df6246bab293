// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A stanza read as a package: the columns of its row, its relations, and its JSON document.
#pragma once

#include "tools/demo/dependency.h"
#include "tools/demo/stanza.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::demo {

/// The relation fields that become rows of table `dependencies`; "Provides" has a table of its own.
struct RelationKind {
  const char* field;  // in a stanza: lower case
  const char* kind;   // in the table
};
inline constexpr RelationKind relation_kinds[] = {
    {"pre-depends", "Pre-Depends"}, {"depends", "Depends"}, {"recommends", "Recommends"}, {"suggests", "Suggests"},
    {"enhances", "Enhances"},       {"breaks", "Breaks"},   {"conflicts", "Conflicts"},   {"replaces", "Replaces"},
};

struct Maintainer {
  std::string name;
  std::string email;  // empty when not given
};

struct Package {
  std::string name, version, architecture;
  std::optional<std::string> section, priority;
  std::optional<std::int64_t> size_bytes, installed_kilobytes;
  std::optional<Maintainer> maintainer;
  struct Dependencies {
    const char* kind;
    Relations relations;
  };
  std::vector<Dependencies> dependencies;
  Relations provides;
  std::string document_id;  // name_version_architecture
  std::string fields_json;  // the members of the document beside _id and batch: "name":value,…
  std::uint32_t malformed_relations = 0;

  std::string document(std::int64_t batch) const;
};

/// The package a stanza describes; nothing, with the reason in `why`, when it cannot be one.
std::optional<Package> read_package(const Stanza& stanza, std::string& why);

/// "Ada Lovelace <ada@example.org>" in its two parts.
Maintainer parse_maintainer(std::string_view text);

std::optional<std::int64_t> parse_number(std::string_view text);

/// `text`, valid UTF-8, as a JSON string.
std::string json_string(std::string_view text);

}  // namespace stele::demo
