// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/pipeline/accumulators.h"
#include "engine/pipeline/byte_arena.h"
#include "engine/pipeline/sorter.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::pipeline {

/// What rows are grouped by: an expression, or an object of expressions, whose parts are then not put together for
/// every row.
class GroupKey {
 public:
  static GroupKey parse(const Value& id, const Place& place);

  void trace_needs(Needs& needs) const;
  /// Missing is null, also where it is the only part; of several parts a missing one is left out. Equal values have
  /// equal bytes.
  void append(std::string& out, Evaluator& evaluate, const Value& row) const;
  Value value(Evaluator& evaluate, const Value& row) const;

 private:
  struct Part {
    std::string name;
    Expression expression;
  };
  const Value* found(const Part& part, Evaluator& evaluate, const Value& row, Value& own) const;

  std::optional<Expression> whole_;
  std::vector<Part> parts_;
};

struct GroupSpec {
  std::string what;
  GroupKey key;
  std::vector<Accumulator> accumulators;
  bool gives_id = true;  // false: groups come out without _id
};

/// Groups, found by the bytes of their keys. Beyond its memory they go to a spill file, sorted by key, and are merged
/// when all rows are in. Without spilling they come out in the order of their first rows, else by key. One thread.
class GroupTable {
 public:
  GroupTable(Execution& execution, std::size_t memory_bytes, const GroupSpec& spec);

  void add(Evaluator& evaluate, const Value& row);
  /// Takes in what another gathered of later rows.
  void absorb(GroupTable&& later);

  /// After the last row. `memory_bytes` is for the merging.
  void finish(std::size_t memory_bytes);
  bool next(Value& row);

  std::uint64_t spilled_bytes() const { return runs_.bytes(); }

 private:
  struct Group {
    std::uint64_t hash;
    const char* at;  // the key, then the id (row_codec.h)
    std::uint32_t key_size, id_size;
    Gathered* gathered;  // one for each accumulator
    std::string_view key() const { return {at, key_size}; }
    std::string_view id() const { return {at + key_size, id_size}; }
  };

  /// The group with the key; null: there is none, and `slot` is its place.
  Group* find(std::uint64_t hash, std::string_view key, std::size_t& slot);
  Group& insert(std::uint64_t hash, std::string_view key, std::string_view id, std::size_t slot);
  void put(const Group& group, std::size_t slot);
  Gathered* begin_gathering();
  void forget_groups();
  void grow();
  void check_memory();
  void spill();
  Value result(Value id, Gathered* gathered);
  bool next_merged(Value& row);
  void restore(std::string_view content, Value& id, std::vector<Gathered>& gathered);

  Execution& execution_;
  std::size_t memory_bytes_;
  const GroupSpec& spec_;
  std::vector<Group> groups_;
  std::vector<std::uint32_t> slots_;  // 1 + index into groups_; 0: free. A power of two
  std::vector<std::unique_ptr<Gathered[]>> blocks_;
  std::size_t block_left_ = 0;
  ByteArena arena_;  // keys and ids
  std::size_t bytes_ = 0;
  std::string key_, id_;
  Value id_value_;
  Runs runs_;
  std::size_t position_ = 0;
  // While runs are merged: the pair that begins the next group.
  std::string merge_key_, merge_content_;
  bool merge_there_ = false;
};

}  // namespace stele::pipeline
