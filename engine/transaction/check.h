// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The part of `stele check` that knows files and logs: identities, floors, markers, the outbox chain, the
// two engines' own checks. What is in the keyspaces is checked above.
#pragma once

#include "engine/transaction/directory.h"
#include "engine/transaction/durable_floor.h"
#include "engine/transaction/store.h"

#include <stele/check.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::transaction {

/// Collects findings; past a number of them it only counts.
class Findings {
 public:
  /// `cure` says what to do; without one that is to restore a backup, unless `found` says so itself.
  void damage(std::string_view part, std::string found);
  void damage(std::string_view part, std::string_view found, std::string_view cure);
  void note(std::string_view part, const std::string& message) { add(Finding::Severity::note, part, message); }

  /// Runs `body`; an Error that it throws is damage of `part`, but for want of time, or of a disk that can be written.
  template <class Body>
  bool expect(std::string_view part, Body&& body) {
    try {
      body();
      return true;
    } catch (const Error& error) {
      if (error.code() == ErrorCode::interrupted || is_read_only_disk(error)) throw;
      add_error(part, error);
      return false;
    }
  }

  std::vector<Finding> take();

  static bool is_read_only_disk(const Error& error);

 private:
  void add_error(std::string_view part, const Error& error);
  static constexpr std::size_t kept = 1000;
  void add(Finding::Severity severity, std::string_view part, const std::string& message);

  std::vector<Finding> findings_;
  std::size_t more_ = 0;
};

/// The tiers of a closed store, opened to look at: what cannot be opened is null, and a finding.
struct OpenedTiers {
  File lock;
  std::optional<Manifest> manifest;
  Floor floor;
  std::unique_ptr<storage::RelationalStore> relational;
  std::unique_ptr<storage::KeyValueStore> key_value;
};

/// Throws not_found, invalid, locked.
OpenedTiers open_to_check(const std::string& directory, Findings& findings);
void check_tiers(const std::string& directory, OpenedTiers& tiers, const CheckOptions& options, const Interrupt& interrupt,
                 Findings& findings);

/// The same for a store that is open here. Commits wait while the logs are compared.
void check_tiers(Store& store, const CheckOptions& options, const Interrupt& interrupt, Findings& findings);

}  // namespace stele::transaction
