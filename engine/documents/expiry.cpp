// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/expiry.h"

#include "engine/documents/index_entries.h"

#include <algorithm>

namespace stele::documents {

Expiry::Expiry(const catalog::Definition& collection, std::int64_t time_us) : time_ms_(time_us / 1000) {
  for (const catalog::Index& index : collection.indexes) {
    if (!index.expire_after_seconds || index.state != catalog::Index::State::ready) continue;
    indexes_.push_back(&index);
    members_.push_back(index.fields.front().path.steps().front().name);
  }
}

bool Expiry::expired(std::string_view document) {
  if (indexes_.empty()) return false;
  model::Value value;
  parser_.parse_members(document, members_, value);
  return std::ranges::any_of(indexes_, [&](const catalog::Index* index) {
    const auto at = expires_at_ms(*index, value);
    return at && *at <= time_ms_;
  });
}

}  // namespace stele::documents
