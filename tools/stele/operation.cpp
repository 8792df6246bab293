// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "tools/stele/operation.h"

#include <algorithm>

namespace stele::tool {

std::vector<const Operation*> operations() {
  std::vector<const Operation*> all;
  for (const auto group :
       {document_operations(), aggregate_operations(), collection_operations(), sql_operations(), event_operations(),
        group_operations(), window_operations(), cache_operations(), vector_operations(), transaction_operations(),
        store_operations()})
    for (const Operation& operation : group) all.push_back(&operation);
  return all;
}

const Operation* find_operation(std::string_view name) {
  static const std::vector<const Operation*> all = operations();
  const auto found = std::ranges::find(all, name, &Operation::name);
  return found == all.end() ? nullptr : *found;
}

bool is_later_operation(std::string_view name) {
  static constexpr std::string_view later[] = {
      "create_text_index", "drop_text_index", "text_search", "hybrid_search", "repair"};
  return std::ranges::find(later, name) != std::end(later);
}

}  // namespace stele::tool
