// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/find.h"

#include "engine/documents/matches.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <vector>

namespace stele::documents {

using transaction::Reader;

namespace {

constexpr std::size_t sort_bytes_max = 64u << 20;

/// Streams when the plan has the order wanted, otherwise sorts in memory; with a limit only so many are held at a time.
class FindCursor final : public Cursor {
 public:
  FindCursor(Reader& reader, catalog::Catalog::DefinitionPtr collection, Query query)
      : query_(std::move(query)),
        now_{query_.projection.empty() ? 0 : reader.time_us() / 1000},
        reader_(reader),
        matches_(reader, std::move(collection), {query_.filter, query_.sort, query_.wanted(), query_.hint},
                 Pace::streamed, query_.projection.simple_inclusions()) {}

  const Matches& matches() const { return matches_; }

  std::optional<std::string_view> next() override {
    const auto document = matches_.plan().sorted ? next_streamed() : next_sorted();
    return document && !query_.projection.empty() ? project(*document) : document;
  }

 private:
  struct Entry {
    std::string order;
    std::string document;
    std::size_t bytes() const { return sizeof *this + order.size() + document.size(); }
    bool operator<(const Entry& other) const { return order < other.order; }
  };

  /// Sorting a million documents takes longer than anybody who cancels it wants to wait.
  struct Before {
    bool operator()(const Entry& a, const Entry& b) {
      if (++compared % 4096 == 0) interrupt.check();
      return a < b;
    }
    const Interrupt& interrupt;
    std::uint64_t& compared;  // the algorithms copy this
  };

  std::string_view project(std::string_view document) {
    projected_.clear();
    model::append_json(projected_, query_.projection.apply(parser_.parse(document), now_, &query_.filter.root()));
    return projected_;
  }

  std::optional<std::string_view> next_streamed() {
    if (query_.limit && returned_ == *query_.limit) return std::nullopt;
    while (!done_ && matches_.next()) {
      if (skipped_ < query_.skip) {
        ++skipped_;
        continue;
      }
      ++returned_;
      return matches_.document();
    }
    done_ = true;
    return std::nullopt;
  }

  std::optional<std::string_view> next_sorted() {
    if (!done_) sort();
    if (position_ == entries_.size()) return std::nullopt;
    return entries_[position_++].document;
  }

  void sort() {
    done_ = true;
    const std::uint64_t wanted = query_.wanted().value_or(std::numeric_limits<std::uint64_t>::max());
    if (wanted == 0) return;
    while (matches_.next()) {
      Entry entry;
      query_.sort.append_key(entry.order, parser_.parse(matches_.document()));
      entry.order += matches_.key();  // equal ones in the order of their keys
      if (entries_.size() == wanted) {
        if (!(entry < entries_.front())) continue;
        std::pop_heap(entries_.begin(), entries_.end());
        bytes_ -= entries_.back().bytes();
        entries_.pop_back();
      }
      entry.document = matches_.document();
      hold(entry);
      entries_.push_back(std::move(entry));
      std::push_heap(entries_.begin(), entries_.end());
    }
    std::uint64_t compared = 0;
    std::sort_heap(entries_.begin(), entries_.end(), Before{reader_.interrupt(), compared});
    position_ = std::min<std::uint64_t>(query_.skip, entries_.size());
  }

  void hold(const Entry& entry) {
    bytes_ += entry.bytes();
    if (bytes_ <= sort_bytes_max) return;
    fail(ErrorCode::too_large,
         text("find: the sort would hold more than ", sort_bytes_max >> 20, " MB of documents in memory; make an index of the "
              "sort's fields, or give a limit"),
         {{"reason", "SortTooLarge"}, {"limit", std::to_string(sort_bytes_max)}});
  }

  const Query query_;  // stays where it is: the matches refer to it
  const model::Date now_;
  Reader& reader_;
  Matches matches_;
  model::Parser parser_;
  std::string projected_;
  bool done_ = false;
  std::uint64_t skipped_ = 0;
  std::uint64_t returned_ = 0;
  std::vector<Entry> entries_;  // a heap with the greatest first, then sorted
  std::size_t bytes_ = 0;       // of them
  std::size_t position_ = 0;
};

}  // namespace

model::Value plan_value(const Plan& plan) {
  constexpr std::string_view kinds[] = {"nothing", "ids", "documents", "index", "branches"};
  model::Object out;
  out.push_back({"plan", model::Value(kinds[static_cast<std::size_t>(plan.kind)])});
  if (plan.index) out.push_back({"index", model::Value(plan.index->name)});
  if (plan.kind != Plan::Kind::branches) out.push_back({"ranges", model::Value(static_cast<std::int64_t>(plan.ranges.size()))});
  out.push_back({"sorted", model::Value(plan.sorted)});
  if (plan.direction == transaction::Direction::backward) out.push_back({"direction", model::Value("backward")});
  if (plan.kind == Plan::Kind::branches) {
    model::Array branches;
    for (const Plan& branch : plan.branches) branches.push_back(plan_value(branch));
    out.push_back({"branches", model::Value(std::move(branches))});
  }
  if (!plan.considered.empty()) {
    model::Array considered;
    for (const std::string& words : plan.considered) considered.push_back(model::Value(words));
    out.push_back({"considered", model::Value(std::move(considered))});
  }
  return model::Value(std::move(out));
}

Query Query::parse(std::string_view filter, const FindOptions& options, const json::Limits& limits) {
  Query query;
  query.filter = model::Filter::parse(filter, limits);
  query.sort = model::Sort::parse(options.sort, limits);
  query.skip = options.skip;
  query.limit = options.limit;
  query.hint = options.hint;
  query.projection = model::Projection::parse(options.projection, limits);
  return query;
}

std::optional<std::uint64_t> Query::wanted() const {
  if (!limit) return std::nullopt;
  if (*limit == 0) return 0;
  const std::uint64_t all = std::numeric_limits<std::uint64_t>::max();
  return skip > all - *limit ? all : skip + *limit;
}

std::unique_ptr<Cursor> make_cursor(Reader& reader, catalog::Catalog::DefinitionPtr collection, Query query) {
  return std::make_unique<FindCursor>(reader, std::move(collection), std::move(query));
}

std::string explain(Reader& reader, catalog::Catalog::DefinitionPtr collection, Query query) {
  const auto begin = std::chrono::steady_clock::now();
  FindCursor cursor(reader, std::move(collection), std::move(query));
  std::int64_t returned = 0;
  while (cursor.next()) ++returned;
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
  model::Value out = plan_value(cursor.matches().plan());
  const Matches::Figures& figures = cursor.matches().figures();
  out.object().push_back({"covered", model::Value(cursor.matches().covered())});
  out.object().push_back({"keys_examined", model::Value(static_cast<std::int64_t>(figures.keys))});
  out.object().push_back({"documents_examined", model::Value(static_cast<std::int64_t>(figures.documents))});
  out.object().push_back({"returned", model::Value(returned)});
  out.object().push_back({"time_us", model::Value(static_cast<std::int64_t>(took.count()))});
  return model::to_json(out);
}

}  // namespace stele::documents
