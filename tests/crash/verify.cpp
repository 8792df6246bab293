// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tests/crash/workload.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"

#include <cstdio>
#include <set>
#include <sstream>

namespace stele::crash {

namespace {

/// Everything a store holds, read at one snapshot.
struct Found {
  struct Saw {
    std::uint64_t thread;
    std::uint64_t n;
  };
  std::map<std::uint64_t, std::uint64_t> rows;                      // item: k -> version
  std::map<std::uint64_t, Saw> cross;                               // id -> document commit seen
  std::map<std::pair<std::uint64_t, std::uint64_t>, Saw> sql_only;  // (thread, n) -> document commit seen
  std::map<std::uint64_t, std::uint64_t> latest;                    // sql_latest
  std::map<std::uint64_t, std::uint64_t> documents;                 // item/K -> version
  std::map<std::uint64_t, Count> counts;                            // by thread
  std::vector<std::uint64_t> events;                                // ids by offset
};

std::uint64_t at(const transaction::SqlCursor& rows, std::size_t column) {
  return static_cast<std::uint64_t>(rows.integer(column));
}

void read_rows(transaction::Transaction& tx, Found& found) {
  for (auto rows = sql(tx, "SELECT k, version FROM item"); rows->next();) found.rows[at(*rows, 0)] = at(*rows, 1);
  for (auto rows = sql(tx, "SELECT id, doc_thread, doc_n FROM cross_log"); rows->next();)
    found.cross[at(*rows, 0)] = {at(*rows, 1), at(*rows, 2)};
  for (auto rows = sql(tx, "SELECT thread, n, doc_thread, doc_n FROM sql_log"); rows->next();)
    found.sql_only[{at(*rows, 0), at(*rows, 1)}] = {at(*rows, 2), at(*rows, 3)};
  for (auto rows = sql(tx, "SELECT thread, n FROM sql_latest"); rows->next();)
    found.latest[at(*rows, 0)] = at(*rows, 1);
  if (number(tx, "SELECT count(*) FROM dead_log") != 0) violated("a row of a dead transaction is there");
}

void read_documents(transaction::Transaction& tx, Found& found) {
  for (std::uint64_t k = 1; k <= item_count; ++k) {
    const auto bytes = get(tx, item_key(k));
    if (!bytes) continue;
    const auto version = decode_item(*bytes);
    if (!version) violated(text("document item/", k, " is not what any commit wrote"));
    found.documents[k] = *version;
  }
  for (std::uint64_t thread = 0; thread < threads_max; ++thread) found.counts[thread] = read_count(tx, thread);
  auto dead = tx.scan(storage::Keyspace::documents, {"dead/", "dead0"});
  if (dead->next()) violated(text("document ", dead->key(), " of a dead transaction is there"));
}

void read_events(transaction::Transaction& tx, Found& found) {
  std::uint64_t last_gseq = 0;
  auto events = tx.scan(storage::Keyspace::events, {std::string(event_prefix), "event0"});
  while (events->next()) {
    const std::uint64_t offset = big_endian(events->key().substr(event_prefix.size()));
    if (offset != found.events.size())
      violated(text("events: offset ", offset, " follows ", found.events.size(), " events"));
    std::uint64_t gseq = 0;
    std::uint64_t id = 0;
    ByteReader reader(events->value());
    if (!reader.fixed(gseq) || !reader.fixed(id) || !reader.empty()) violated(text("event ", offset, ": torn"));
    if (gseq <= last_gseq) violated(text("event ", offset, ": commit ", gseq, " after commit ", last_gseq));
    last_gseq = gseq;
    found.events.push_back(id);
  }
  std::string next;
  std::uint64_t expected = 0;
  if (tx.get(storage::Keyspace::events, event_sequence, next)) ByteReader(next).fixed(expected);
  if (expected != found.events.size())
    violated(text("events: ", found.events.size(), " there, next offset is ", expected));
}

/// Two copies of one fact agree: rows and documents, rows and events.
void compare_tiers(const Found& found) {
  for (std::uint64_t k = 1; k <= item_count; ++k) {
    const auto row = found.rows.find(k);
    const auto document = found.documents.find(k);
    const std::uint64_t row_version = row == found.rows.end() ? 0 : row->second;
    const std::uint64_t document_version = document == found.documents.end() ? 0 : document->second;
    if (row_version != document_version)
      violated(text("item ", k, ": the row has version ", row_version, ", the document ", document_version));
    if (row_version != 0 && !found.cross.contains(row_version)) violated(text("item ", k, ": no commit ", row_version));
  }
  std::set<std::uint64_t> ids(found.events.begin(), found.events.end());
  if (ids.size() != found.events.size()) violated("an event is there twice");
  for (const std::uint64_t id : ids)
    if (!found.cross.contains(id)) violated(text("event of cross commit ", id, " has no row"));
  for (const auto& [id, saw] : found.cross)
    if (!ids.contains(id)) violated(text("row of cross commit ", id, " has no event"));
  std::map<std::uint64_t, std::uint64_t> rows;
  for (const auto& [commit, saw] : found.sql_only)
    if (commit.second != ++rows[commit.first])
      violated(text("SQL-only commit ", commit.first, ":", commit.second, ": a gap before it"));
  if (rows != found.latest) violated("sql_latest and sql_log differ");
}

/// Whatever a commit that is there has read is there, too.
void check_what_was_seen(const Found& found) {
  auto document = [&](const std::string& who, Found::Saw saw) {
    if (found.counts.at(saw.thread).n < saw.n)
      violated(text(who, " saw document commit ", saw.thread, ":", saw.n, ", which is lost (now ",
                    found.counts.at(saw.thread).n, ")"));
  };
  for (const auto& [id, saw] : found.cross) document(text("cross commit ", id), saw);
  for (const auto& [commit, saw] : found.sql_only)
    document(text("SQL-only commit ", commit.first, ":", commit.second), saw);
  for (const auto& [thread, count] : found.counts) {
    if (count.sql_n != 0 && !found.sql_only.contains({count.sql_thread, count.sql_n}))
      violated(text("document commit ", thread, ":", count.n, " saw SQL-only commit ", count.sql_thread, ":",
                    count.sql_n, ", which is lost"));
    if (count.cross_id != 0 && !found.cross.contains(count.cross_id))
      violated(text("document commit ", thread, ":", count.n, " saw cross commit ", count.cross_id, ", which is lost"));
  }
}

std::size_t check_acknowledged(const Found& found, const std::string& path) {
  std::istringstream lines(read_file_if_there(path).value_or(""));
  char kind;
  std::uint64_t a, b;
  std::size_t count = 0;
  for (; lines >> kind >> a >> b; ++count) {
    if (kind == 'c' && !found.cross.contains(a)) violated(text("acknowledged cross commit ", a, " is lost"));
    if (kind == 's' && !found.sql_only.contains({a, b}))
      violated(text("acknowledged SQL-only commit ", a, ":", b, " is lost"));
    if (kind == 'd' && found.counts.at(a).n < b)
      violated(text("acknowledged document commit ", a, ":", b, " is lost (now ", found.counts.at(a).n, ")"));
  }
  return count;
}

}  // namespace

void verify(const std::string& directory, const std::string& acknowledgements) {
  const auto store = open_store(directory);
  for (const std::string& finding : store->relational().verify()) violated("relational.db: " + finding);
  store->key_value().verify();

  Found found;
  {
    const auto tx = store->snapshot({});
    read_rows(*tx, found);
    read_documents(*tx, found);
    read_events(*tx, found);
  }
  compare_tiers(found);
  check_what_was_seen(found);
  const std::size_t acknowledged = check_acknowledged(found, acknowledgements);

  const auto probe = store->begin({});
  put(*probe, "probe", "the store still takes commits");
  sql(*probe, "DELETE FROM dead_log");
  probe->commit();
  store->close();
  std::printf("verified acknowledged=%zu cross=%zu sql=%zu replayed=%llu\n", acknowledged, found.cross.size(),
              found.sql_only.size(), static_cast<unsigned long long>(store->recovered().replayed));
}

}  // namespace stele::crash
