// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// A collection holds JSON objects, each with a unique `_id` (any scalar; a UUIDv7 string is made
// when it is absent). A collection comes into being with its first document. Filters and updates
// are MongoDB's, as JSON text; documents come back as JSON text, minified, `_id` first, keys
// otherwise in the order given, integers exact to 64 bits. engine/ARCHITECTURE.md lists which of MongoDB's operators
// there are; others are refused by name, with their path.
//
// CollectionReader comes from a Snapshot and reads; Collection comes from a Transaction or, each
// call then being a transaction of its own, from a Database. Both are light handles: they stay
// valid as long as their database, and using one after its transaction ended is `invalid`.
//
// An id is passed as JSON text, too: `17`, `"ada"`, `{"$oid": "…"}`; DocumentId makes that from C++ values.
#pragma once

#include <stele/aggregate.h>
#include <stele/document_id.h>
#include <stele/error.h>
#include <stele/vectors.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace stele {

namespace detail {
struct Scope;        // the database and, inside one, the transaction that a handle works in
class DocumentSource;
}  // namespace detail

struct FindOptions {
  std::string projection = {};  // {"title": 1}; empty: whole documents
  std::string sort = {};        // {"field": 1, "other": -1}; empty: in no particular order
  std::uint64_t skip = 0;
  std::optional<std::uint64_t> limit = {};
  std::string hint = {};        // the name or keys of an index to use; "_id_", "$natural": none; empty: the planner chooses
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
  std::uint64_t modified = 0;  // of these, changed by it
  std::optional<DocumentId> upserted_id;
};

struct UpdateOptions {
  bool upsert = false;             // when nothing matches, insert what filter and update say
  std::string array_filters = {};  // [{"x.grade": {"$gte": 85}}], for paths with $[x]
  std::string sort = {};           // of several matches update_one takes the first in this order; not for update_many
};

struct ReplaceOptions {
  bool upsert = false;
  std::string sort = {};  // of several matches the first in this order
};

/// Which document a find_one_and_update or find_one_and_replace returns.
enum class ReturnDocument : std::uint8_t { before, after };

struct FindOneAndModifyOptions {
  std::string sort = {};        // of several matches the first in this order
  std::string projection = {};  // of what is returned
  bool upsert = false;
  ReturnDocument returns = ReturnDocument::before;
  std::string array_filters = {};  // of updates
};

struct FindOneAndDeleteOptions {
  std::string sort = {};
  std::string projection = {};
};

/// One operation of a bulk write. Options that the kind does not have are `invalid`.
struct BulkOperation {
  enum class Kind : std::uint8_t { insert_one, update_one, update_many, replace_one, delete_one, delete_many };

  Kind kind;
  std::string filter;     // not of insert_one
  std::string document;   // to insert, the update, or the replacement
  UpdateOptions options;  // of updates; of replace_one upsert and sort

  static BulkOperation insert_one(std::string document) { return {Kind::insert_one, {}, std::move(document), {}}; }
  static BulkOperation update_one(std::string filter, std::string update, UpdateOptions options = {}) {
    return {Kind::update_one, std::move(filter), std::move(update), std::move(options)};
  }
  static BulkOperation update_many(std::string filter, std::string update, UpdateOptions options = {}) {
    return {Kind::update_many, std::move(filter), std::move(update), std::move(options)};
  }
  static BulkOperation replace_one(std::string filter, std::string replacement, ReplaceOptions options = {}) {
    return {Kind::replace_one, std::move(filter), std::move(replacement), {options.upsert, {}, std::move(options.sort)}};
  }
  static BulkOperation delete_one(std::string filter) { return {Kind::delete_one, std::move(filter), {}, {}}; }
  static BulkOperation delete_many(std::string filter) { return {Kind::delete_many, std::move(filter), {}, {}}; }
};

/// What a bulk write does about an operation that is refused: one with an Error that says to put something right
/// (`invalid`, `constraint`, `exists`, `too_large`, `out_of_range`, `unsupported`).
enum class OnRefusal : std::uint8_t {
  undo_all,  // throw that Error, with detail "index"; nothing of the bulk write is kept
  stop,      // keep those before it, carry out none after it: MongoDB's ordered bulk write
  go_on,     // carry out all others: MongoDB's unordered bulk write
};

struct BulkResult {
  struct Refusal {
    std::size_t index;  // of the operation
    Error error;
  };

  std::uint64_t inserted = 0;
  std::uint64_t matched = 0;
  std::uint64_t modified = 0;
  std::uint64_t deleted = 0;
  std::map<std::size_t, DocumentId> inserted_ids;  // by the operation's index
  std::map<std::size_t, DocumentId> upserted_ids;
  std::vector<Refusal> refusals;  // by index; never with undo_all
};

/// What becomes of a write that breaks the validator.
enum class ValidationAction : std::uint8_t {
  error,  // refused: `constraint`, reason DocumentValidationFailure, with the _id, the path and the rule
  warn,   // carried out; CollectionReader::stats counts the documents that break it
};

enum class ValidationLevel : std::uint8_t {
  strict,    // every document written
  moderate,  // not those that broke the validator before the write
};

struct CollectionOptions {
  /// A filter that documents must match, {"$jsonSchema": {…}} or any other; empty: none. It binds writes; documents
  /// that are there stay as they are.
  std::string validator = {};
  ValidationAction validation_action = ValidationAction::error;
  ValidationLevel validation_level = ValidationLevel::strict;
};

struct RenameOptions {
  bool drop_target = false;  // a collection that has the new name goes
};

struct AnalyzeOptions {
  std::uint64_t sample = 1000;  // look into so many documents at most, 1 to 1,000,000
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
  /// time_us, and what other indexes were considered. An update, replace, remove, count or distinct reaches its documents
  /// as a find with its filter and sort does, those of one document with limit 1.
  std::string explain(std::string_view filter = "{}", const FindOptions& options = {}) const;

  /// The results of a pipeline over the collection's documents (stele/aggregate.h). One with $out or $merge is
  /// `readonly` here; `too_large` when a document, or what one group gathers, exceeds its bound.
  Documents aggregate(std::string_view pipeline, const AggregateOptions& options = {}) const;
  /// Runs the pipeline, writing nothing, and tells how, as a JSON object: source (filter, sort, paths, plan, rows_out,
  /// time_us), stages (rows_in, rows_out, time_us, spilled_bytes, threads, pipelines inside, how another source was read:
  /// strategy HashJoin, IndexedLoopJoin or NestedLoopJoin), returned, time_us.
  std::string explain_aggregate(std::string_view pipeline, const AggregateOptions& options = {}) const;

  /// The collection's indexes, that of _id first, each a JSON object: name, keys, options, state (building, ready,
  /// failed), about how many bytes it takes and, while it is building, documents_read and percent.
  std::vector<std::string> indexes() const;

  /// The documents whose vectors are nearest to this one (stele/vectors.h), of the index on that path. `not_found`
  /// without the index, `busy` while it is being made, `invalid` for a vector it cannot hold (detail "reason":
  /// dimensions, not_finite, overflow, zero_vector) and for options out of their bounds. In a serializable transaction the
  /// whole index counts as read.
  Neighbours nearest(std::string_view path, std::span<const float> vector, const NearestOptions& options = {}) const;
  /// The same for each of them, at one moment and with the filter found once.
  std::vector<Neighbours> nearest_batch(std::string_view path, std::span<const std::vector<float>> queries,
                                        const NearestOptions& options = {}) const;
  /// The same for the vector of a document, which itself is left out; `not_found` when it has none.
  Neighbours nearest_to(std::string_view path, const DocumentId& id, const NearestOptions& options = {}) const;
  /// The document's vector as it was given; empty: it has none.
  std::optional<std::vector<float>> vector(std::string_view path, const DocumentId& id) const;
  /// The collection's vector indexes, each a JSON object: path, its options, state (building, loading, exact, ready,
  /// rebuilding), and, of what stands in memory now: vectors, pending (not in the graph yet, and searched exactly),
  /// dead_share of the rows, memory_bytes, bytes_per_vector, quantization_used, recall (of the 10 nearest, with
  /// the default ef, on a sample), rebuilds; where the saved graph could not
  /// be used rebuilt_because, and failure, where what stands in memory could not be kept up (searches then read the store).
  std::vector<std::string> vector_indexes() const;

  /// Those it was created with, or given since. An absent collection has the defaults.
  CollectionOptions options() const;
  /// How much there is, as a JSON object: documents, bytes (of their texts), average_bytes, storage_bytes (roughly, as
  /// kept on disk and in memory), index_bytes (roughly), indexes [{name, keys, state, bytes}], and, where there is a
  /// validator, it and invalid_documents, those that break it. Reads every document.
  std::string stats() const;
  /// Which fields there are, as a JSON object: documents; sampled, how many of them were looked into, evenly spread in
  /// the order of _id and the same ones each time; fields [{path, documents, share, types {type: values}}], in the order
  /// met; a path goes through arrays as `items[].sku`. `documents` of a field is how many sampled ones have it, `share`
  /// that in parts of 1. Beyond 5,000 fields others are counted as fields_left_out. Passes over the whole collection.
  std::string analyze(const AnalyzeOptions& options = {}) const;

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
  /// Inserts all that `next` gives, each text valid until it is called again, and returns how many; for loading a
  /// collection. Not inside a transaction: it commits one for each megabyte, and waits for the disk only at the end, so
  /// that all are on disk when it returns. After a crash or an error an unbroken beginning of them is there, ending with
  /// one of these transactions; an Error's detail "loaded" says how many documents that is.
  std::uint64_t bulk_load(const std::function<std::optional<std::string_view>()>& next);

  /// Replaces the document with this id; false when there is none. The `_id` cannot change.
  bool replace(const DocumentId& id, std::string_view document);
  /// Replaces or inserts.
  void put(std::string_view document);

  UpdateResult update_one(std::string_view filter, std::string_view update, const UpdateOptions& options = {});
  UpdateResult update_many(std::string_view filter, std::string_view update, const UpdateOptions& options = {});
  /// Replaces the first match. A replacement holds no operators, and no _id other than the document's; upserted, it
  /// takes an _id that the filter fixes.
  UpdateResult replace_one(std::string_view filter, std::string_view replacement, const ReplaceOptions& options = {});

  /// Change or remove the first match and return it, as it was or as it is then, in one step that nobody gets between.
  /// Empty: nothing matched (and, after an upsert, as it was).
  std::optional<std::string> find_one_and_update(std::string_view filter, std::string_view update,
                                                 const FindOneAndModifyOptions& options = {});
  std::optional<std::string> find_one_and_replace(std::string_view filter, std::string_view replacement,
                                                  const FindOneAndModifyOptions& options = {});
  std::optional<std::string> find_one_and_delete(std::string_view filter, const FindOneAndDeleteOptions& options = {});

  /// False when there is no such document.
  bool remove(const DocumentId& id);
  std::uint64_t remove_one(std::string_view filter);
  std::uint64_t remove_many(std::string_view filter);

  /// The same as CollectionReader's; with $out or $merge it is carried out when this returns.
  Documents aggregate(std::string_view pipeline, const AggregateOptions& options = {});

  /// Carries operations out in their order, in one transaction (outside one, in one of its own): all that is kept is
  /// kept together, and each sees what those before it did. An operation that is refused changes nothing; what then
  /// becomes of the others, `on_refusal` says. Any other Error (a conflict, a full disk, a deadline) is thrown, and
  /// nothing of the bulk write is kept.
  BulkResult bulk_write(std::span<const BulkOperation> operations, OnRefusal on_refusal = OnRefusal::undo_all);

  /// Makes an index over paths, {"author": 1, "published": -1}, and returns its name when it is ready. Outside a
  /// transaction it is built in batches beside readers and writers, and goes on after a crash when the database is opened;
  /// inside one it is part of it. The very same again, and {"_id": 1}, which is always there, are no error. `exists` for
  /// duplicates under `unique` (nothing of the index stays), for another index of that name, and for the same under
  /// another name.
  std::string create_index(std::string_view keys, const IndexOptions& options = {});
  /// "*": all but that of _id. False when there is no such index; `invalid` for that of _id, "_id_".
  bool drop_index(std::string_view name);

  /// Makes a vector index on a path of members, "embedding" or "meta.embedding", and returns when it holds what the
  /// documents have there; in batches, as create_index. One with the same options stays. `exists` for one with others;
  /// `invalid` for options out of their bounds, and when a document has something else than such a vector at the path
  /// (the index is then not made). From then on documents with anything but that, null or nothing there are refused.
  void create_vector_index(std::string_view path, const VectorIndexOptions& options);
  /// With its vectors, of which those inside documents stay there. False when there is none.
  bool drop_vector_index(std::string_view path);

  /// Gives the document this vector, in the place of the one it has: beside the document, or in its text where it has an
  /// array at the path. Errors as nearest() has; `not_found` also when there is no such document. It goes with the
  /// document, and stays when that is changed, unless it then has one at the path. Waits while too many vectors are
  /// pending.
  void set_vector(std::string_view path, const DocumentId& id, std::span<const float> vector);
  /// False when it has none; `invalid` when it stands in the document, which is then to be changed.
  bool remove_vector(std::string_view path, const DocumentId& id);
  /// Returns when every vector committed so far is in the graph. False: the time is over, or the graph cannot be kept up
  /// now (vector_indexes() says why). Never needed for right answers.
  bool wait_applied(std::string_view path, std::chrono::milliseconds time = std::chrono::hours(24)) const;

  /// Makes the collection before its first document. `exists` when it is there.
  void create(const CollectionOptions& options = {});
  /// Gives it these options in the place of those it has. `not_found` when there is none.
  void modify(const CollectionOptions& options);
  /// Gives the collection, with documents and indexes, another name; this handle keeps naming the old one. `not_found`
  /// when there is none, `exists` when another has the name.
  void rename(std::string_view to, const RenameOptions& options = {});
  /// Removes the collection with all its documents and indexes; false when there is none.
  bool drop();
};

}  // namespace stele
