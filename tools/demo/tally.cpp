// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/demo/tally.h"

#include <simdjson.h>

#include <algorithm>
#include <string_view>

namespace stele::demo {
namespace {

void count_rows(const Snapshot& at, const Names& names, Tally& tally) {
  for (const Row& row : at.sql("SELECT batch, count(*) FROM " + names.packages + " GROUP BY batch"))
    tally.batches[row.get<std::int64_t>(0)].packages = row.get<std::int64_t>(1);
  const auto count_owned = [&](const std::string& table, std::int64_t BatchTally::*count) {
    for (const Row& row : at.sql("SELECT p.batch, count(*) FROM " + table + " o JOIN " + names.packages +
                                 " p ON p.id = o.package_id GROUP BY p.batch"))
      tally.batches[row.get<std::int64_t>(0)].*count = row.get<std::int64_t>(1);
  };
  count_owned(names.dependencies, &BatchTally::dependencies);
  count_owned(names.provides, &BatchTally::provides);
  tally.maintainers = at.sql("SELECT count(*) FROM " + names.maintainers).one<std::int64_t>();
  for (const std::string& table : {names.packages, names.maintainers, names.dependencies, names.provides})
    tally.rows += at.sql("SELECT count(*) FROM " + table).one<std::int64_t>();
}

/// Walks rows and documents side by side: both come in the order of the document's id.
void match_documents(const Snapshot& at, const Names& names, Tally& tally) {
  simdjson::dom::parser parser;
  auto rows = at.sql("SELECT document_id FROM " + names.packages + " ORDER BY document_id");
  auto documents = at.collection(names.collection).find();
  bool has_row = rows.next();
  while (const auto json = documents.next()) {
    const simdjson::dom::element document = parser.parse(json->data(), json->size());
    const std::string_view id = document["_id"];
    ++tally.documents;
    ++tally.batches[document["batch"].get_int64()].documents;
    for (; has_row && rows.row().get<std::string_view>(0) < id; has_row = rows.next()) ++tally.rows_without_document;
    if (has_row && rows.row().get<std::string_view>(0) == id) {
      has_row = rows.next();
    } else {
      ++tally.documents_without_row;
    }
  }
  for (; has_row; has_row = rows.next()) ++tally.rows_without_document;
}

void read_events(const Snapshot& at, const Names& names, Tally& tally) {
  const auto stream = at.stream(names.stream);
  std::uint64_t offset = 0;
  for (auto events = stream.read(offset); !events.empty(); events = stream.read(offset += events.size()))
    for (const Event& event : events) {
      if (event.key != "batch") continue;
      const BatchReport report = BatchReport::from_json(event.data);
      tally.batches[report.batch].event = report;
      ++tally.events;
    }
}

/// The document without its last member, the batch.
std::string_view without_batch(std::string_view json) { return json.substr(0, json.rfind(",\"batch\":")); }

std::int64_t count_different_documents(const Snapshot& at, const Names& first, const Names& second) {
  auto left = at.collection(first.collection).find();
  auto right = at.collection(second.collection).find();
  std::int64_t different = 0;
  while (true) {
    const auto a = left.next(), b = right.next();
    if (!a && !b) return different;
    if (!a || !b || without_batch(*a) != without_batch(*b)) ++different;
  }
}

}  // namespace

bool BatchTally::is_whole() const {
  return event && event->packages == packages && event->dependencies == dependencies && event->provides == provides &&
         event->packages == documents;
}

std::vector<std::string> Tally::disagreements() const {
  std::vector<std::string> found;
  const auto expect_none = [&](std::int64_t count, const char* what) {
    if (count != 0) found.push_back(std::to_string(count) + " " + what);
  };
  std::int64_t half = 0, expected_maintainers = 0;
  for (const auto& [number, batch] : batches) {
    half += !batch.is_whole();
    if (batch.event) expected_maintainers += batch.event->maintainers;
  }
  expect_none(half, "half batches");
  expect_none(static_cast<std::int64_t>(batches.size()) - events, "batches without event, or with two");
  expect_none(batches.empty() ? 0 : batches.rbegin()->first - static_cast<std::int64_t>(batches.size()),
              "gaps in the batches");
  expect_none(maintainers - expected_maintainers, "maintainers more than the events say");
  expect_none(rows_without_document, "rows without document");
  expect_none(documents_without_row, "documents without row");
  expect_none(dangling_references, "references to rows that are not there");
  return found;
}

Tally tally(Database& db, const Names& names) {
  return db.read([&](const Snapshot& at) {
    Tally tally;
    count_rows(at, names, tally);
    match_documents(at, names, tally);
    read_events(at, names, tally);
    for (const std::string& table : {names.packages, names.dependencies, names.provides})
      tally.dangling_references +=
          at.sql("SELECT count(*) FROM pragma_foreign_key_check(?)", table).one<std::int64_t>();
    return tally;
  });
}

Missing missing_of(const std::vector<BatchReport>& acknowledged, const Tally& found) {
  Missing missing;
  std::int64_t maintainers = 0;
  for (const BatchReport& report : acknowledged) {
    const auto batch = found.batches.find(report.batch);
    const BatchTally there = batch == found.batches.end() ? BatchTally() : batch->second;
    const std::int64_t rows = there.packages + there.dependencies + there.provides;
    missing.rows += std::max<std::int64_t>(0, report.rows() - report.maintainers - rows);
    missing.documents += std::max<std::int64_t>(0, report.packages - there.documents);
    missing.events += !there.event || there.event->json() != report.json();
    maintainers += report.maintainers;
  }
  missing.rows += std::max<std::int64_t>(0, maintainers - found.maintainers);
  return missing;
}

std::int64_t count_differences(Database& db, const Names& first, const Names& second) {
  return db.read([&](const Snapshot& at) {
    // Ids are given in the order of the input, so equal imports have equal ids.
    const auto only_in = [&](const std::string& left, const std::string& right, const std::string& columns) {
      return at
          .sql("SELECT count(*) FROM (SELECT " + columns + " FROM " + left + " EXCEPT SELECT " + columns + " FROM " +
               right + ")")
          .one<std::int64_t>();
    };
    const auto differences = [&](const std::string& left, const std::string& right, const std::string& columns) {
      return only_in(left, right, columns) + only_in(right, left, columns);
    };
    return differences(
               first.packages, second.packages,
               "id, name, version, architecture, section, priority, size_bytes, installed_kilobytes, maintainer_id") +
           differences(first.maintainers, second.maintainers, "id, name, email") +
           differences(first.dependencies, second.dependencies,
                       "package_id, kind, group_no, alternative_no, name, comparison, version, architecture") +
           differences(first.provides, second.provides, "package_id, number, name, version") +
           count_different_documents(at, first, second);
  });
}

}  // namespace stele::demo
