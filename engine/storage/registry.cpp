// Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#include "engine/storage/registry.h"

#include "engine/base/error.h"

namespace stele::storage {

namespace {
template <class Map>
const typename Map::mapped_type& find(const Map& map, const std::string& name, std::string_view role) {
  const auto found = map.find(name);
  if (found != map.end()) return found->second;
  std::string known;
  for (const auto& entry : map) known += (known.empty() ? "" : ", ") + entry.first;
  fail(ErrorCode::invalid, text("open: no ", role, " backend is called \"", name, "\"; known are: ", known));
}
}  // namespace

const OpenKeyValue& Registry::key_value(const std::string& name) const { return find(key_value_, name, "key_value"); }
const Capabilities& Registry::capabilities(const std::string& name) const {
  return find(capabilities_, name, "key_value");
}
const OpenRelational& Registry::relational(const std::string& name) const {
  return find(relational_, name, "relational");
}
const VectorIndexBackend& Registry::vector_index(const std::string& name) const {
  return find(vector_, name, "vector_index");
}

}  // namespace stele::storage
