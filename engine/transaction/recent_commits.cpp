// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/transaction/recent_commits.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/key_codec.h"

#include <algorithm>

namespace stele::transaction {

namespace {

[[noreturn]] void clash(std::string_view kind, std::string_view what, std::uint64_t by, std::uint64_t snapshot) {
  fail(ErrorCode::conflict,
       text("conflict: ", what, ": written by commit ", by, " after this transaction's snapshot (", snapshot,
            "); run the transaction again"),
       {{"reason", std::string(kind)}, {"gseq", std::to_string(by)}});
}

std::string describe(Keyspace keyspace, std::string_view key) {
  return text(storage::name(keyspace), " ", key::describe_key(key));
}

void check(const Footprint& footprint, const CommitRecord& record, std::uint64_t from) {
  const ReadSet& reads = *footprint.reads;
  const WriteSet& writes = *footprint.writes;
  ByteReader reader(record.keys);
  while (!reader.empty()) {
    std::uint8_t number = 0;
    std::string_view key;
    if (!reader.fixed(number) || !reader.sized(key)) break;
    const auto keyspace = static_cast<Keyspace>(number);
    if (reads.reads_key(keyspace, key, footprint.plain_reads)) clash("read", describe(keyspace, key), record.gseq, from);
    if (writes.writes(keyspace, key)) clash("write", describe(keyspace, key), record.gseq, from);
    for (const auto& range : writes.erased_ranges(keyspace))
      if (key >= range.begin && key < range.end) clash("write", describe(keyspace, key), record.gseq, from);
  }
  for (const CommitRecord::Range& range : record.ranges) {
    const auto& entries = writes.entries(range.keyspace);
    const auto mine = entries.lower_bound(range.begin);
    const bool written = mine != entries.end() && mine->first < range.end;
    const bool erased = std::ranges::any_of(writes.erased_ranges(range.keyspace), [&](const auto& erasure) {
      return erasure.begin < range.end && range.begin < erasure.end;
    });
    if (written || erased || reads.reads_within(range.keyspace, range.begin, range.end, footprint.plain_reads))
      clash("range", text("a range of ", storage::name(range.keyspace), " erased"), record.gseq, from);
  }
  if (footprint.sql_reads && reads.reads_tables()) {
    if (record.all_tables) clash("schema", "the SQL schema, or the whole file by another program,", record.gseq, from);
    for (const TableHash table : record.tables)
      if (reads.reads_table(table)) clash("table", "an SQL table that this transaction read", record.gseq, from);
  }
}

}  // namespace

void CommitRecord::add_key(Keyspace keyspace, std::string_view key) {
  keys += static_cast<char>(keyspace);
  append_sized(keys, key);
}

void RecentCommits::add(std::shared_ptr<const CommitRecord> record) {
  std::lock_guard guard(mutex_);
  newest_ = record->gseq;
  bytes_ += record->bytes();
  records_.push_back(std::move(record));
  while (bytes_ > bytes_max && records_.size() > 1) {
    bytes_ -= records_.front()->bytes();
    forgotten_through_ = records_.front()->gseq;
    records_.pop_front();
  }
}

void RecentCommits::forget_through(std::uint64_t gseq) {
  std::lock_guard guard(mutex_);
  while (!records_.empty() && records_.front()->gseq <= gseq) {
    bytes_ -= records_.front()->bytes();
    forgotten_through_ = records_.front()->gseq;
    records_.pop_front();
  }
}

std::uint64_t RecentCommits::validate(const Footprint& footprint, std::uint64_t from) const {
  std::vector<std::shared_ptr<const CommitRecord>> later;
  std::uint64_t through;
  {
    std::lock_guard guard(mutex_);
    through = std::max(newest_, from);
    if (newest_ <= from) return through;
    if (forgotten_through_ > from)
      fail(ErrorCode::conflict,
           text("conflict: the transaction is too old: commits after its snapshot (", from,
                ") are no longer held for comparison; run it again, and keep transactions short"),
           {{"reason", "too_old"}});
    const auto first = std::upper_bound(records_.begin(), records_.end(), from,
                                        [](std::uint64_t gseq, const auto& record) { return gseq < record->gseq; });
    later.assign(first, records_.end());
  }
  for (const auto& record : later) check(footprint, *record, from);
  return through;
}

}  // namespace stele::transaction
