// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/documents.h"

#include "engine/database/collection_scope.h"
#include "engine/database/document_source.h"
#include "engine/documents/analysis.h"
#include "engine/documents/statistics.h"

namespace stele {

using transaction::Reader;

namespace detail {

std::optional<std::string_view> DocumentSource::next() {
  if (!cursor)
    fail(ErrorCode::closed, "documents: they ended with an error; ask for them again", {{"reason", "ended_by_error"}});
  try {
    if (transaction) return transaction->guarded_as_of(statement, [&] { return cursor->next(); });
    core->store->check_open();
    const Interrupt::Here here(latest->interrupt());
    return cursor->next();
  } catch (const Error& error) {
    const auto reason = error.detail().find("reason");
    const bool refused = error.code() == ErrorCode::closed ||
                         (reason != error.detail().end() &&
                          (reason->second == "concurrent_use" || reason->second == "transaction_ended"));
    if (!refused) end();
    throw;
  } catch (...) {
    end();
    throw;
  }
}

}  // namespace detail

using detail::definition_of;
using detail::index_verbs;
using detail::parse_id;
using detail::verbs;

DocumentId::DocumentId(std::string_view text) { json::append_quoted(json_, text); }

std::string DocumentId::text() const { return json_.starts_with('"') ? json::unquoted(json_) : json_; }

Documents::Documents(std::unique_ptr<detail::DocumentSource> source) : source_(std::move(source)) {}
Documents::Documents(Documents&&) noexcept = default;
Documents& Documents::operator=(Documents&&) noexcept = default;
Documents::~Documents() = default;

std::optional<std::string_view> Documents::next() { return detail::held(source_, "documents")->next(); }

std::vector<std::string> Documents::all() {
  std::vector<std::string> documents;
  while (const auto document = next()) documents.emplace_back(*document);
  return documents;
}

const std::shared_ptr<detail::Scope>& CollectionReader::scope() const { return detail::held(scope_, "collection"); }

CollectionReader::CollectionReader(std::shared_ptr<detail::Scope> scope, std::string name)
    : scope_(std::move(scope)), name_(std::move(name)) {}

std::optional<std::string> CollectionReader::get(const DocumentId& id) const {
  const model::Value key = parse_id(id, scope()->core->limits);
  return scope()->read([&](Reader& reader) { return verbs(*scope(), name_).get(reader, key); });
}

Documents CollectionReader::find(std::string_view filter, const FindOptions& options) const {
  const Interrupt interrupt = scope()->interrupt();
  documents::Query query = documents::Query::parse(filter, options, scope()->core->limits);
  auto source = std::make_unique<detail::DocumentSource>();
  source->core = scope()->core;
  source->transaction = scope()->transaction;
  const auto open = [&](Reader& reader) {
    if (source->transaction) source->statement = source->transaction->current_statement();
    return verbs(*scope(), name_).find(reader, std::move(query));
  };
  if (scope()->transaction) {
    source->cursor = scope()->read(open);
  } else {
    scope()->core->store->check_open();
    source->latest = scope()->core->store->latest(true, interrupt);
    source->cursor = open(*source->latest);
  }
  return Documents(std::move(source));
}

std::optional<std::string> CollectionReader::find_one(std::string_view filter, FindOptions options) const {
  options.limit = 1;
  Documents found = find(filter, options);
  const auto document = found.next();
  if (!document) return std::nullopt;
  return std::string(*document);
}

std::uint64_t CollectionReader::count(std::string_view filter) const {
  model::Filter parsed = model::Filter::parse(filter, scope()->core->limits);
  return scope()->read_at_one_moment([&](Reader& reader) { return verbs(*scope(), name_).count(reader, parsed); });
}

std::vector<std::string> CollectionReader::distinct(std::string_view path, std::string_view filter) const {
  model::Filter parsed = model::Filter::parse(filter, scope()->core->limits);
  return scope()->read_at_one_moment(
      [&](Reader& reader) { return verbs(*scope(), name_).distinct(reader, path, parsed); });
}

std::string CollectionReader::explain(std::string_view filter, const FindOptions& options) const {
  documents::Query query = documents::Query::parse(filter, options, scope()->core->limits);
  return scope()->read_at_one_moment(
      [&](Reader& reader) { return verbs(*scope(), name_).explain(reader, std::move(query)); });
}

std::vector<std::string> CollectionReader::indexes() const {
  return scope()->read([&](Reader& reader) { return index_verbs(*scope(), name_).list(reader); });
}

CollectionOptions CollectionReader::options() const {
  return scope()->read([&](Reader& reader) {
    const auto definition = definition_of(*scope(), reader, name_);
    return definition ? definition->options : CollectionOptions();
  });
}

std::string CollectionReader::stats() const {
  return scope()->read_at_one_moment(
      [&](Reader& reader) { return documents::statistics(reader, definition_of(*scope(), reader, name_)); });
}

std::string CollectionReader::analyze(const AnalyzeOptions& options) const {
  return scope()->read_at_one_moment([&](Reader& reader) {
    return documents::analyze(reader, definition_of(*scope(), reader, name_), options.sample);
  });
}

}  // namespace stele
