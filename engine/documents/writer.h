// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/catalog/definition.h"
#include "engine/documents/index_entries.h"
#include "engine/documents/validator.h"
#include "engine/documents/vectors.h"
#include "engine/model/value.h"
#include "engine/transaction/transaction.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::documents {

/// The one place where documents of a collection are written: each with its index entries and vectors, in the same write
/// set.
/// For one call of a verb. One thread.
class Writer {
 public:
  Writer(transaction::Transaction& transaction, const catalog::Definition& collection);

  /// True when put() and erase() need to know what was there before.
  bool needs_before() const { return !maintained_.empty() || validator_.needs_before() || vectors_.any(); }

  /// `before`: the document that is there now, if any. `exists` when a unique index has one of the new entries already,
  /// `constraint` when the validator refuses the document.
  void put(std::string_view document_key, std::optional<std::string_view> before, std::string_view after);
  void erase(std::string_view document_key, std::string_view before);

  /// Adds the document's entries to one index only, as a build does.
  void add_entries(const catalog::Index& index, std::string_view document_key, const model::Value& document);

 private:
  void change(std::string_view document_key, const model::Value* before, const model::Value* after);
  void put_entry(const catalog::Index& index, const IndexEntry& entry, std::string_view id_element);
  void erase_entry(const catalog::Index& index, const IndexEntry& entry, std::string_view id_element);
  void note_multikey(const catalog::Index& index, std::uint32_t fields);
  bool remove_expired(std::string_view id_element);
  model::Value parse(std::string_view document);
  bool same_members(std::string_view before, std::string_view after) const;

  transaction::Transaction& transaction_;
  const catalog::Definition& collection_;
  Validator validator_;
  const VectorWriter vectors_;
  std::vector<const catalog::Index*> maintained_;
  bool all_ready_ = true;             // an index that is being built may lack the entries of a document
  std::vector<std::string> members_;  // that entries are made of; empty: all
  std::size_t id_from_;               // where the _id element begins in a document key
  model::Parser parser_;
};

}  // namespace stele::documents
