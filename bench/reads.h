// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Reading, and what it costs to have a database open.
#pragma once

#include "bench/table.h"

#include <memory>
#include <string>

namespace stele::bench {

/// 100,000 documents and 10,000 rows, in Stele and in its engines directly; reopened before they are read.
class Reads {
 public:
  explicit Reads(const std::string& directory);
  ~Reads();

  Figures stele_get(double seconds);
  Figures stele_get_in_snapshot(double seconds);
  Figures rocksdb_get(double seconds);
  Figures stele_select(double seconds);
  Figures stele_select_in_snapshot(double seconds);
  Figures sqlite_select(double seconds);
  Figures sqlite_select_in_transaction(double seconds);
  /// Taking and dropping a snapshot, beside so many threads that commit.
  Figures snapshot(double seconds, int writers);

 private:
  struct Open;
  std::unique_ptr<Open> open_;
};

/// Times of opening and closing the store in `directory`, and, in a process of its own, what it uses when idle.
void report_idle(const std::string& directory, Table& table);
/// The body of that process.
int run_idle(const std::string& directory);

/// Half cross, 30 % documents only, 20 % rows only, with little memory, so that memtables are flushed and the log is
/// checkpointed meanwhile.
Figures mixed(const std::string& directory, double seconds, int threads, Table& table);

}  // namespace stele::bench
