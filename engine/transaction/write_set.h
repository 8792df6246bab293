// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What a transaction has written to the key-value tier and not yet committed: an ordered map a
// keyspace, erased ranges, and late operations. Every write is stamped with the number of the
// statement that made it; a cursor sees only stamps below its own statement's, so a statement never
// meets its own writes (no Halloween effect). Every write can be undone back to a mark: savepoints
// and failed statements use that.
//
// Late operations read nothing and are resolved when the commit has its place in the order, so two
// of them never conflict:
//   late    a tier's own: late_write.h
//   merge   folds an int64 into the value at a key (8 bytes little-endian): add saturates, min, max; a put or erase
//           after it takes its place. A key is merged with one kind only. Scans do not show merges not yet committed.
#pragma once

#include "engine/storage/batch.h"
#include "engine/storage/keyspace.h"
#include "engine/transaction/late_write.h"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::transaction {

using storage::Keyspace;

enum class Merge : std::uint8_t { add, min, max };

/// The value after merging: `current` is 8 bytes or empty for absent.
std::int64_t merged(Merge kind, std::string_view current, std::int64_t operand);

class WriteSet {
 public:
  using Statement = std::uint32_t;

  struct Version {
    Statement statement;
    std::optional<std::string> value;  // empty: erased
  };
  struct Late {
    std::shared_ptr<const LateWrite> write;
    Statement statement;
  };
  struct MergeDelta {
    Merge kind;
    std::int64_t operand;
  };
  struct ErasedRange {
    Statement statement;
    std::string begin;
    std::string end;
  };
  /// What was written at one key. Nearly always it is written once.
  class Versions {
   public:
    explicit Versions(Version first) : newest_(std::move(first)) {}
    const Version& newest() const { return newest_; }
    /// The newest one written before that statement began, or null.
    const Version* visible(Statement before) const;
    void push(Version version);
    /// False when there was no other.
    bool pop();

   private:
    Version newest_;
    std::vector<Version> older_;  // oldest first
  };
  using Map = std::map<std::string, Versions, std::less<>>;

  WriteSet() = default;
  WriteSet(const WriteSet&) = delete;  // what is to be undone refers to the entries

  void begin_statement() { ++statement_; }
  Statement statement() const { return statement_; }

  void put(Keyspace keyspace, std::string_view key, std::string_view value);
  void erase(Keyspace keyspace, std::string_view key);
  void erase_range(Keyspace keyspace, std::string_view begin, std::string_view end);
  void late(std::shared_ptr<const LateWrite> write);
  void merge(Keyspace keyspace, std::string_view key, Merge kind, std::int64_t operand);

  enum class Found : std::uint8_t { no, value, erased };
  /// What this write set says of the key now, or, given a statement, what it said before that began.
  Found find(Keyspace keyspace, std::string_view key, std::string& value, std::optional<Statement> before = {}) const;
  bool erased_before(Keyspace keyspace, std::string_view key, Statement before) const;
  const MergeDelta* pending_merge(Keyspace keyspace, std::string_view key) const;

  const Map& entries(Keyspace keyspace) const { return entries_[index(keyspace)]; }
  /// False when nothing of the keyspace is written or erased; late operations do not count.
  bool touches(Keyspace keyspace) const {
    return !entries_[index(keyspace)].empty() || !erased_[index(keyspace)].empty();
  }
  /// Counts the undoings: entries() may have lost some since.
  std::uint64_t undone() const { return undone_; }
  const std::vector<ErasedRange>& erased_ranges(Keyspace keyspace) const { return erased_[index(keyspace)]; }
  const std::vector<Late>& late() const { return late_; }
  const auto& merges(Keyspace keyspace) const { return merges_[index(keyspace)]; }

  bool empty() const { return undo_.empty(); }
  std::size_t bytes() const { return bytes_; }
  /// A position to undo to.
  std::size_t mark() const { return undo_.size(); }
  void undo_to(std::size_t mark);

  /// The writes as a batch, without the late operations.
  storage::Batch batch() const;

  /// True when this write set writes that key (late operations do not count).
  bool writes(Keyspace keyspace, std::string_view key) const;

 private:
  struct Undo {
    enum class Kind : std::uint8_t { entry, range, late, merge } kind;
    Keyspace keyspace;
    std::size_t bytes;    // what it added to bytes()
    Map::iterator entry;  // of an entry
    std::string key = {};  // of a merge
    std::optional<MergeDelta> previous = {};
  };

  static std::size_t index(Keyspace keyspace) { return static_cast<std::size_t>(keyspace); }
  void write(Keyspace keyspace, std::string_view key, std::optional<std::string> value);
  void note(Undo undo);
  void drop_merge(Keyspace keyspace, std::string_view key);

  std::array<Map, storage::keyspace_count> entries_;
  std::array<std::vector<ErasedRange>, storage::keyspace_count> erased_;
  std::array<std::map<std::string, MergeDelta, std::less<>>, storage::keyspace_count> merges_;
  std::vector<Late> late_;
  std::vector<Undo> undo_;
  std::size_t bytes_ = 0;
  std::uint64_t undone_ = 0;
  Statement statement_ = 1;
};

}  // namespace stele::transaction
