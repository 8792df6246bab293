// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What recovery accepts and refuses, as a table of what the two logs hold.
#include "engine/transaction/recovery.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace stele::transaction {
namespace {

struct Row {
  std::uint64_t gseq;
  std::uint64_t prev;
  std::initializer_list<std::uint64_t> entries;
};

LogState state(Marker marker, std::initializer_list<Row> rows, std::uint64_t floor = 0,
               std::uint64_t key_value_floor = 0) {
  LogState state;
  state.marker = marker;
  state.floor = floor;
  state.key_value_floor = key_value_floor;
  for (const Row& row : rows) {
    OutboxRow decoded{row.gseq, row.prev, 0, 0, {}};
    for (const std::uint64_t gseq : row.entries) decoded.entries.push_back({gseq, 0, {}, {}});
    state.decoded.push_back(decoded);
    state.newest_sql = row.gseq;
    state.newest_row_prev = row.prev;
  }
  return state;
}

struct LogCase {
  const char* name;
  LogState state;
  const char* problem;  // part of it; null: they fit
};

TEST(Contradiction, table) {
  const LogCase cases[] = {
      {"a new store", state({0, 0}, {}), nullptr},
      {"only documents", state({9, 0}, {}), nullptr},
      {"only SQL", state({0, 0}, {{1, 0, {}}, {2, 0, {}}}), nullptr},
      {"both, in step", state({5, 5}, {{4, 3, {4}}, {5, 4, {5}}}), nullptr},
      {"documents after the last SQL commit", state({8, 5}, {{5, 4, {5}}}), nullptr},
      {"SQL ahead, its rows carry all that is missing", state({3, 3}, {{4, 3, {4}}, {5, 4, {5}}}), nullptr},
      {"SQL ahead, the newest row carries the tail", state({3, 3}, {{6, 3, {4, 5, 6}}}), nullptr},
      {"SQL ahead, through a row without entries", state({3, 3}, {{4, 3, {4}}, {6, 4, {}}}), nullptr},
      {"the key-value log already has a carried entry", state({5, 3}, {{6, 3, {4, 5, 6}}}), nullptr},
      {"the slot of an older row was used again", state({4, 4}, {{6, 5, {6}}, {5, 4, {5}}, {6, 5, {6}}}), nullptr},
      {"the floor is reached by SQL", state({3, 3}, {{5, 3, {4, 5}}}, 5), nullptr},
      {"the floor is reached by documents", state({7, 0}, {}, 7, 7), nullptr},

      {"documents that build on an SQL commit that is gone", state({8, 6}, {{5, 4, {5}}}), "ahead"},
      {"documents on SQL, and no SQL at all", state({8, 6}, {}), "ahead"},
      {"a row in the middle is missing", state({3, 3}, {{6, 5, {6}}}), "commit 5 is missing"},
      {"the first missing entry is gone", state({2, 0}, {{4, 3, {4}}, {5, 4, {5}}}), "commit 3 is missing"},
      {"a row without entries points at a missing one", state({2, 0}, {{4, 3, {}}}), "commit 3 is missing"},
      {"the key-value log is behind what it had synced", state({4, 0}, {}, 0, 6),
       "key-value tier (kv) ends at commit 4"},
      {"everything is behind what was acknowledged", state({4, 4}, {{4, 3, {4}}}, 9), "commit 9 was acknowledged"},
      {"documents cut off that were acknowledged", state({4, 0}, {}, 5), "commit 5 was acknowledged"},
  };
  for (const LogCase& example : cases) {
    SCOPED_TRACE(example.name);
    const auto problem = contradiction(example.state);
    if (!example.problem) {
      EXPECT_EQ(problem.value_or(""), "");
    } else {
      ASSERT_TRUE(problem) << "was accepted";
      EXPECT_NE(problem->find(example.problem), std::string::npos) << *problem;
    }
  }
}

}  // namespace
}  // namespace stele::transaction
