// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/json.h"
#include "engine/model/document.h"
#include "engine/model/update.h"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace stele::documents {

/// What becomes of a document: an update or a replacement of it. Immutable.
class Revision {
 public:
  static Revision update(std::string_view json, std::string_view array_filters, const json::Limits& limits);
  /// `invalid` for a replacement that could never be stored, one with operators among them.
  static Revision replacement(std::string_view json, const json::Limits& limits);

  /// The text that takes the place of a stored document; empty when that is the one it has. Throws as model::Update
  /// does, and `invalid` for a replacement with another _id.
  std::optional<std::string> apply(std::string_view document, const model::UpdateContext& context) const;

  /// What an upsert inserts. Needs the context's filter.
  model::NewDocument upserted(const model::UpdateContext& context) const;

 private:
  explicit Revision(model::Update update) : content_(std::move(update)) {}
  explicit Revision(model::Value replacement) : content_(std::move(replacement)) {}
  std::string replacing(const model::Value& id) const;

  std::variant<model::Update, model::Value> content_;
};

/// `invalid` for $expr, as in MongoDB: it gives nothing that a new document could be made of.
void check_upsert_filter(const model::Filter& filter);

}  // namespace stele::documents
