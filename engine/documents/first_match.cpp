// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/documents/first_match.h"

#include "engine/documents/matches.h"

namespace stele::documents {

std::optional<Match> first_match(transaction::Reader& reader, catalog::Catalog::DefinitionPtr collection,
                                 const model::Filter& filter, const model::Sort& sort) {
  Matches matches(reader, std::move(collection), {filter, sort, 1, {}});
  if (sort.empty() || matches.plan().sorted) {
    if (!matches.next()) return std::nullopt;
    return Match{std::string(matches.key()), std::string(matches.document())};
  }
  std::optional<Match> first;
  std::string least, order;
  model::Parser parser;
  while (matches.next()) {
    order.clear();
    sort.append_key(order, parser.parse(matches.document()));
    order += matches.key();  // of equal ones the first key
    if (first && least <= order) continue;
    std::swap(least, order);
    first = Match{std::string(matches.key()), std::string(matches.document())};
  }
  return first;
}

}  // namespace stele::documents
