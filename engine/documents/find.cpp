// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/find.h"

#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/model/compare.h"
#include "engine/model/document.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace stele::documents {

using storage::Keyspace;
using transaction::Reader;

namespace {

constexpr std::uint64_t documents_between_interrupt_checks = 64;

/// In key order, straight from the scan.
class StreamingCursor final : public Cursor {
 public:
  StreamingCursor(Reader& reader, std::optional<std::uint64_t> collection, Query query) : query_(std::move(query)) {
    if (collection) matches_.emplace(reader, *collection, query_.filter);
  }

  std::optional<std::string_view> next() override {
    if (!matches_ || (query_.limit && returned_ == *query_.limit)) return std::nullopt;
    while (matches_->next()) {
      if (skipped_ < query_.skip) {
        ++skipped_;
        continue;
      }
      ++returned_;
      return matches_->document();
    }
    matches_.reset();
    return std::nullopt;
  }

 private:
  Query query_;
  std::optional<Matches> matches_;
  std::uint64_t skipped_ = 0;
  std::uint64_t returned_ = 0;
};

/// Sorted in memory. With a limit only so many documents are held at a time.
class SortingCursor final : public Cursor {
  struct Entry {
    std::string order;
    std::string document;
    bool operator<(const Entry& other) const { return order < other.order; }
  };

 public:
  SortingCursor(Reader& reader, std::optional<std::uint64_t> collection, const Query& query) {
    if (!collection) return;
    const std::uint64_t wanted = wanted_documents(query);
    if (wanted == 0) return;
    Matches matches(reader, *collection, query.filter);
    model::Parser parser;
    while (matches.next()) {
      Entry entry;
      query.sort.append_key(entry.order, parser.parse(matches.document()));
      entry.order += matches.key();  // equal ones in the order of their keys
      if (entries_.size() == wanted) {
        if (!(entry < entries_.front())) continue;
        std::pop_heap(entries_.begin(), entries_.end());
        entries_.pop_back();
      }
      entry.document = matches.document();
      entries_.push_back(std::move(entry));
      std::push_heap(entries_.begin(), entries_.end());
    }
    std::sort_heap(entries_.begin(), entries_.end());
    position_ = std::min<std::uint64_t>(query.skip, entries_.size());
  }

  std::optional<std::string_view> next() override {
    if (position_ == entries_.size()) return std::nullopt;
    return entries_[position_++].document;
  }

 private:
  static std::uint64_t wanted_documents(const Query& query) {
    const std::uint64_t all = std::numeric_limits<std::uint64_t>::max();
    if (!query.limit) return all;
    return *query.limit == 0 ? 0 : (query.skip > all - *query.limit ? all : query.skip + *query.limit);
  }

  std::vector<Entry> entries_;  // a heap with the greatest first, then sorted
  std::size_t position_ = 0;
};

/// The order of the keys is the order of _id.
bool is_key_order(const model::Sort& sort) {
  return sort.empty() ||
         (sort.fields().size() == 1 && !sort.fields().front().descending && sort.fields().front().path.text() == "_id");
}

}  // namespace

Query Query::parse(std::string_view filter, const FindOptions& options, const json::Limits& limits) {
  return {model::Filter::parse(filter, limits), model::Sort::parse(options.sort, limits), options.skip, options.limit};
}

Matches::Matches(Reader& reader, std::uint64_t collection, const model::Filter& filter) : reader_(reader), filter_(filter) {
  if (const auto id = model::id_equality(filter)) {
    id_key_ = document_key(collection, *id);
    return;
  }
  std::string prefix;
  key::append_id(prefix, collection);
  scan_ = reader.scan(Keyspace::documents, {prefix, key::prefix_end(prefix)});
}

bool Matches::next_by_id() {
  if (!id_key_) return false;
  key_ = *std::exchange(id_key_, std::nullopt);
  return reader_.get(Keyspace::documents, key_, document_) && filter_.matches_json(document_, scratch_);
}

bool Matches::next() {
  if (!scan_) return next_by_id();
  while (scan_->next()) {
    if (++examined_ % documents_between_interrupt_checks == 0) reader_.interrupt().check();
    if (!filter_.empty() && !filter_.matches_json(scan_->value(), scratch_)) continue;
    key_ = scan_->key();
    document_ = scan_->value();
    return true;
  }
  return false;
}

std::unique_ptr<Cursor> make_cursor(Reader& reader, std::optional<std::uint64_t> collection, Query query) {
  if (is_key_order(query.sort)) return std::make_unique<StreamingCursor>(reader, collection, std::move(query));
  return std::make_unique<SortingCursor>(reader, collection, query);
}

std::string replacement(const model::Value& id, std::string_view document, const json::Limits& limits,
                        std::string_view collection) {
  model::Value value = model::parse(json::minify(document, limits, "document"));
  if (!value.is_object())
    fail(ErrorCode::invalid, "document: is not a JSON object", {{"reason", "InvalidDocument"}});
  if (const model::Value* own = value.find("_id"); own && model::compare(*own, id) != 0)
    fail(ErrorCode::invalid,
         text("collection \"", collection, "\": the replacement's _id ", model::to_json(*own), " differs from ",
              model::to_json(id), "; an _id never changes: leave it out, or insert a new document"),
         {{"reason", "ImmutableId"}});
  if (!value.find("_id")) value.object().insert(value.object().begin(), {"_id", id});
  return model::document_with_id(model::to_json(value)).text;
}

}  // namespace stele::documents
