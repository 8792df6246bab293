// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/transaction/write_set.h"

#include "engine/base/bytes.h"
#include "tests/support/numbered_append.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace stele::transaction {
namespace {

constexpr Keyspace space = Keyspace::documents;

std::string eight(std::int64_t value) {
  std::string out;
  append_fixed(out, value);
  return out;
}

/// "value", "-" for erased, "?" for not in the write set.
std::string found(const WriteSet& writes, std::string_view key, Keyspace keyspace = space) {
  std::string value;
  switch (writes.find(keyspace, key, value)) {
    case WriteSet::Found::no: return "?";
    case WriteSet::Found::erased: return "-";
    case WriteSet::Found::value: break;
  }
  return value;
}

/// What statement `before` sees of the key: as found().
std::string seen(const WriteSet& writes, std::string_view key, WriteSet::Statement before) {
  const auto entry = writes.entries(space).find(key);
  const auto* version = entry == writes.entries(space).end() ? nullptr : entry->second.visible(before);
  if (!version) return writes.erased_before(space, key, before) ? "-" : "?";
  return version->value.value_or("-");
}

std::string operations(const WriteSet& writes) {
  std::string out;
  writes.batch().for_each([&](const storage::Batch::Operation& operation) {
    using Kind = storage::Batch::Operation::Kind;
    if (!out.empty()) out += ' ';
    out += operation.kind == Kind::put ? "put " : operation.kind == Kind::erase ? "erase " : "range ";
    out += std::string(operation.key) + (operation.value.empty() ? "" : "=" + std::string(operation.value));
  });
  return out;
}

TEST(WriteSet, newest_version_of_a_key_is_found_and_committed) {
  WriteSet writes;
  EXPECT_TRUE(writes.empty());
  writes.put(space, "a", "1");
  writes.begin_statement();
  writes.put(space, "a", "2");
  writes.put(space, "b", "3");
  writes.erase(space, "b");
  EXPECT_EQ(found(writes, "a"), "2");
  EXPECT_EQ(found(writes, "b"), "-");
  EXPECT_EQ(found(writes, "c"), "?");
  EXPECT_EQ(found(writes, "a", Keyspace::events), "?");
  EXPECT_EQ(operations(writes), "put a=2 erase b");
}

TEST(WriteSet, a_statement_does_not_see_its_own_writes) {
  WriteSet writes;
  writes.put(space, "a", "old");
  writes.begin_statement();
  const WriteSet::Statement now = writes.statement();
  writes.put(space, "a", "new");
  writes.put(space, "b", "new");
  EXPECT_EQ(seen(writes, "a", now), "old");
  EXPECT_EQ(seen(writes, "b", now), "?");
  writes.begin_statement();
  EXPECT_EQ(seen(writes, "a", writes.statement()), "new");
  EXPECT_EQ(seen(writes, "b", writes.statement()), "new");
}

TEST(WriteSet, a_statement_does_not_see_its_own_range_erasure) {
  WriteSet writes;
  writes.put(space, "b", "1");
  writes.begin_statement();
  const WriteSet::Statement now = writes.statement();
  writes.erase_range(space, "a", "c");
  EXPECT_EQ(seen(writes, "b", now), "1");
  EXPECT_EQ(seen(writes, "bb", now), "?");
  writes.begin_statement();
  EXPECT_EQ(seen(writes, "b", writes.statement()), "-");
  EXPECT_EQ(seen(writes, "bb", writes.statement()), "-");
  EXPECT_EQ(seen(writes, "c", writes.statement()), "?") << "the end is not part of the range";
}

TEST(WriteSet, a_write_after_a_range_erasure_survives_it) {
  WriteSet writes;
  writes.put(space, "b", "before");
  writes.erase_range(space, "a", "c");
  writes.put(space, "bb", "after");
  EXPECT_EQ(found(writes, "b"), "-");
  EXPECT_EQ(found(writes, "bb"), "after");
  EXPECT_EQ(operations(writes), "range a=c erase b put bb=after") << "the range comes first";
}

TEST(WriteSet, empty_and_inverted_ranges_are_nothing) {
  WriteSet writes;
  writes.erase_range(space, "b", "b");
  writes.erase_range(space, "c", "b");
  EXPECT_TRUE(writes.empty());
}

TEST(WriteSet, undo_restores_every_kind_of_write) {
  WriteSet writes;
  writes.put(space, "a", "1");
  writes.merge(space, "n", Merge::add, 5);
  const std::size_t mark = writes.mark();
  const std::size_t bytes = writes.bytes();

  writes.put(space, "a", "2");
  writes.put(space, "b", "2");
  writes.erase(space, "a");
  writes.erase_range(space, "a", "z");
  writes.late(testing::numbered_append(Keyspace::events, "sequence", "prefix", "event"));
  writes.merge(space, "n", Merge::add, 7);
  writes.merge(space, "m", Merge::max, 7);
  writes.undo_to(mark);

  EXPECT_EQ(found(writes, "a"), "1");
  EXPECT_EQ(found(writes, "b"), "?");
  EXPECT_TRUE(writes.erased_ranges(space).empty());
  EXPECT_TRUE(writes.late().empty());
  ASSERT_NE(writes.pending_merge(space, "n"), nullptr);
  EXPECT_EQ(writes.pending_merge(space, "n")->operand, 5);
  EXPECT_EQ(writes.pending_merge(space, "m"), nullptr);
  EXPECT_EQ(writes.bytes(), bytes) << "what was undone does not count against the limit";
  writes.undo_to(0);
  EXPECT_TRUE(writes.empty());
}

TEST(WriteSet, late_writes_keep_their_order) {
  WriteSet writes;
  const auto first = testing::numbered_append(Keyspace::events, "s", "p", "1");
  const auto second = testing::numbered_append(Keyspace::events, "t", "q", "2");
  writes.late(first);
  writes.late(second);
  ASSERT_EQ(writes.late().size(), 2u);
  EXPECT_EQ(writes.late()[0].write, first);
  EXPECT_EQ(writes.late()[1].write, second);
  EXPECT_EQ(operations(writes), "") << "late operations are resolved by the committer";
  EXPECT_FALSE(writes.empty());
}

TEST(WriteSet, merges_fold) {
  WriteSet writes;
  writes.merge(space, "sum", Merge::add, 2);
  writes.merge(space, "sum", Merge::add, -5);
  writes.merge(space, "low", Merge::min, 4);
  writes.merge(space, "low", Merge::min, 9);
  writes.merge(space, "high", Merge::max, 4);
  writes.merge(space, "high", Merge::max, 9);
  EXPECT_EQ(writes.pending_merge(space, "sum")->operand, -3);
  EXPECT_EQ(writes.pending_merge(space, "low")->operand, 4);
  EXPECT_EQ(writes.pending_merge(space, "high")->operand, 9);
  EXPECT_FALSE(writes.writes(space, "sum")) << "two merges of one key do not conflict";
}

TEST(Merged, starts_from_the_operand_when_absent_and_saturates) {
  constexpr auto top = std::numeric_limits<std::int64_t>::max();
  constexpr auto bottom = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(merged(Merge::add, "", 7), 7);
  EXPECT_EQ(merged(Merge::min, "", 7), 7);
  EXPECT_EQ(merged(Merge::add, eight(40), 2), 42);
  EXPECT_EQ(merged(Merge::min, eight(40), 2), 2);
  EXPECT_EQ(merged(Merge::max, eight(40), 2), 40);
  EXPECT_EQ(merged(Merge::add, eight(top - 1), 5), top);
  EXPECT_EQ(merged(Merge::add, eight(bottom + 1), -5), bottom);
}

TEST(WriteSet, writes_covers_points_and_erased_ranges) {
  WriteSet writes;
  writes.put(space, "a", "1");
  writes.erase(space, "b");
  writes.erase_range(space, "m", "p");
  for (const char* key : {"a", "b", "m", "o\xff"}) EXPECT_TRUE(writes.writes(space, key)) << key;
  for (const char* key : {"c", "l\xff", "p"}) EXPECT_FALSE(writes.writes(space, key)) << key;
  EXPECT_FALSE(writes.writes(Keyspace::meta, "a"));
}

}  // namespace
}  // namespace stele::transaction
