// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Looking for damage in a database that nobody has open, also in one that Database::open refuses: what is
// missing, what does not fit together. Nothing is changed (but the lock file, which names the holder).
#pragma once

#include <stele/error.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace stele {

struct Finding {
  enum class Severity : std::uint8_t {
    note,    // of no consequence: the next open puts it right
    damage,  // something is missing, or contradicts something else
  };
  Severity severity = Severity::damage;
  std::string part;     // "stele.json", "relational.db", "kv", "collection \"articles\""
  std::string message;  // what was found, and what to do
};

struct CheckOptions {
  /// Also reads everything: checksums, every document and event. Takes as long as reading the directory.
  bool deep = false;
  std::optional<std::chrono::milliseconds> deadline = {};  // then `interrupted`, as after a cancel (see options.h)
  std::stop_token cancel = {};
};

/// What is wrong with the database in `directory`; empty when it is sound. Throws not_found when there is
/// no such directory, `invalid` when it is no database, `locked` when a process has it open.
std::vector<Finding> check(const std::string& directory, const CheckOptions& options = {});

}  // namespace stele
