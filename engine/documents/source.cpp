// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/source.h"

#include "engine/documents/candidate.h"
#include "engine/documents/find.h"
#include "engine/documents/matches.h"
#include "engine/transaction/parts.h"

#include <algorithm>

namespace stele::documents {
namespace {

using catalog::Definition;
using pipeline::Opened;
using pipeline::Request;
using storage::Keyspace;
using transaction::Reader;

constexpr std::uint64_t part_bytes_least = 512u << 10;  // before another thread is worth its making

/// What a request's members begin with: all that Matches refers to stays where it is.
struct Asked {
  explicit Asked(const Request& request) : filter(request.filter), sort(request.sort), wanted(request.limit) {
    if (!request.paths) return;
    reads.emplace();
    for (const std::string& path : *request.paths) reads->emplace_back(path);
  }
  const model::Filter& filter;
  const model::Sort& sort;
  const std::optional<std::uint64_t> wanted;
  std::optional<std::vector<model::Path>> reads;
  std::string hint;
};

/// An index that holds all that is read of documents is read in their place, though nothing bounds it.
std::string covering_index(Reader& reader, const Definition& collection, const Request& request, const Asked& asked) {
  if (!asked.reads || !asked.filter.empty() || !asked.sort.empty() || collection.expires()) return {};
  const auto members = request.members_in_order ? Covered::Members::in_order : Covered::Members::in_any_order;
  for (const catalog::Index& index : collection.indexes) {
    if (index.state != catalog::Index::State::ready || !Covered::by(index, asked.filter, *asked.reads, members)) continue;
    const auto candidate = fit(reader, index, asked.filter.root(), asked.sort);
    if (candidate && !candidate->repeats) return index.name;
  }
  return {};
}

/// Documents as the plan reaches them.
class PlannedCursor final : public pipeline::Cursor {
 public:
  PlannedCursor(Reader& reader, catalog::Catalog::DefinitionPtr collection, const Request& request)
      : asked_(request) {
    if (collection) asked_.hint = covering_index(reader, *collection, request, asked_);
    matches_.emplace(reader, std::move(collection), Wanted{asked_.filter, asked_.sort, asked_.wanted, asked_.hint},
                     request.to_the_end && !asked_.wanted ? Pace::to_the_end : Pace::streamed,
                     asked_.reads ? &*asked_.reads : nullptr,
                     request.members_in_order ? Covered::Members::in_order : Covered::Members::in_any_order);
  }

  std::optional<std::string_view> next() override {
    if (!matches_->next()) return std::nullopt;
    return matches_->document();
  }

  const Matches& matches() const { return *matches_; }

 private:
  Asked asked_;
  std::optional<Matches> matches_;
};

/// The documents of a range that pass, read by a thread of its own.
class PartCursor final : public pipeline::Cursor {
 public:
  PartCursor(std::unique_ptr<Reader> reader, storage::KeyRange range, catalog::Catalog::DefinitionPtr collection,
             const model::Filter& filter, std::int64_t time_us)
      : reader_(std::move(reader)),
        range_(std::move(range)),
        collection_(std::move(collection)),
        sieve_(filter, *collection_, time_us) {}

  std::optional<std::string_view> next() override {
    constexpr unsigned documents_between_polls = 16;
    if (!scan_) scan_ = reader_->scan(Keyspace::documents, range_);
    while (scan_->next()) {
      if (++read_ % documents_between_polls == 0) Interrupt::poll();
      if (sieve_.passes(scan_->value())) return scan_->value();
    }
    return std::nullopt;
  }

 private:
  const std::unique_ptr<Reader> reader_;
  const storage::KeyRange range_;
  const catalog::Catalog::DefinitionPtr collection_;
  Sieve sieve_;
  std::unique_ptr<transaction::Scan> scan_;
  unsigned read_ = 0;
};

/// Parts of the one range that the plan reads; none when it is too small for more than one, or cannot be shared.
Opened open_parts(Reader& reader, const catalog::Catalog::DefinitionPtr& collection, const Request& request,
                  const Plan& plan) {
  Opened opened;
  if (request.parts < 2 || plan.kind != Plan::Kind::documents || plan.ranges.size() != 1) return opened;
  auto ranges = transaction::parts_of(reader, Keyspace::documents, plan.ranges[0], request.parts, part_bytes_least);
  if (ranges.size() < 2) return opened;
  const std::int64_t time_us = collection->expires() ? reader.time_us() : 0;
  for (storage::KeyRange& range : ranges) {
    auto shared = reader.share(Keyspace::documents, range);
    if (!shared) return {};
    opened.cursors.push_back(std::make_unique<PartCursor>(std::move(shared), std::move(range), collection,
                                                          request.filter, time_us));
  }
  return opened;
}

}  // namespace

Opened open_source(Reader& reader, catalog::Catalog::DefinitionPtr collection, const Request& request) {
  auto cursor = std::make_unique<PlannedCursor>(reader, collection, request);
  const Plan& plan = cursor->matches().plan();
  model::Value how = plan_value(plan);
  how.object().push_back({"covered", cursor->matches().covered()});
  Opened opened;
  if (collection) opened = open_parts(reader, collection, request, plan);
  opened.how = std::move(how);
  opened.sorted = !request.sort.empty() && plan.sorted && opened.cursors.empty();
  if (opened.cursors.empty()) opened.cursors.push_back(std::move(cursor));
  return opened;
}

bool seeks(const Definition& collection, const model::Path& path) {
  return path.text() == "_id" || std::ranges::any_of(collection.indexes, [&](const catalog::Index& index) {
           return index.state == catalog::Index::State::ready && !index.sparse && index.partial.empty() &&
                  index.fields[0].path.text() == path.text();
         });
}

}  // namespace stele::documents
