// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/database/collection_scope.h"
#include "engine/documents/vector_indexes.h"
#include "engine/search/nearest.h"
#include "engine/vectors/live_indexes.h"

#include <functional>

namespace stele {

using detail::parse_id;
using documents::VectorIndexes;
using transaction::Reader;

namespace {

VectorIndexes vector_verbs(const detail::Scope& scope, const std::string& collection) {
  return VectorIndexes(scope.core->catalog, collection, scope.core->limits);
}

/// Runs `body(NearestSearch&)` in the scope's transaction, or at a moment of its own.
template <class Body>
auto search_with(const detail::Scope& scope, const std::string& collection, std::string_view path,
                 const NearestOptions& options, Body&& body) {
  const auto run = [&](transaction::Transaction& own) {
    return own.statement([&] {
      search::NearestSearch search(own, *scope.core->vectors, vector_verbs(scope, collection).find(own, path), options,
                                   scope.core->limits);
      return body(search);
    });
  };
  if (scope.transaction) return run(*scope.transaction);
  WriteOptions at = scope.options;
  at.isolation = Isolation::snapshot;  // it commits nothing
  at.writes_sql = false;
  return run(*scope.core->store->begin(at));
}

/// What stands in memory of an index, beside its definition.
void describe(const vectors::LiveIndex* live, bool building, model::Object& out) {
  if (!live) {
    if (!building) out.push_back({"state", model::Value("loading")});
    return;
  }
  const auto figures = live->figures();
  const auto add = [&](std::string_view name, std::uint64_t figure) {
    out.push_back({std::string(name), model::Value(static_cast<std::int64_t>(figure))});
  };
  if (!building) out.push_back({"state", model::Value(figures.state)});
  const auto& rows = figures.rows;
  const std::uint64_t vectors = rows.rows - rows.ended;
  add("vectors", vectors);
  add("pending", rows.pending);
  out.push_back({"dead_share", model::Value(rows.rows == 0 ? 0.0 : double(rows.ended) / double(rows.rows))});
  add("memory_bytes", rows.memory_bytes);
  add("bytes_per_vector", vectors == 0 ? 0 : rows.memory_bytes / vectors);
  if (rows.graph && !rows.hidden) out.push_back({"quantization_used", model::Value(catalog::name(rows.quantization))});
  if (figures.calibration) out.push_back({"recall", model::Value(figures.calibration->recall())});
  add("rebuilds", figures.rebuilds);
  if (!figures.rebuilt_because.empty()) out.push_back({"rebuilt_because", model::Value(figures.rebuilt_because)});
  if (!figures.failure.empty()) out.push_back({"failure", model::Value(figures.failure)});
}

}  // namespace

Neighbours CollectionReader::nearest(std::string_view path, std::span<const float> vector,
                                     const NearestOptions& options) const {
  return search_with(*scope(), name_, path, options, [&](search::NearestSearch& search) { return search.to(vector); });
}

std::vector<Neighbours> CollectionReader::nearest_batch(std::string_view path,
                                                        std::span<const std::vector<float>> queries,
                                                        const NearestOptions& options) const {
  return search_with(*scope(), name_, path, options, [&](search::NearestSearch& search) {
    std::vector<Neighbours> found;
    found.reserve(queries.size());
    for (const std::vector<float>& query : queries) {
      Interrupt::poll();
      found.push_back(search.to(query));
    }
    return found;
  });
}

Neighbours CollectionReader::nearest_to(std::string_view path, const DocumentId& id,
                                        const NearestOptions& options) const {
  const model::Value key = parse_id(id, scope()->core->limits);
  return search_with(*scope(), name_, path, options,
                     [&](search::NearestSearch& search) { return search.to_document(key); });
}

std::optional<std::vector<float>> CollectionReader::vector(std::string_view path, const DocumentId& id) const {
  const model::Value key = parse_id(id, scope()->core->limits);
  return scope()->read_at_one_moment(
      [&](Reader& reader) { return vector_verbs(*scope(), name_).get(reader, path, key); });
}

std::vector<std::string> CollectionReader::vector_indexes() const {
  return scope()->read([&](Reader& reader) {
    std::vector<std::string> all;
    const auto definition = detail::definition_of(*scope(), reader, name_);
    if (!definition) return all;
    for (const catalog::VectorIndex& index : definition->vector_indexes) {
      model::Value value = catalog::to_value(index);
      describe(scope()->core->vectors->find(index.id).get(), index.building, value.object());
      all.push_back(model::to_json(value));
    }
    return all;
  });
}

void Collection::create_vector_index(std::string_view path, const VectorIndexOptions& options) {
  detail::make_index(*scope(), [&](const documents::Write& write, const documents::Write& give_up) {
    vector_verbs(*scope(), name_).create(write, give_up, path, options);
  });
}

bool Collection::drop_vector_index(std::string_view path) {
  const bool dropped =
      scope()->write([&](transaction::Transaction& own) { return vector_verbs(*scope(), name_).drop(own, path); });
  if (!scope()->transaction) scope()->core->vectors->sweep();
  return dropped;
}

void Collection::set_vector(std::string_view path, const DocumentId& id, std::span<const float> vector) {
  const model::Value key = parse_id(id, scope()->core->limits);
  scope()->write([&](transaction::Transaction& own) { vector_verbs(*scope(), name_).set(own, path, key, vector); });
}

bool Collection::remove_vector(std::string_view path, const DocumentId& id) {
  const model::Value key = parse_id(id, scope()->core->limits);
  return scope()->write(
      [&](transaction::Transaction& own) { return vector_verbs(*scope(), name_).remove(own, path, key); });
}

bool Collection::wait_applied(std::string_view path, std::chrono::milliseconds time) const {
  const auto index =
      scope()->read([&](Reader& reader) { return vector_verbs(*scope(), name_).find(reader, path).index->id; });
  const auto live = scope()->core->vectors->find(index);
  return !live || live->wait_applied(Interrupt::within(time, scope()->options.cancel));
}

}  // namespace stele
