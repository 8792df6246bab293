// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/revision.h"

#include "engine/base/error.h"
#include "engine/model/compare.h"

#include <array>

namespace stele::documents {

using model::UpdateContext;
using model::Value;

namespace {

Value id_of(std::string_view document) {
  static const std::array<std::string, 1> names = {"_id"};
  Value found;
  model::Parser().parse_members(document, names, found);
  return found.object().front().value;
}

void refuse_expr(const model::Condition& condition) {
  if (condition.kind == model::Condition::Kind::expr)
    fail(ErrorCode::invalid, "filter: $expr cannot stand in the filter of an upsert; write conditions on paths",
         {{"reason", "InvalidFilter"}, {"operator", "$expr"}});
  for (const model::Condition& child : condition.children) refuse_expr(child);
}

}  // namespace

void check_upsert_filter(const model::Filter& filter) { refuse_expr(filter.root()); }

Revision Revision::update(std::string_view json, std::string_view array_filters, const json::Limits& limits) {
  return Revision(model::Update::parse(json, array_filters, limits));
}

Revision Revision::replacement(std::string_view json, const json::Limits& limits) {
  Value value = model::parse(json::minify(json, limits, "replacement"));
  if (!value.is_object())
    fail(ErrorCode::invalid, text("replacement: is of type ", model::name(value.type()), "; it must be an object"),
         {{"reason", "InvalidDocument"}});
  if (!value.object().empty() && value.object().front().name.starts_with('$'))
    fail(ErrorCode::invalid,
         text("replacement: holds the operator ", value.object().front().name,
              "; give the new document's members, or use an update"),
         {{"reason", "InvalidDocument"}, {"operator", value.object().front().name}});
  model::check_names(value);
  if (const Value* id = value.find("_id")) model::check_id(*id);
  return Revision(std::move(value));
}

/// With the document's own _id, as it was spelled.
std::string Revision::replacing(const Value& id) const {
  Value document = std::get<Value>(content_);
  if (!model::keep_id(document, id))
    fail(ErrorCode::invalid,
         text("replacement: its _id ", model::to_json(*document.find("_id")), " differs from the document's, ",
              model::to_json(id), "; an _id never changes: leave it out, or insert a new document"),
         {{"reason", "ImmutableId"}});
  return model::document_with_id(model::to_json(document)).text;
}

std::optional<std::string> Revision::apply(std::string_view document, const UpdateContext& context) const {
  if (const auto* update = std::get_if<model::Update>(&content_)) return update->apply_json(document, context);
  std::string replaced = replacing(id_of(document));
  if (replaced == document) return std::nullopt;
  return replaced;
}

model::NewDocument Revision::upserted(const UpdateContext& context) const {
  if (const auto* update = std::get_if<model::Update>(&content_)) {
    const Value document = update->upsert_document(context);
    return {model::to_json(document), document.object().front().value};
  }
  if (const auto id = model::id_equality(*context.filter)) return {replacing(*id), *id};
  return model::document_with_id(model::to_json(std::get<Value>(content_)));
}

}  // namespace stele::documents
