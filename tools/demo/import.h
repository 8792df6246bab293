// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// The import: some hundred stanzas a transaction, their rows, documents and one event in it. It can
// be stopped at any moment, by kill -9 too, and goes on where the database says it stands.
#pragma once

#include "tools/demo/input.h"
#include "tools/demo/package.h"
#include "tools/demo/schema.h"

#include <stele/stele.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace stele::demo {

/// What one batch wrote; as JSON the event of that batch.
struct BatchReport {
  std::int64_t batch = 0;        // from 1
  std::int64_t stanzas_end = 0;  // stanzas of the input up to here
  std::int64_t stanzas = 0;
  std::int64_t packages = 0;      // rows, and as many documents
  std::int64_t maintainers = 0;   // rows
  std::int64_t dependencies = 0;  // rows
  std::int64_t provides = 0;      // rows
  std::int64_t refused = 0;       // stanzas that are no package
  std::int64_t repeated = 0;      // stanzas of a package that was there already
  std::int64_t malformed = 0;     // relations, lines and bytes that could not be read
  std::int64_t bytes = 0;         // of input

  std::int64_t rows() const { return packages + maintainers + dependencies + provides; }
  void add(const BatchReport& other);
  std::string json() const;
  static BatchReport from_json(std::string_view json);
};

class Import {
 public:
  /// Makes the tables when absent and takes up the input behind the last batch that is committed.
  Import(Database& db, const std::string& prefix, const InputOptions& input, std::int64_t batch_stanzas);

  /// Imports to the end; calls `committed` after each commit.
  void run(const std::function<void(const BatchReport&)>& committed);

  const std::string& first_refused() const { return first_refused_; }

 private:
  struct Batch {
    std::vector<Package> packages;
    BatchReport report;
  };
  using MaintainerKey = std::pair<std::string, std::string>;  // email, name

  void resume();
  Batch read_batch();
  BatchReport write_batch(const Batch& batch);
  void write_relations(Transaction& tx, std::int64_t package_id, const Package& package, BatchReport& report);
  Value maintainer_id(Transaction& tx, const Package& package, std::map<MaintainerKey, std::int64_t>& added,
                      BatchReport& report);

  Database& db_;
  Names names_;
  Input input_;
  std::int64_t batch_stanzas_;
  BatchReport last_;
  std::map<MaintainerKey, std::int64_t> maintainers_;  // committed ones only
  std::string first_refused_;
  std::string insert_package_, insert_maintainer_, insert_dependency_, insert_provides_;
};

}  // namespace stele::demo
