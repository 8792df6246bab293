// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What conflicts with what: ReadSet and RecentCommits, without a store.
#include "engine/transaction/recent_commits.h"

#include "tests/support/numbered_append.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace stele::transaction {
namespace {

constexpr Keyspace docs = Keyspace::documents;

TEST(ReadSet, a_point_is_read_in_its_keyspace_only) {
  ReadSet reads;
  EXPECT_TRUE(reads.empty());
  reads.add_point(docs, "k", Record::plain);
  EXPECT_TRUE(reads.reads_key(docs, "k", true));
  EXPECT_FALSE(reads.reads_key(docs, "kk", true));
  EXPECT_FALSE(reads.reads_key(Keyspace::indexes, "k", true));
}

TEST(ReadSet, plain_reads_count_only_when_asked_and_binding_ones_always) {
  ReadSet reads;
  reads.add_point(docs, "plain", Record::plain);
  reads.add_point(docs, "binding", Record::binding);
  reads.add_point(docs, "none", Record::none);
  EXPECT_FALSE(reads.reads_key(docs, "plain", false));
  EXPECT_TRUE(reads.reads_key(docs, "binding", false));
  EXPECT_FALSE(reads.reads_key(docs, "none", true));
}

TEST(ReadSet, a_range_reaches_as_far_as_it_was_read) {
  ReadSet reads;
  const std::size_t range = reads.add_range(docs, "b", Record::plain);
  EXPECT_FALSE(reads.reads_key(docs, "b", true)) << "nothing was read yet";
  reads.extend(range, "d");
  EXPECT_TRUE(reads.reads_key(docs, "b", true));
  EXPECT_TRUE(reads.reads_key(docs, "cc", true));
  EXPECT_TRUE(reads.reads_key(docs, "d", true));
  EXPECT_FALSE(reads.reads_key(docs, "d1", true)) << "beyond the last key seen";
  EXPECT_FALSE(reads.reads_key(docs, "a", true));
  reads.extend(range, "c");
  EXPECT_TRUE(reads.reads_key(docs, "d", true)) << "it never shrinks";
  reads.extend_to_end(range, "f");
  EXPECT_TRUE(reads.reads_key(docs, "e\xff", true));
  EXPECT_FALSE(reads.reads_key(docs, "f", true));
}

TEST(ReadSet, a_range_without_upper_bound_reads_everything_above) {
  ReadSet reads;
  reads.extend_to_end(reads.add_range(docs, "b", Record::plain), "");
  EXPECT_TRUE(reads.reads_key(docs, "\xff\xff\xff", true));
  EXPECT_FALSE(reads.reads_key(docs, "a", true));
}

TEST(ReadSet, ranges_meet_erased_ranges) {
  ReadSet reads;
  reads.extend_to_end(reads.add_range(docs, "f", Record::plain), "k");
  reads.add_point(docs, "p", Record::binding);
  EXPECT_TRUE(reads.reads_within(docs, "a", "g", true));
  EXPECT_TRUE(reads.reads_within(docs, "j", "z", true));
  EXPECT_FALSE(reads.reads_within(docs, "a", "f", true));
  EXPECT_FALSE(reads.reads_within(docs, "k", "p", true));
  EXPECT_FALSE(reads.reads_within(docs, "a", "g", false)) << "a plain range";
  EXPECT_TRUE(reads.reads_within(docs, "a", "z", false)) << "a binding point";
}

TEST(ReadSet, too_many_points_become_a_range_that_still_covers_them) {
  ReadSet reads;
  auto key = [](std::size_t i) { return std::to_string(1'000'000 + i); };
  for (std::size_t i = 0; i <= ReadSet::points_max; ++i)
    reads.add_point(docs, key(i), i % 2 ? Record::plain : Record::binding);
  for (const std::size_t i :
       {std::size_t{0}, std::size_t{1}, ReadSet::points_max / 2, ReadSet::points_max - 1, ReadSet::points_max})
    EXPECT_TRUE(reads.reads_key(docs, key(i), true)) << i;
  EXPECT_TRUE(reads.reads_key(docs, key(4), false)) << "binding reads stay binding";
  EXPECT_TRUE(reads.reads_key(docs, key(7) + "x", true)) << "false conflicts are the price";
  EXPECT_FALSE(reads.reads_key(docs, "0", true));
  EXPECT_FALSE(reads.reads_key(docs, "9", true));
}

TEST(ReadSet, many_bytes_of_points_become_a_range) {
  ReadSet reads;
  const std::string padding(8000, 'p');
  for (int i = 0; i < 1000; ++i) reads.add_point(docs, std::to_string(1000 + i) + padding, Record::plain);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(reads.reads_key(docs, std::to_string(1000 + i) + padding, true)) << i;
}

/// One transaction against one later commit.
struct Case {
  const char* name;
  std::function<void(ReadSet&, WriteSet&)> transaction;
  std::function<void(CommitRecord&)> commit;
  bool at_serializable;
  bool at_snapshot;
  bool with_writer_lock = true;  // serializable, and SQL reads need no check
};

void read_point(ReadSet& reads, WriteSet&) { reads.add_point(docs, "k", Record::plain); }
void bind_point(ReadSet& reads, WriteSet&) { reads.add_point(docs, "k", Record::binding); }
void read_range(ReadSet& reads, WriteSet&) { reads.extend_to_end(reads.add_range(docs, "j", Record::plain), "l"); }
void bind_range(ReadSet& reads, WriteSet&) { reads.extend_to_end(reads.add_range(docs, "j", Record::binding), "l"); }
void read_table(ReadSet& reads, WriteSet&) { reads.add_table(7); }
void write_point(ReadSet&, WriteSet& writes) { writes.put(docs, "k", "v"); }
void erase_point(ReadSet&, WriteSet& writes) { writes.erase(docs, "k"); }
void erase_range(ReadSet&, WriteSet& writes) { writes.erase_range(docs, "j", "l"); }
void merge_point(ReadSet&, WriteSet& writes) { writes.merge(docs, "k", Merge::add, 1); }
void append_event(ReadSet&, WriteSet& writes) { writes.late(testing::numbered_append(docs, "k", "k", "event")); }
void writes_k(CommitRecord& record) { record.add_key(docs, "k"); }
void writes_other(CommitRecord& record) { record.add_key(docs, "z"); }
void writes_k_elsewhere(CommitRecord& record) { record.add_key(Keyspace::indexes, "k"); }
void erases_around_k(CommitRecord& record) { record.ranges.push_back({docs, "a", "m"}); }
void erases_elsewhere(CommitRecord& record) { record.ranges.push_back({docs, "m", "z"}); }
void writes_table(CommitRecord& record) { record.tables = {3, 7}; }
void writes_other_table(CommitRecord& record) { record.tables = {3, 8}; }
void changes_schema(CommitRecord& record) { record.all_tables = true; }

const Case cases[] = {
    {"read point, written", read_point, writes_k, true, false},
    {"read point, other written", read_point, writes_other, false, false, false},
    {"read point, written in another keyspace", read_point, writes_k_elsewhere, false, false, false},
    {"read point, range erased", read_point, erases_around_k, true, false},
    {"read point, range erased elsewhere", read_point, erases_elsewhere, false, false, false},
    {"binding point, written", bind_point, writes_k, true, true},
    {"binding point, range erased", bind_point, erases_around_k, true, true},
    {"read range, written inside", read_range, writes_k, true, false},
    {"read range, written outside", read_range, writes_other, false, false, false},
    {"read range, range erased", read_range, erases_around_k, true, false},
    {"read range, range erased elsewhere", read_range, erases_elsewhere, false, false, false},
    {"binding range, written inside", bind_range, writes_k, true, true},
    {"written point, written", write_point, writes_k, true, true},
    {"written point, other written", write_point, writes_other, false, false, false},
    {"written point, range erased", write_point, erases_around_k, true, true},
    {"written point, range erased elsewhere", write_point, erases_elsewhere, false, false, false},
    {"erased point, written", erase_point, writes_k, true, true},
    {"erased range, written inside", erase_range, writes_k, true, true},
    {"erased range, written outside", erase_range, writes_other, false, false, false},
    {"erased range, range erased", erase_range, erases_around_k, true, true},
    {"erased range, range erased elsewhere", erase_range, erases_elsewhere, false, false, false},
    {"merged point, written", merge_point, writes_k, false, false, false},
    {"merged point, range erased", merge_point, erases_around_k, false, false, false},
    {"appended, appended", append_event, writes_k, false, false, false},
    {"read table, written", read_table, writes_table, true, true, false},
    {"read table, other written", read_table, writes_other_table, false, false, false},
    {"read table, schema changed", read_table, changes_schema, true, true, false},
    {"read point, schema changed", read_point, changes_schema, false, false, false},
};

bool conflicts(const Case& example, bool plain_reads, bool sql_reads) {
  ReadSet reads;
  WriteSet writes;
  example.transaction(reads, writes);
  auto record = std::make_shared<CommitRecord>();
  record->gseq = 11;
  example.commit(*record);
  RecentCommits recent;
  recent.add(record);
  try {
    EXPECT_EQ(recent.validate({&reads, &writes, plain_reads, sql_reads}, 10), 11u);
    return false;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::conflict);
    EXPECT_NE(error.message().find("commit 11"), std::string::npos) << error.message();
    return true;
  }
}

TEST(Validation, table_of_what_conflicts) {
  for (const Case& example : cases) {
    SCOPED_TRACE(example.name);
    EXPECT_EQ(conflicts(example, true, true), example.at_serializable) << "serializable";
    EXPECT_EQ(conflicts(example, true, false), example.with_writer_lock) << "holding the SQL writer lock";
  }
}

// Plain reads of keys are not checked at Isolation::snapshot; whether tables are is the caller's to say.
TEST(Validation, snapshot_isolation_checks_writes_and_binding_reads_only) {
  for (const Case& example : cases) {
    SCOPED_TRACE(example.name);
    EXPECT_EQ(conflicts(example, false, true), example.at_snapshot);
  }
}

std::shared_ptr<CommitRecord> record(std::uint64_t gseq, const char* key) {
  auto made = std::make_shared<CommitRecord>();
  made->gseq = gseq;
  made->add_key(docs, key);
  return made;
}

TEST(RecentCommits, only_commits_after_the_snapshot_count) {
  RecentCommits recent;
  for (std::uint64_t gseq = 1; gseq <= 5; ++gseq) recent.add(record(gseq, gseq == 3 ? "k" : "z"));
  ReadSet reads;
  WriteSet writes;
  writes.put(docs, "k", "v");
  const Footprint footprint{&reads, &writes};
  EXPECT_THROW(recent.validate(footprint, 2), Error);
  EXPECT_EQ(recent.validate(footprint, 3), 5u);
  EXPECT_EQ(recent.validate(footprint, 9), 9u) << "never behind where the caller is";
}

TEST(RecentCommits, a_transaction_older_than_the_log_conflicts) {
  RecentCommits recent;
  for (std::uint64_t gseq = 1; gseq <= 5; ++gseq) recent.add(record(gseq, "z"));
  recent.forget_through(3);
  ReadSet reads;
  WriteSet writes;
  const Footprint footprint{&reads, &writes};
  EXPECT_EQ(recent.validate(footprint, 3), 5u);
  try {
    recent.validate(footprint, 2);
    FAIL() << "commit 3 is not there to compare with";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::conflict);
    EXPECT_EQ(error.detail().at("reason"), "too_old");
  }
}

TEST(RecentCommits, the_log_is_bounded) {
  RecentCommits recent;
  std::uint64_t gseq = 0;
  for (int i = 0; i < 80; ++i) {
    auto big = std::make_shared<CommitRecord>();
    big->gseq = ++gseq;
    big->keys.assign(1u << 20, '\0');
    recent.add(big);
  }
  ReadSet reads;
  WriteSet writes;
  EXPECT_THROW(recent.validate({&reads, &writes}, 1), Error) << "80 MB do not fit 64";
  EXPECT_EQ(recent.validate({&reads, &writes}, gseq - 1), gseq);
}

}  // namespace
}  // namespace stele::transaction
