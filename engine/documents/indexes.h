// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Making, building and dropping the indexes of collections. Built online:
//   1. commit the definition as `building`: from here every writer keeps up the index's entries, because a transaction
//      that began with an older definition conflicts at commit
//   2. entries of what was there before, in batches of documents, each an ordinary transaction that also writes the
//      position to go on from; a kill in between costs the batch at hand
//   3. commit `ready`, or `failed` with the first duplicate and without entries
// Inside a transaction all three are that transaction.
#pragma once

#include "engine/catalog/catalog.h"
#include "engine/transaction/store.h"

#include <stele/documents.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace stele::documents {

/// Runs a body in a transaction, again after a conflict.
using Write = std::function<void(const std::function<void(transaction::Transaction&)>&)>;

class Indexes {
 public:
  Indexes(catalog::Catalog& catalog, std::string_view collection, const json::Limits& limits)
      : catalog_(catalog), collection_(collection), limits_(limits) {}

  /// Returns the index's name when it is ready. One that is there with the same keys and options is left as it is (a
  /// failed one is built again); `exists` for one of that name with others. `write` may be interrupted: then what was
  /// made is removed through `give_up`, which may not.
  std::string create(const Write& write, const Write& give_up, std::string_view keys, const IndexOptions& options) const;
  /// Goes on with the build of an index that is `building`. Throws as create(), the index then being `failed`.
  void build(const Write& write, const std::string& name) const;
  /// "*": all of them. False when there is no such index.
  bool drop(transaction::Transaction& transaction, std::string_view name) const;
  /// A JSON object an index: its definition, the bytes it takes (roughly), and how far a build has come.
  std::vector<std::string> list(transaction::Reader& reader) const;

 private:
  std::string declare(transaction::Transaction& transaction, const catalog::Index& wanted) const;
  bool build_batch(transaction::Transaction& transaction, const std::string& name) const;
  void expect_ready(transaction::Transaction& transaction, const std::string& name) const;
  void set_state(transaction::Transaction& transaction, const std::string& name, catalog::Index::State state,
                 const std::string& failure) const;

  catalog::Catalog& catalog_;
  std::string_view collection_;
  const json::Limits& limits_;
};

/// All that an index has in its keyspace.
void erase_index(transaction::Transaction& transaction, std::uint64_t index);

}  // namespace stele::documents
