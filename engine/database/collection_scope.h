// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
//
// What the public handles of collections share: from a scope and a name to the verbs below.
#pragma once

#include "engine/database/scope.h"
#include "engine/documents/documents.h"
#include "engine/documents/indexes.h"
#include "engine/model/document.h"

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>

namespace stele::detail {

inline model::Value parse_id(const DocumentId& id, const json::Limits& limits) {
  // Nearly every id is a short string without escapes: no need to take a JSON parser to it.
  const std::string_view json = id.json();
  if (json.size() >= 2 && json.size() <= 256 && json.front() == '"' && json.back() == '"') {
    const std::string_view content = json.substr(1, json.size() - 2);
    const bool plain =
        std::ranges::none_of(content, [](unsigned char c) { return c < 0x20 || c >= 0x80 || c == '"' || c == '\\'; });
    if (plain) return model::Value(content);
  }
  model::Value value = model::parse(json::minify(id.json(), limits, "_id"));
  model::check_id(value);
  return value;
}

inline DocumentId id_of(const model::Value& id) { return DocumentId::from_json(model::to_json(id)); }

inline documents::Documents verbs(const Scope& scope, const std::string& collection) {
  return documents::Documents(scope.core->catalog, collection, scope.core->limits);
}

inline documents::Indexes index_verbs(const Scope& scope, const std::string& collection) {
  return documents::Indexes(scope.core->catalog, collection, scope.core->limits);
}

/// Makes an index. In a transaction as one statement: all of it, or nothing, so nothing is taken back. Otherwise in
/// writes of their own under one deadline for all together; what takes a failed one back runs whatever happens.
void make_index(Scope& scope,
                const std::function<void(const documents::Write& write, const documents::Write& give_up)>& make);

inline catalog::Catalog::DefinitionPtr definition_of(const Scope& scope, transaction::Reader& reader,
                                                     const std::string& collection) {
  return scope.core->catalog.find(reader, catalog::Kind::collection, collection);
}

}  // namespace stele::detail
