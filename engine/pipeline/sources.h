// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What a pipeline reads and writes, and what it asks of who keeps it. A source gives documents as JSON text; it is
// told what the pipeline's first stages want, so that it reads no more than that.
#pragma once

#include "engine/model/filter.h"
#include "engine/model/sort.h"
#include "engine/model/value.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stele::pipeline {

/// "articles", {"stream": "activity"}, {"sql": "SELECT id, name FROM users WHERE plan = ?", "parameters": ["pro"]}.
struct SourceName {
  enum class Kind : std::uint8_t { collection, stream, sql };
  Kind kind = Kind::collection;
  std::string text;  // the name, or the SELECT
  model::Array parameters;

  /// `invalid` for what is none of these; `what` names the place ("aggregate, stage 2, $lookup, \"from\"").
  static SourceName parse(const model::Value& value, std::string_view what);
  model::Value value() const;
};

/// What is wanted of a source. The source obeys the filter. The rest may save it work: the pipeline sorts, counts and
/// leaves out by itself.
struct Request {
  model::Filter filter;
  model::Sort sort;
  std::optional<std::uint64_t> limit;  // no more rows than this are read; a source that does not sort as asked
                                       // must give all the same
  std::optional<std::vector<std::string>> paths;  // nothing but these is read of each document; empty: all of it
  bool members_in_order = true;                   // false: of each document they may come in any order
  bool rows_in_any_order = false;                 // true: the documents may come in any order
  bool to_the_end = false;                        // all rows are read at once, whoever takes the results
  unsigned parts = 1;                             // how many cursors can be used, each by a thread of its own
};

/// Documents one at a time. One thread at a time.
class Cursor {
 public:
  virtual ~Cursor() = default;
  /// The next document's text, minified and valid, until the next call.
  virtual std::optional<std::string_view> next() = 0;
};

struct Opened {
  /// One or more, at most Request::parts: together, one behind the other, the documents in the source's own order.
  std::vector<std::unique_ptr<Cursor>> cursors;
  bool sorted = false;    // in the order of Request::sort; only with one cursor
  model::Value how = {};  // for explain: an object, or null
};

/// What $out and $merge write to. The writes of one call are all undone by who called when it fails.
class Target {
 public:
  virtual ~Target() = default;
  /// Removes all documents.
  virtual void clear() = 0;
  /// `exists` when the _id or another unique value is there. A document without _id is given one.
  virtual void insert(const model::Value& document) = 0;
  /// Of the document with the same _id.
  virtual void replace(const model::Value& document) = 0;
  /// The document whose values at these paths are those of `document`, if there is one.
  virtual std::optional<model::Value> find(const model::Value& document, const std::vector<model::Path>& on) = 0;
  /// No two documents have the same values at these paths, by _id or a unique index; values, not null and missing.
  virtual bool is_unique(const std::vector<model::Path>& on) = 0;
};

/// All at one snapshot, with the writes of the transaction before the call. Used from one thread; only the cursors of
/// one Opened work at the same time.
class Sources {
 public:
  virtual ~Sources() = default;
  /// A collection or stream that is not there has no documents. `request` lives as long as the cursors.
  virtual Opened open(const SourceName& name, const Request& request) = 0;
  /// Documents with a given value at the path are found without reading the others.
  virtual bool seeks(const SourceName& name, const model::Path& path) = 0;
  /// `readonly` when nothing may be written here.
  virtual std::unique_ptr<Target> target(const std::string& collection) = 0;
};

}  // namespace stele::pipeline
