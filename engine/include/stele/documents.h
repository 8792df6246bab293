// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A collection holds JSON objects, each with a unique `_id` (any scalar; a UUIDv7 string is made
// when it is absent). A collection comes into being with its first document. Filters and updates
// are MongoDB's, as JSON text; documents come back as JSON text, minified, `_id` first, keys
// otherwise in the order given, integers exact to 64 bits. What is known of MongoDB's operators:
//   filters      $eq $ne $gt $gte $lt $lte $in $nin $exists $type $regex ($options; RE2) $mod $size $all $elemMatch $not
//                $bitsAllSet $bitsAllClear $bitsAnySet $bitsAnyClear; $and $or $nor $expr $jsonSchema $comment
//   updates      $set $unset $inc $mul $min $max $rename $setOnInsert $currentDate $bit $push ($each $slice $sort
//                $position) $addToSet ($each) $pop $pull $pullAll, at paths with $, $[] and $[x]; pipelines of $set,
//                $unset and $replaceWith
//   projections  1, 0, $slice, $elemMatch, and expressions
//   expressions  engine/model/expression_*.cpp, one table a family
// Others are refused by name.
//
// CollectionReader comes from a Snapshot and reads; Collection comes from a Transaction or, each
// call then being a transaction of its own, from a Database. Both are light handles: they stay
// valid as long as their database, and using one after its transaction ended is `invalid`.
//
// An id is passed as JSON text, too: `17`, `"ada"`, `{"$oid": "…"}`; DocumentId makes that from C++ values.
#pragma once

#include <stele/error.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stele {

namespace detail {
struct Scope;        // the database and, inside one, the transaction that a handle works in
class DocumentSource;
}  // namespace detail

/// A document's `_id` as JSON text.
class DocumentId {
 public:
  DocumentId(std::int64_t id) : json_(std::to_string(id)) {}
  DocumentId(int id) : json_(std::to_string(id)) {}
  DocumentId(std::string_view text);  // a string id: quoted and escaped
  DocumentId(const char* text) : DocumentId(std::string_view(text)) {}
  DocumentId(const std::string& text) : DocumentId(std::string_view(text)) {}
  static DocumentId from_json(std::string json) { return DocumentId(Json{}, std::move(json)); }

  const std::string& json() const noexcept { return json_; }
  /// The text of a string id, otherwise the JSON.
  std::string text() const;
  friend bool operator==(const DocumentId&, const DocumentId&) = default;

 private:
  struct Json {};
  DocumentId(Json, std::string json) : json_(std::move(json)) {}
  std::string json_;
};

struct FindOptions {
  std::string projection = {};  // {"title": 1}; empty: whole documents
  std::string sort = {};        // {"field": 1, "other": -1}; empty: by _id
  std::uint64_t skip = 0;
  std::optional<std::uint64_t> limit = {};
  std::string hint = {};        // the name of an index to use; "$natural": none; empty: the planner chooses
};

struct IndexOptions {
  std::string name = {};            // empty: made of the keys, author_1_published_-1
  bool unique = false;              // no two documents with the same values
  bool sparse = false;              // leaves out documents that have none of the paths
  std::string partial_filter = {};  // leaves out documents that do not match; queries use the index when they imply it
  /// So long after the date at its path a document is gone: at once for readers, from the disk a little later.
  std::optional<std::int64_t> expire_after_seconds = {};
};

struct UpdateResult {
  std::uint64_t matched = 0;
  std::uint64_t modified = 0;
  std::optional<DocumentId> upserted_id;
};

struct UpdateOptions {
  bool upsert = false;
  std::string array_filters = {};  // [{"x.grade": {"$gte": 85}}], for paths with $[x]
};

/// Documents that a find returned, read one at a time. One thread at a time; ends with its transaction.
class Documents {
 public:
  explicit Documents(std::unique_ptr<detail::DocumentSource> source);
  Documents(Documents&&) noexcept;
  Documents& operator=(Documents&&) noexcept;
  ~Documents();

  /// The next document's JSON, valid until the next call; empty after the last.
  std::optional<std::string_view> next();
  std::vector<std::string> all();

 private:
  std::unique_ptr<detail::DocumentSource> source_;
};

class CollectionReader {
 public:
  explicit CollectionReader(std::shared_ptr<detail::Scope> scope, std::string name);

  const std::string& name() const noexcept { return name_; }

  /// The document with this id. An absent collection has no documents.
  std::optional<std::string> get(const DocumentId& id) const;
  Documents find(std::string_view filter = "{}", const FindOptions& options = {}) const;
  std::optional<std::string> find_one(std::string_view filter = "{}", FindOptions options = {}) const;
  std::uint64_t count(std::string_view filter = "{}") const;
  /// The different values at a path, of arrays their elements, in the order met, each as JSON.
  std::vector<std::string> distinct(std::string_view path, std::string_view filter = "{}") const;
  /// Runs the find to its end and tells how, as a JSON object: plan, index, keys_examined, documents_examined, returned,
  /// time_us, and what other indexes were considered.
  std::string explain(std::string_view filter = "{}", const FindOptions& options = {}) const;
  /// The collection's indexes, each a JSON object: name, keys, options, state (building, ready, failed).
  std::vector<std::string> indexes() const;

 protected:
  const std::shared_ptr<detail::Scope>& scope() const;  // `invalid` when moved from
  std::shared_ptr<detail::Scope> scope_;
  std::string name_;
};

class Collection : public CollectionReader {
 public:
  using CollectionReader::CollectionReader;

  /// Returns the document's id. An id that is there already: `exists`.
  DocumentId insert(std::string_view document);
  std::vector<DocumentId> insert_many(std::span<const std::string> documents);

  /// Replaces the document with this id; false when there is none. The `_id` cannot change.
  bool replace(const DocumentId& id, std::string_view document);
  /// Replaces or inserts.
  void put(std::string_view document);

  UpdateResult update_one(std::string_view filter, std::string_view update, const UpdateOptions& options = {});
  UpdateResult update_many(std::string_view filter, std::string_view update, const UpdateOptions& options = {});

  /// False when there is no such document.
  bool remove(const DocumentId& id);
  std::uint64_t remove_one(std::string_view filter);
  std::uint64_t remove_many(std::string_view filter);

  /// Makes an index over paths, {"author": 1, "published": -1}, and returns its name when it is ready. Outside a
  /// transaction it is built in batches beside readers and writers, and goes on after a crash when the database is opened;
  /// inside one it is part of it. What is there already with the same keys and options stays. `exists` for duplicates
  /// under `unique` (the index is then `failed`) and for another index of that name.
  std::string create_index(std::string_view keys, const IndexOptions& options = {});
  /// False when there is no such index.
  bool drop_index(std::string_view name);

  /// Removes the collection with all its documents and indexes; false when there is none.
  bool drop();
};

}  // namespace stele
