// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/catalog/catalog.h"

#include "engine/base/bytes.h"
#include "engine/base/error.h"
#include "engine/base/json.h"
#include "engine/base/key_codec.h"
#include "engine/base/utf8.h"
#include "engine/model/value.h"

namespace stele::catalog {

using storage::Keyspace;
using transaction::Record;

namespace {

constexpr std::uint64_t definitions = 2;
constexpr std::uint64_t next_id = 3;
constexpr std::size_t name_bytes_max = 255;

std::string definition_key(Kind kind, std::string_view name) {
  std::string out;
  key::append_id(out, definitions);
  key::append_id(out, static_cast<std::uint64_t>(kind));
  key::append_string(out, name);
  return out;
}

}  // namespace

void check_name(Kind kind, std::string_view name) {
  const auto refuse = [&](std::string_view why) {
    fail(ErrorCode::invalid, text(catalog::name(kind), ": the name ", why), {{"reason", "InvalidName"}});
  };
  if (name.empty()) refuse("is empty; give it at least one character");
  if (name.size() > name_bytes_max)
    refuse(text("has ", name.size(), " bytes; at most ", name_bytes_max, " are allowed"));
  if (name.find('\0') != std::string_view::npos) refuse("holds a NUL byte");
  if (!is_utf8(name)) refuse("is not valid UTF-8");
  if (name.starts_with("_stele")) refuse("begins with \"_stele\", which is reserved for Stele itself");
}

std::vector<Definition> Catalog::read_all(transaction::Reader& reader, transaction::ScanRecord record) {
  std::vector<Definition> all;
  for (const Kind kind : {Kind::collection, Kind::stream, Kind::cache}) {
    std::string prefix;
    key::append_id(prefix, definitions);
    key::append_id(prefix, static_cast<std::uint64_t>(kind));
    const auto scan = reader.scan(Keyspace::meta, {prefix, key::prefix_end(prefix)}, record);
    while (scan->next()) {
      std::string_view rest = scan->key().substr(prefix.size());
      std::string quoted;
      if (!key::read_value_text(rest, quoted) || quoted.empty() || quoted.front() != '"')
        fail(ErrorCode::corrupt, text("catalog: a definition's key cannot be read; run `stele check` and restore the "
                                      "store from a backup; it is ",
                                      key::describe_key(scan->key())));
      const std::string name = json::unquoted(quoted);
      all.push_back(parse_definition(kind, name, scan->value()));
    }
  }
  return all;
}

/// The newest definitions, when they are the reader's, too; null when it must look for itself.
std::shared_ptr<const Catalog::Contents> Catalog::contents(transaction::Reader& reader) {
  // The moment first: a change of meta after it shows in meta_changed, and one before it is in what the reader sees.
  const std::uint64_t moment = reader.moment();
  const std::uint64_t changed = reader.meta_changed();
  if (changed > moment || reader.wrote_meta()) return nullptr;
  {
    std::lock_guard guard(mutex_);
    if (newest_ && newest_->meta_changed == changed) return newest_;
  }
  auto loaded = std::make_shared<Contents>();
  loaded->meta_changed = changed;
  for (Definition& definition : read_all(reader, transaction::ScanRecord::none)) {
    Key key{definition.kind, definition.name};
    loaded->definitions.emplace(std::move(key), std::make_shared<const Definition>(std::move(definition)));
  }
  if (reader.meta_changed() == changed) {
    std::lock_guard guard(mutex_);
    newest_ = loaded;
  }
  return loaded;
}

Catalog::DefinitionPtr Catalog::find(transaction::Reader& reader, Kind kind, std::string_view name) {
  const auto known = contents(reader);
  if (!known) {
    std::string definition;
    if (!reader.get(Keyspace::meta, definition_key(kind, name), definition, Record::binding)) return nullptr;
    return std::make_shared<const Definition>(parse_definition(kind, name, definition));
  }
  if (reader.records()) reader.note_read(Keyspace::meta, definition_key(kind, name), Record::binding);
  const auto found = known->definitions.find(std::pair(kind, name));
  return found == known->definitions.end() ? nullptr : found->second;
}

std::uint64_t Catalog::new_id(transaction::Transaction& transaction) {
  std::string counter;
  key::append_id(counter, next_id);
  std::string bytes;
  std::uint64_t id = 1;
  if (transaction.get(Keyspace::meta, counter, bytes, Record::binding)) {
    ByteReader reader(bytes);
    if (!reader.fixed(id))
      fail(ErrorCode::corrupt,
           "catalog: the next id cannot be read; run `stele check` and restore the store from a backup");
  }
  bytes.clear();
  append_fixed(bytes, id + 1);
  transaction.writes().put(Keyspace::meta, counter, bytes);
  return id;
}

Catalog::DefinitionPtr Catalog::find_or_create(transaction::Transaction& transaction, Kind kind,
                                               std::string_view name) {
  if (auto found = find(transaction, kind, name)) return found;
  check_name(kind, name);
  auto definition = std::make_shared<Definition>();
  definition->kind = kind;
  definition->name = name;
  definition->id = new_id(transaction);
  store(transaction, *definition);
  return definition;
}

Catalog::DefinitionPtr Catalog::create(transaction::Transaction& transaction, Kind kind, std::string_view name,
                                       const CollectionOptions& options, const json::Limits& limits) {
  check_name(kind, name);
  if (find(transaction, kind, name))
    fail(ErrorCode::exists,
         text(catalog::name(kind), " \"", name, "\": is there already; drop it first, or change its options with modify"),
         {{"reason", "NamespaceExists"}, {"name", std::string(name)}});
  auto definition = std::make_shared<Definition>();
  definition->kind = kind;
  definition->name = name;
  set_options(*definition, options, limits);
  definition->id = new_id(transaction);
  store(transaction, *definition);
  return definition;
}

void Catalog::rename(transaction::Transaction& transaction, const Definition& definition, std::string_view to) {
  check_name(definition.kind, to);
  Definition renamed = definition;
  renamed.name = to;
  drop(transaction, definition.kind, definition.name);
  store(transaction, renamed);
}

void Catalog::store(transaction::Transaction& transaction, const Definition& definition) {
  transaction.writes().put(Keyspace::meta, definition_key(definition.kind, definition.name), to_json(definition));
}

std::vector<std::string> Catalog::list(transaction::Reader& reader, Kind kind) {
  std::vector<std::string> names;
  for (Definition& definition : read_all(reader))
    if (definition.kind == kind) names.push_back(std::move(definition.name));
  return names;
}

void Catalog::drop(transaction::Transaction& transaction, Kind kind, std::string_view name) {
  transaction.writes().erase(Keyspace::meta, definition_key(kind, name));
}

}  // namespace stele::catalog
