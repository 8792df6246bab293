// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What is compared: Stele, and the same work done with its engines directly, each as well as we can. All acknowledge a
// commit only when it is on disk. A subject is made on an empty directory and used by many threads.
#pragma once

#include "bench/workload.h"

#include <memory>
#include <string>

namespace stele::bench {

class Subject {
 public:
  virtual ~Subject() = default;

  // Each is one durable commit and returns how often it had to start again.
  virtual int cross(const Payload& payload);      // an account, an order and two documents
  virtual int rows(const Payload& payload);       // the account and the order
  virtual int documents(const Payload& payload);  // the two documents
  virtual int update_row(int account);            // SELECT, then UPDATE
  virtual int update_document(int id);            // get, then replace
};

enum class Preload { rows, documents, both };

std::unique_ptr<Subject> make_stele(const std::string& directory, Preload preload);
/// Rows and documents in one SQLite file, synchronous=FULL.
std::unique_ptr<Subject> make_sqlite(const std::string& directory, Preload preload);
/// Documents in RocksDB, Write(sync = true).
std::unique_ptr<Subject> make_rocksdb(const std::string& directory);
/// Rows in SQLite (FULL), then documents in RocksDB (sync): two commits, not atomic.
std::unique_ptr<Subject> make_two_stores(const std::string& directory);

}  // namespace stele::bench
