// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Aggregation, beside SQLite with JSON1 and PostgreSQL with JSONB; and Stele's sort in memory and beyond its budget.
#pragma once

#include "bench/aggregation_queries.h"
#include "bench/workload.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace stele::bench {

/// Each subject gets its data at first use, in a directory of its own. Throws when two give different results.
class Aggregations {
 public:
  Aggregations(std::string directory, std::uint32_t documents, std::uint32_t events);
  ~Aggregations();

  // Each runs once; the rate is that of documents or events.
  Figures stele(const AggregationQuery& query);
  Figures sqlite(const AggregationQuery& query);
  Figures postgres(const AggregationQuery& query);
  /// Of five times the documents, whole.
  Figures stele_sort(std::size_t memory_bytes);

 private:
  struct Subjects;
  void load_stele();
  void load_sqlite();
  void load_postgres();
  std::uint32_t group_count() const;
  Figures figures(const AggregationQuery& query, double seconds) const;
  void expect_same(const AggregationQuery& query, const std::vector<std::string>& rows);

  const std::string directory_;
  const std::uint32_t documents_, events_;
  std::unique_ptr<Subjects> subjects_;
  bool sort_loaded_ = false;
  std::map<std::string, std::vector<std::string>> known_;  // rows of a query that has run, by its name
};

}  // namespace stele::bench
