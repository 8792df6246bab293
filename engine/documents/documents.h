// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Collections of JSON documents on the key-value tier.
//
//   keyspace documents: (id collection, value _id)  ->  the document as minified JSON text, _id first
//   keyspace indexes:   index_entries.h
#pragma once

#include "engine/base/json.h"
#include "engine/catalog/catalog.h"
#include "engine/documents/revision.h"
#include "engine/model/filter.h"
#include "engine/model/projection.h"
#include "engine/model/sort.h"
#include "engine/transaction/transaction.h"

#include <stele/documents.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace stele::documents {

/// A find in its parsed form.
struct Query {
  model::Filter filter;
  model::Sort sort;
  std::uint64_t skip = 0;
  std::optional<std::uint64_t> limit;
  std::string hint;  // an index's name; "$natural": none
  model::Projection projection;

  /// Skip and limit together; empty: all.
  std::optional<std::uint64_t> wanted() const;
  static Query parse(std::string_view filter, const FindOptions& options, const json::Limits& limits);
};

/// The documents that a query finds, one at a time.
class Cursor {
 public:
  virtual ~Cursor() = default;
  /// The next document's text, valid until the next call.
  virtual std::optional<std::string_view> next() = 0;
};

/// A collection's verbs. Light; for one call. One thread.
class Documents {
 public:
  Documents(catalog::Catalog& catalog, std::string_view collection, const json::Limits& limits)
      : catalog_(catalog), collection_(collection), limits_(limits) {}

  std::optional<std::string> get(transaction::Reader& reader, const model::Value& id) const;
  std::unique_ptr<Cursor> find(transaction::Reader& reader, Query query) const;
  std::uint64_t count(transaction::Reader& reader, model::Filter& filter) const;
  std::vector<std::string> distinct(transaction::Reader& reader, std::string_view path, model::Filter& filter) const;
  /// Runs the find and says how: a JSON object.
  std::string explain(transaction::Reader& reader, Query query) const;

  model::Value insert(transaction::Transaction& transaction, std::string_view document) const;
  std::vector<model::Value> insert_many(transaction::Transaction& transaction, std::span<const std::string> documents) const;
  bool replace(transaction::Transaction& transaction, const model::Value& id, std::string_view document) const;
  void put(transaction::Transaction& transaction, std::string_view document) const;

  /// What a revision did to the first document that matched, in the order of `sort`.
  struct Revised {
    std::optional<std::string> before;  // empty: nothing matched
    std::optional<std::string> after;   // what it is now, or what was upserted
    std::optional<model::Value> upserted_id;
    bool modified = false;
  };
  /// The filter gets the transaction's time.
  Revised revise_one(transaction::Transaction& transaction, model::Filter& filter, const model::Sort& sort,
                     const Revision& revision, bool upsert) const;
  struct Updated {
    std::uint64_t matched = 0;
    std::uint64_t modified = 0;
    std::optional<model::Value> upserted_id;
  };
  Updated update_many(transaction::Transaction& transaction, model::Filter& filter, const Revision& update,
                      bool upsert) const;

  std::uint64_t remove_many(transaction::Transaction& transaction, model::Filter& filter) const;
  /// The document removed; empty: nothing matched.
  std::optional<std::string> remove_one(transaction::Transaction& transaction, model::Filter& filter,
                                        const model::Sort& sort) const;
  bool remove(transaction::Transaction& transaction, const model::Value& id) const;

 private:
  catalog::Catalog::DefinitionPtr definition(transaction::Reader& reader) const;
  void insert_new(transaction::Transaction& transaction, const model::Value& id, std::string_view text) const;

  catalog::Catalog& catalog_;
  std::string_view collection_;
  const json::Limits& limits_;
};

std::string document_key(std::uint64_t collection, const model::Value& id);

}  // namespace stele::documents
