// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/database/aggregate.h"

#include "engine/database/collection_scope.h"
#include "engine/database/document_source.h"
#include "engine/database/sql_source.h"
#include "engine/documents/source.h"
#include "engine/documents/target.h"
#include "engine/events/source.h"
#include "engine/pipeline/spill_file.h"

#include <algorithm>
#include <thread>

namespace stele {
namespace detail {
namespace {

using pipeline::Opened;
using pipeline::Request;
using pipeline::SourceName;
using transaction::Reader;

/// The tiers at one moment: `own`'s, with its writes, or, where it is null, the reader's.
class TierSources final : public pipeline::Sources {
 public:
  TierSources(DatabaseCore& core, Reader& reader, transaction::Transaction* own)
      : core_(core), reader_(reader), own_(own) {}

  Opened open(const SourceName& name, const Request& request) override {
    switch (name.kind) {
      case SourceName::Kind::collection:
        return documents::open_source(reader_, find(catalog::Kind::collection, name), request);
      case SourceName::Kind::stream:
        return events::open_source(
            reader_, own_, events::Streams(core_.catalog, core_.segments, name.text, core_.limits), request);
      case SourceName::Kind::sql:
        return open_select(*own_, name, request);  // there is one: Pipeline::may_read_sql
    }
    return {};
  }

  bool seeks(const SourceName& name, const model::Path& path) override {
    if (name.kind != SourceName::Kind::collection) return false;
    const auto collection = find(catalog::Kind::collection, name);
    return collection && documents::seeks(*collection, path);
  }

  std::unique_ptr<pipeline::Target> target(const std::string& collection) override {
    return documents::make_target(*own_, core_.catalog, collection, core_.limits);
  }

 private:
  catalog::Catalog::DefinitionPtr find(catalog::Kind kind, const SourceName& name) {
    return core_.catalog.find(reader_, kind, name.text);
  }

  DatabaseCore& core_;
  Reader& reader_;
  transaction::Transaction* const own_;
};

pipeline::Settings settings_of(const DatabaseCore& core, const AggregateOptions& options, const Reader& reader) {
  constexpr std::size_t memory_least = std::size_t{1} << 20;
  constexpr unsigned threads_max = 8;
  if (options.memory_bytes != 0 && options.memory_bytes < memory_least)
    fail(ErrorCode::invalid, text("aggregate: memory_bytes must be 0 or at least ", memory_least, ", not ", options.memory_bytes),
         {{"reason", "InvalidOption"}, {"option", "memory_bytes"}});
  pipeline::Settings settings;
  settings.limits = core.limits;
  settings.memory_bytes =
      options.memory_bytes != 0 ? options.memory_bytes : core.store->options().aggregate_memory_bytes;
  settings.spill_directory = core.store->directory().file("spill");
  settings.threads = std::clamp(std::thread::hardware_concurrency(), 1u, threads_max);
  settings.now = model::Date{reader.time_us() / 1000};
  return settings;
}

/// A pipeline at work, with all it refers to.
class Run final : public documents::Cursor {
 public:
  Run(DatabaseCore& core, Reader& reader, transaction::Transaction* own, const SourceName& source,
      pipeline::Pipeline parsed, const AggregateOptions& options)
      : pipeline_(std::move(parsed)),
        settings_(settings_of(core, options, reader)),
        sources_(core, reader, own),
        results_(sources_, source, pipeline_, settings_, &reader.interrupt()) {}

  /// Now, where it could not be later: what SELECT reads stands at its call. Parts for threads are opened when they are
  /// read, so that none is left when the transaction ends.
  void open() {
    if (!pipeline_.plan().group || pipeline_.may_read_sql()) results_.open();
  }
  std::optional<std::string_view> next() override { return results_.next(); }

 private:
  const pipeline::Pipeline pipeline_;
  const pipeline::Settings settings_;
  TierSources sources_;
  pipeline::Results results_;
};

bool reads_sql(const SourceName& source, const pipeline::Pipeline& pipeline) {
  return source.kind == SourceName::Kind::sql || pipeline.may_read_sql();
}

/// Rows and documents at one moment: a snapshot of all tiers.
std::shared_ptr<transaction::Transaction> all_tiers_of(const Scope& scope) {
  ReadOptions options;
  options.deadline = scope.options.deadline;
  options.cancel = scope.options.cancel;
  return scope.core->store->snapshot(options);
}

/// $out and $merge: carried out when this returns.
class NoDocuments final : public documents::Cursor {
  std::optional<std::string_view> next() override { return std::nullopt; }
};

void run_writes(const Scope& scope, const SourceName& source, const pipeline::Pipeline& parsed,
                const AggregateOptions& options) {
  scope.write([&](transaction::Transaction& own) {
    Run run(*scope.core, own, &own, source, parsed, options);
    while (run.next()) {
    }
  });
}

}  // namespace

Documents aggregate(const Scope& scope, const SourceName& source, std::string_view text,
                    const AggregateOptions& options, Writes writes) {
  pipeline::Pipeline parsed = pipeline::Pipeline::parse(text, scope.core->limits);
  auto opened = std::make_unique<DocumentSource>();
  opened->core = scope.core;
  opened->transaction = scope.transaction;
  if (parsed.writes()) {
    if (writes == Writes::refused)
      fail(ErrorCode::readonly, "aggregate: $out and $merge write, and a snapshot or a reader of a collection cannot; "
                                "use a Transaction, its Collection or the Database",
           {{"reason", "Place"}});
    run_writes(scope, source, parsed, options);
    opened->cursor = std::make_unique<NoDocuments>();
    if (!opened->transaction) opened->latest = scope.core->store->latest(false, scope.interrupt());
    return Documents(std::move(opened));
  }
  const auto open = [&](Reader& reader) {
    if (opened->transaction) opened->statement = opened->transaction->current_statement();
    auto run = std::make_unique<Run>(*scope.core, reader, opened->transaction.get(), source, std::move(parsed), options);
    run->open();
    opened->cursor = std::move(run);
  };
  if (!opened->transaction && reads_sql(source, parsed)) opened->transaction = all_tiers_of(scope);
  if (opened->transaction) {
    opened->transaction->statement([&] { open(*opened->transaction); });
  } else {
    scope.core->store->check_open();
    opened->latest = scope.core->store->latest(true, scope.interrupt());
    const Interrupt::Here here(opened->latest->interrupt());
    opened->latest->interrupt().check();
    open(*opened->latest);
  }
  return Documents(std::move(opened));
}

std::string explain_aggregate(const Scope& scope, const SourceName& source, std::string_view text,
                              const AggregateOptions& options) {
  const pipeline::Pipeline parsed = pipeline::Pipeline::parse(text, scope.core->limits);
  const auto explain = [&](Reader& reader, transaction::Transaction* own) {
    TierSources sources(*scope.core, reader, own);
    const pipeline::Settings settings = settings_of(*scope.core, options, reader);
    return pipeline::explain(sources, source, parsed, settings, &reader.interrupt());
  };
  auto transaction = scope.transaction;
  if (!transaction && reads_sql(source, parsed)) transaction = all_tiers_of(scope);
  if (transaction) return transaction->statement([&] { return explain(*transaction, transaction.get()); });
  return scope.read_at_one_moment([&](Reader& reader) { return explain(reader, nullptr); });
}

SourceName source_of(std::string_view json, const Scope& scope) {
  return SourceName::parse(model::parse(json::minify(json, scope.core->limits, "aggregate, source")), "aggregate, source");
}

void prepare_spill_directory(const transaction::Store& store) {
  const std::string directory = store.directory().file("spill");
  if (!exists(directory)) return make_directory(directory);
  pipeline::remove_spill_files(directory);
}

}  // namespace detail

using detail::Writes;

namespace {

pipeline::SourceName collection_source(const std::string& name) {
  return pipeline::SourceName::parse(model::Value(name), "aggregate, collection");
}

}  // namespace

Documents CollectionReader::aggregate(std::string_view pipeline, const AggregateOptions& options) const {
  return detail::aggregate(*scope(), collection_source(name_), pipeline, options, Writes::refused);
}

Documents Collection::aggregate(std::string_view pipeline, const AggregateOptions& options) {
  return detail::aggregate(*scope(), collection_source(name_), pipeline, options, Writes::allowed);
}

std::string CollectionReader::explain_aggregate(std::string_view pipeline, const AggregateOptions& options) const {
  return detail::explain_aggregate(*scope(), collection_source(name_), pipeline, options);
}

Documents Snapshot::aggregate(std::string_view source, std::string_view pipeline, const AggregateOptions& options) const {
  return detail::aggregate(*scope(), detail::source_of(source, *scope()), pipeline, options, Writes::refused);
}

std::string Snapshot::explain_aggregate(std::string_view source, std::string_view pipeline,
                                        const AggregateOptions& options) const {
  return detail::explain_aggregate(*scope(), detail::source_of(source, *scope()), pipeline, options);
}

Documents Transaction::aggregate(std::string_view source, std::string_view pipeline, const AggregateOptions& options) {
  return detail::aggregate(*scope(), detail::source_of(source, *scope()), pipeline, options, Writes::allowed);
}

Documents Database::aggregate(std::string_view source, std::string_view pipeline, const AggregateOptions& options,
                              const WriteOptions& call) {
  const detail::Scope scope{core(), nullptr, false, call};
  return detail::aggregate(scope, detail::source_of(source, scope), pipeline, options, Writes::allowed);
}

std::string Database::explain_aggregate(std::string_view source, std::string_view pipeline,
                                        const AggregateOptions& options, const WriteOptions& call) {
  const detail::Scope scope{core(), nullptr, false, call};
  return detail::explain_aggregate(scope, detail::source_of(source, scope), pipeline, options);
}

}  // namespace stele
