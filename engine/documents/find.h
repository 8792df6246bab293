// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// Finding documents: by their _id when the filter fixes it, otherwise by scanning the collection.
#pragma once

#include "engine/documents/documents.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace stele::documents {

/// The documents of a collection that match a filter, in the order of their keys.
class Matches {
 public:
  Matches(transaction::Reader& reader, std::uint64_t collection, const model::Filter& filter);

  bool next();
  const std::string& key() const { return key_; }
  const std::string& document() const { return document_; }  // until the next move

 private:
  bool next_by_id();

  transaction::Reader& reader_;
  const model::Filter& filter_;
  model::Scratch scratch_;
  std::optional<std::string> id_key_;               // a single lookup instead of a scan
  std::unique_ptr<transaction::Scan> scan_;
  std::uint64_t examined_ = 0;
  std::string key_;
  std::string document_;
};

/// `collection` empty: there is none, and so no documents.
std::unique_ptr<Cursor> make_cursor(transaction::Reader& reader, std::optional<std::uint64_t> collection, Query query);

/// The text of a replacement for the document with this id: its own _id, when it has one, must be the same.
std::string replacement(const model::Value& id, std::string_view document, const json::Limits& limits,
                        std::string_view collection);

}  // namespace stele::documents
