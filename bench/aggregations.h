// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Aggregation, beside SQLite with JSON1: documents grouped by two paths, events by key and minute; and Stele's sort in
// memory and beyond its budget.
#pragma once

#include "bench/workload.h"

#include <cstdint>
#include <memory>
#include <string>

namespace stele::bench {

/// Makes its data at first use, in a directory of its own. Throws when two subjects give different results.
class Aggregations {
 public:
  Aggregations(std::string directory, std::uint32_t documents, std::uint32_t events);
  ~Aggregations();

  // Each runs once; the rate is that of documents or events.
  Figures stele_documents();
  Figures sqlite_documents();
  /// PostgreSQL's JSONB through psql, which must reach a database of its own by the environment (PGHOST, PGDATABASE …).
  Figures postgres_documents();
  Figures stele_events();
  Figures sqlite_events();
  /// Of five times the documents, whole.
  Figures stele_sort(std::size_t memory_bytes);

 private:
  struct Stele;
  struct Peer;
  Stele& stele();
  Peer& sqlite();
  void expect_same(const std::string& what, const std::string& result);

  const std::string directory_;
  const std::uint32_t documents_, events_;
  std::unique_ptr<Stele> stele_;
  std::unique_ptr<Peer> sqlite_;
  bool postgres_loaded_ = false;
  bool sort_loaded_ = false;
  std::string documents_result_, events_result_;
};

}  // namespace stele::bench
