// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/database/check.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/key_codec.h"
#include "engine/cache/caches.h"
#include "engine/documents/check_indexes.h"
#include "engine/documents/check_vectors.h"
#include "engine/documents/documents.h"
#include "engine/events/check_stream.h"
#include "engine/model/document.h"
#include "engine/transaction/check.h"
#include "engine/transaction/tier_reader.h"
#include "engine/vectors/live_indexes.h"

#include <algorithm>
#include <limits>
#include <map>

namespace stele {

using catalog::Catalog;
using catalog::Definition;
using catalog::Kind;
using storage::Keyspace;
using transaction::Findings;
using transaction::TierReader;

namespace {

constexpr json::Limits any_size{std::numeric_limits<std::size_t>::max(), 1000};

/// A store opened for reading only stands still, and has none.
std::unique_ptr<storage::KeyValueSnapshot> snapshot_of(storage::KeyValueStore& store) {
  return store.capabilities().snapshots ? store.snapshot() : nullptr;
}

std::string part_of(const Definition& definition) {
  return text(catalog::name(definition.kind), " \"", definition.name, "\"");
}

/// Ids under which a keyspace holds keys that no definition of the kind owns. One seek for each id that is there.
void check_owners(TierReader& reader, Keyspace keyspace, Kind kind, const std::vector<Definition>& definitions,
                  Findings& findings) {
  const auto cursor = reader.cursor(keyspace, {});
  cursor->first();
  while (cursor->valid()) {
    std::string_view rest = cursor->key();
    std::uint64_t id = 0;
    if (!key::read_id(rest, id)) {
      findings.damage("kv", text("keyspace ", name(keyspace),
                                 " holds a key that Stele did not write: ", key::describe_key(cursor->key())));
      cursor->next();
      continue;
    }
    const bool owned = std::ranges::any_of(definitions, [&](const auto& d) { return d.kind == kind && d.id == id; });
    if (!owned)
      findings.damage("kv",
                      text("keyspace ", name(keyspace), " holds keys under id ", id, ", which the catalog gives to no ",
                           catalog::name(kind)));
    std::string prefix;
    key::append_id(prefix, id);
    cursor->seek(key::prefix_end(prefix));
  }
}

/// The same of indexes of vectors, which have ids of their own.
void check_vector_owners(TierReader& reader, const std::vector<Definition>& definitions, Findings& findings) {
  const auto cursor = reader.cursor(Keyspace::vectors, {});
  cursor->first();
  while (cursor->valid()) {
    std::string_view rest = cursor->key();
    std::uint64_t id = 0;
    const bool ours = key::read_id(rest, id);
    const bool owned = ours && std::ranges::any_of(definitions, [&](const Definition& definition) {
                         return std::ranges::find(definition.vector_indexes, id, &catalog::VectorIndex::id) !=
                                definition.vector_indexes.end();
                       });
    if (!owned)
      findings.damage("kv", text("keyspace vectors holds keys that belong to no vector index, from ",
                                 key::describe_key(cursor->key()), " on"));
    if (!ours) return;
    std::string prefix;
    key::append_id(prefix, id);
    cursor->seek(key::prefix_end(prefix));
  }
}

void check_definitions(const std::vector<Definition>& definitions, Findings& findings) {
  std::map<std::uint64_t, const Definition*> owners;
  for (const Definition& definition : definitions) {
    const auto [other, fresh] = owners.emplace(definition.id, &definition);
    if (!fresh)
      findings.damage(part_of(definition), text("has id ", definition.id, ", as ", part_of(*other->second), " has"));
  }
}

void check_document(const Definition& collection, std::string_view key, std::string_view bytes) {
  const std::string minified = json::minify(bytes, any_size, "document");
  if (minified != bytes) fail(ErrorCode::corrupt, "is not in the form in which Stele stores it");
  const model::Value value = model::parse(minified);
  if (!value.is_object() || value.object().empty() || value.object().front().name != "_id")
    fail(ErrorCode::corrupt, "is not an object whose first member is _id");
  if (documents::document_key(collection.id, value.object().front().value) != key)
    fail(ErrorCode::corrupt,
         text("has _id ", model::to_json(value.object().front().value), ", which its key does not say"));
}

void check_documents(TierReader& reader, const Definition& collection, Findings& findings) {
  std::string prefix;
  key::append_id(prefix, collection.id);
  const auto cursor = reader.cursor(Keyspace::documents, {prefix, key::prefix_end(prefix)});
  for (cursor->first(); cursor->valid(); cursor->next()) {
    reader.interrupt().check();
    try {
      check_document(collection, cursor->key(), cursor->value());
    } catch (const Error& error) {
      findings.damage(part_of(collection),
                      text("document ", key::describe_key(cursor->key().substr(prefix.size())), ": ", error.message()));
    }
  }
}

void check_contents(TierReader& reader, const CheckOptions& options, Findings& findings) {
  std::vector<Definition> definitions;
  if (!findings.expect("catalog", [&] { definitions = Catalog::read_all(reader); })) return;
  check_definitions(definitions, findings);
  findings.expect("kv", [&] {
    check_owners(reader, Keyspace::documents, Kind::collection, definitions, findings);
    check_owners(reader, Keyspace::events, Kind::stream, definitions, findings);
    check_owners(reader, Keyspace::cache, Kind::cache, definitions, findings);
    check_vector_owners(reader, definitions, findings);
  });
  for (const Definition& definition : definitions)
    findings.expect(part_of(definition), [&] {
      const auto report = [&](const std::string& what) { findings.damage(part_of(definition), what); };
      if (definition.kind == Kind::stream) events::check_stream(reader, definition, options.deep, report);
      if (definition.kind == Kind::cache && options.deep) cache::check_cache(reader, definition.id, report);
      if (definition.kind != Kind::collection || !options.deep) return;
      check_documents(reader, definition, findings);
      documents::check_indexes(reader, definition, report);
      documents::check_vectors(reader, definition, report);
    });
}

}  // namespace

std::vector<Finding> check(const std::string& directory, const CheckOptions& options) {
  const Interrupt interrupt = Interrupt::within(options.deadline, options.cancel);
  Findings findings;
  transaction::OpenedTiers tiers = transaction::open_to_check(directory, findings);
  transaction::check_tiers(directory, tiers, options, interrupt, findings);
  if (tiers.key_value) {
    TierReader reader(*tiers.key_value, snapshot_of(*tiers.key_value), interrupt);
    check_contents(reader, options, findings);
  }
  return findings.take();
}

namespace detail {

namespace {

/// Derived, so nothing is lost: dropping the index and making it anew mends it, or removing its file and opening again.
void check_graphs(DatabaseCore& core, const Interrupt& interrupt, Findings& findings) {
  for (const Definition& definition : Catalog::read_all(*core.store->latest(true), transaction::ScanRecord::none))
    for (const catalog::VectorIndex& index : definition.vector_indexes) {
      const auto live = core.vectors->find(index.id);
      if (const auto wrong = live ? live->check(interrupt) : std::nullopt)
        findings.damage(part_of(definition), text("the graph of the vector index on \"", index.path.text(), "\": ", *wrong),
                        "remove its files from vectors/ while the database is closed: it is made anew");
    }
}

}  // namespace

std::vector<Finding> check_open_database(DatabaseCore& core, const CheckOptions& options, const Interrupt& interrupt) {
  Findings findings;
  transaction::check_tiers(*core.store, options, interrupt, findings);
  interrupt.check();
  TierReader reader(core.store->key_value(), snapshot_of(core.store->key_value()), interrupt);
  check_contents(reader, options, findings);
  if (options.deep) check_graphs(core, interrupt, findings);
  return findings.take();
}

}  // namespace detail
}  // namespace stele
