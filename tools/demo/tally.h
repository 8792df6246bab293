// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What a database really holds of an import, counted tier by tier and batch by batch in one snapshot.
#pragma once

#include "tools/demo/import.h"
#include "tools/demo/schema.h"

#include <stele/stele.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace stele::demo {

struct BatchTally {
  std::int64_t packages = 0, dependencies = 0, provides = 0;  // rows
  std::int64_t documents = 0;
  std::optional<BatchReport> event;

  bool is_whole() const;
};

struct Tally {
  std::map<std::int64_t, BatchTally> batches;
  std::int64_t rows = 0, documents = 0, events = 0;
  std::int64_t maintainers = 0;  // of the rows; batches do not own them
  std::int64_t rows_without_document = 0, documents_without_row = 0;
  std::int64_t dangling_references = 0;  // by PRAGMA foreign_key_check

  /// Empty when the tiers agree; else what does not, one line each.
  std::vector<std::string> disagreements() const;
};

Tally tally(Database& db, const Names& names);

/// What of the acknowledged batches is not there.
struct Missing {
  std::int64_t rows = 0, documents = 0, events = 0;
};
Missing missing_of(const std::vector<BatchReport>& acknowledged, const Tally& found);

/// Differences between the two imports, in rows and documents; the number of their batch apart.
std::int64_t count_differences(Database& db, const Names& first, const Names& second);

}  // namespace stele::demo
