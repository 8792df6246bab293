// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Writes whose bytes depend on the commit's place in the order: the offsets of appended events, window aggregates. A
// tier hands them over with its other writes; the committer has them resolved under the order lock. They read nothing
// that is validated, so two of them never conflict.
#pragma once

#include "engine/storage/keyspace.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace stele::transaction {

using storage::Keyspace;

/// What late writes of one commit see and write, one after the other.
class LateWrites {
 public:
  virtual ~LateWrites() = default;
  virtual std::uint64_t gseq() const = 0;  // of the commit

  /// The newest value of a key that only late writes write, by earlier ones of this commit, too; null: absent. Valid
  /// until the next call.
  virtual const std::string* state(Keyspace keyspace, std::string_view key) = 0;
  /// Writes such a key. Conflicts with who has read it; is kept in memory for the next commits.
  virtual void set_state(Keyspace keyspace, std::string_view key, std::string value) = 0;
  /// Writes a key that nobody has written before. Conflicts with nobody: who depends on its absence has noted the
  /// state.
  virtual void add(Keyspace keyspace, std::string_view key, std::string_view value) = 0;
};

class LateWrite {
 public:
  virtual ~LateWrite() = default;
  /// Called once, by the committer's thread, holding the order lock: quick, no waiting, no error but of the store.
  virtual void resolve(LateWrites& commit) const = 0;
  /// The commit has become visible: for what lies outside the stores. Still under the order lock.
  virtual void published() const noexcept {}
  /// About what it will add to the commit.
  virtual std::size_t bytes() const = 0;
};

}  // namespace stele::transaction
